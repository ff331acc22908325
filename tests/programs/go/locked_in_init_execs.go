// Main is locked in init, switches the main thread and becomes another program: what container
// runtimes do. Must be reported: no error, no warning.
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
	must("unshare", syscall.Unshare(syscall.CLONE_NEWNS|syscall.CLONE_NEWNET))
	must("mount", syscall.Mount("none", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""))
	must("exec", syscall.Exec("/bin/sh", []string{"sh", "-c", "echo done; exit 5"}, os.Environ()))
}
