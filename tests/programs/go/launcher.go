// launcher HELLO WORLD (absolute paths: nsenter leaves the working directory)
//
// A container launcher in small: mounts hello onto itself, makes it private, takes a mount
// namespace of its own, binds world onto hello there, and becomes a program that enters the
// namespace of this very thread and copies hello. Built with -X main.discipline=locked it is
// correct; as it stands the goroutine may go on on another thread after the unshare, and then
// either the mount lands in the old namespace or the thread that is named to nsenter is gone.
// Must be reported, faulty: unlocked-switch, an error, in every run; fixed: nothing.
package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"syscall"
)

var discipline string

func must(what string, err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, what+":", err)
		os.Exit(1)
	}
}

func main() {
	if discipline == "locked" {
		runtime.LockOSThread()
	}
	hello, world := os.Args[1], os.Args[2]
	must("mount hello", syscall.Mount(hello, hello, "", syscall.MS_BIND, ""))
	must("make private", syscall.Mount("", hello, "", syscall.MS_PRIVATE, ""))
	must("unshare", syscall.Unshare(syscall.CLONE_NEWNS))
	must("mount world", syscall.Mount(world, hello, "", syscall.MS_BIND, ""))
	thread := strconv.Itoa(syscall.Gettid())
	must("exec", syscall.Exec("/usr/bin/nsenter", []string{"nsenter", "-t", thread, "--mount",
		"/usr/bin/cp", hello, hello + "-copied"}, os.Environ()))
}
