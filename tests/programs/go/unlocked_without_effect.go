// Calls that fail and calls that change nothing, unlocked. Must be reported: nothing.
package main

import (
	"fmt"
	"syscall"
)

func main() {
	if setns(-1, syscall.CLONE_NEWNET) == nil || syscall.Unshare(0x7fffffff) == nil {
		panic("nonsense succeeds")
	}
	home := ownNamespace("net")
	must("setns to the same", setns(home, syscall.CLONE_NEWNET))
	must("unshare nothing", syscall.Unshare(0))
	fmt.Println("done")
}
