// Ends by an uncaught panic after an unlocked switch: the runtime ends the process itself. Must be
// reported: an error, unlocked-switch.
package main

import "syscall"

func main() {
	must("unshare", syscall.Unshare(syscall.CLONE_NEWUTS))
	panic("the end")
}
