// A locked goroutine on another thread than the main one switches and execs: it becomes the
// process, in its namespaces. Must be reported: no error, no warning.
package main

import (
	"os"
	"runtime"
	"syscall"
)

func init() {
	runtime.LockOSThread()
}

func main() {
	go func() {
		runtime.LockOSThread()
		must("unshare", syscall.Unshare(syscall.CLONE_NEWNET))
		must("exec", syscall.Exec("/bin/sh", []string{"sh", "-c", "echo done; exit 5"}, os.Environ()))
	}()
	select {}
}
