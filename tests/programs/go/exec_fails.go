// The launcher's fault, and then an exec that comes back. Must be reported: unlocked-switch, an
// error, once, and no exec-discards left in the end.
package main

import (
	"fmt"
	"os"
	"syscall"
)

func main() {
	must("unshare", syscall.Unshare(syscall.CLONE_NEWUTS))
	for i := 0; i < 2; i++ {
		if err := syscall.Exec("/nowhere/at-all", []string{"at-all"}, os.Environ()); err != syscall.ENOENT {
			panic(err)
		}
	}
	fmt.Println("done")
}
