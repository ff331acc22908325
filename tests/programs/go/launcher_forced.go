// The launcher with the scheduler's rare choice made certain: between the unshare and what follows,
// other goroutines lock themselves to threads until the one that switched is taken for good, so
// that the main goroutine is on another one. Its mount then lands in the old namespace, and the
// exec by a thread that is not the leader makes the tid vanish that nsenter is told. Must be
// reported: unlocked-switch with split-sequence and exec-discards as what followed from it.
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

// On the main thread up to the switch: elsewhere the tid that nsenter is told could be the leader's,
// which lives on.
func init() {
	runtime.LockOSThread()
}

func main() {
	hello, world := os.Args[1], os.Args[2]
	must("mount hello", syscall.Mount(hello, hello, "", syscall.MS_BIND, ""))
	must("make private", syscall.Mount("", hello, "", syscall.MS_PRIVATE, ""))
	home := here()
	runtime.UnlockOSThread()
	must("unshare", syscall.Unshare(syscall.CLONE_NEWNS))
	leaveThread(home)
	must("mount world", syscall.Mount(world, hello, "", syscall.MS_BIND, ""))
	thread := strconv.Itoa(syscall.Gettid())
	must("exec", syscall.Exec("/usr/bin/nsenter", []string{"nsenter", "-t", thread, "--mount",
		"/usr/bin/cp", hello, hello + "-copied"}, os.Environ()))
}
