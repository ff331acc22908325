// launcher_sometimes HELLO WORLD NUMBER: the launcher, with the scheduler's rare choice made certain in
// every run whose number can be divided by four: between the unshare and the mount other goroutines
// lock themselves to threads until the one that switched is taken for good. Its other runs work
// but for the scheduler's own choices. For many runs with known failures among them.
package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"syscall"
	"time"
)

func must(what string, err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, what+":", err)
		os.Exit(1)
	}
}

// here is the mount namespace of the thread that this goroutine is on.
func here() string {
	link, err := os.Readlink("/proc/thread-self/ns/mnt")
	must("readlink", err)
	return link
}

// leaveThread returns on a thread that is at home: those that are not are taken for good.
func leaveThread(home string) {
	taken := make(chan bool)
	for here() != home {
		for i := 0; i < 4; i++ {
			go func() {
				runtime.LockOSThread()
				if here() != home {
					taken <- true
					select {}
				}
				time.Sleep(time.Millisecond)
				runtime.UnlockOSThread()
			}()
		}
		select {
		case <-taken:
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func main() {
	hello, world := os.Args[1], os.Args[2]
	number, err := strconv.Atoi(os.Args[3])
	must("number", err)
	must("mount hello", syscall.Mount(hello, hello, "", syscall.MS_BIND, ""))
	must("make private", syscall.Mount("", hello, "", syscall.MS_PRIVATE, ""))
	home := here()
	must("unshare", syscall.Unshare(syscall.CLONE_NEWNS))
	if number%4 == 0 {
		leaveThread(home)
	}
	must("mount world", syscall.Mount(world, hello, "", syscall.MS_BIND, ""))
	thread := strconv.Itoa(syscall.Gettid())
	must("exec", syscall.Exec("/usr/bin/nsenter", []string{"nsenter", "-t", thread, "--mount",
		"/usr/bin/cp", hello, hello + "-copied"}, os.Environ()))
}
