// There and back without a lock: it works until the scheduler moves the goroutine in between. Must
// be reported: an error, unlocked-switch.
package main

import (
	"fmt"
	"syscall"
)

func main() {
	home := ownNamespace("uts")
	must("unshare", syscall.Unshare(syscall.CLONE_NEWUTS))
	must("setns home", setns(home, syscall.CLONE_NEWUTS))
	fmt.Println("done")
}
