// Takes private fs without a lock: from now on chdir means another directory on each thread. Must
// be reported: a warning, unlocked-switch.
package main

import (
	"fmt"
	"syscall"
)

func main() {
	must("unshare", syscall.Unshare(syscall.CLONE_FS))
	fmt.Println("done")
}
