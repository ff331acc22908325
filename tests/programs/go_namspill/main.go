// go_namspill WHERE: asks namspill whether its own threads are uniform, prints "uniform" or "not
// uniform", then "ready", stands still for a look from outside, and answers again at each SIGUSR1.
// WHERE: "home", nobody ever left; "visited", a locked goroutine's thread was in another network and
// uts namespace and came home; "thread", it is still there; "leader", the main thread is there.
package main

import (
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"syscall"

	"github.com/thediveo/namspill"
)

const (
	sysSetns = 308
	kinds    = syscall.CLONE_NEWNET | syscall.CLONE_NEWUTS
)

func init() {
	runtime.LockOSThread() // main stays on the main thread
}

// must gives up; 77 means that the program cannot run here.
func must(what string, err error) {
	if err == nil {
		return
	}
	fmt.Fprintln(os.Stderr, what+":", err)
	if err == syscall.EPERM || err == syscall.ENOSYS {
		os.Exit(77)
	}
	os.Exit(70)
}

func leave() {
	must("unshare", syscall.Unshare(kinds))
}

func comeHome() {
	for _, kind := range []string{"net", "uts"} {
		home, err := syscall.Open("/proc/self/ns/"+kind, syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
		must(kind, err)
		if _, _, errno := syscall.Syscall(sysSetns, uintptr(home), 0, 0); errno != 0 {
			must("setns", errno)
		}
		must("close", syscall.Close(home))
	}
}

func answer() {
	uniform, err := namspill.BeUniformlyNamespaced().Match(namspill.Tasks())
	must("match", err)
	if uniform {
		fmt.Println("uniform")
	} else {
		fmt.Println("not uniform")
	}
}

func main() {
	where := ""
	if len(os.Args) > 1 {
		where = os.Args[1]
	}
	act := map[string]func(){"home": func() {}, "visited": func() { leave(); comeHome() },
		"thread": leave, "leader": func() {}}[where]
	if act == nil {
		must("WHERE", fmt.Errorf("not known: %q", where))
	}
	again := make(chan os.Signal, 1)
	signal.Notify(again, syscall.SIGUSR1)
	there := make(chan bool)
	for i := 0; i < 4; i++ { // each is a thread of its own; the first of them acts
		go func(first bool) {
			runtime.LockOSThread()
			if first {
				act()
			}
			there <- true
			select {}
		}(i == 0)
		<-there
	}
	if where == "leader" {
		leave()
	}
	answer()
	fmt.Println("ready")
	for range again {
		answer()
	}
}
