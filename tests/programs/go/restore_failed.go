// A locked goroutine's way home fails, it unlocks all the same. Must be reported: an error,
// restore-failed.
package main

import (
	"fmt"
	"runtime"
	"syscall"
)

func visit(other int) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	home := ownNamespace("net")
	must("setns", setns(other, syscall.CLONE_NEWNET))
	must("close", syscall.Close(home))
	if setns(home, syscall.CLONE_NEWNET) == nil {
		panic("a closed descriptor leads home")
	}
}

func main() {
	visit(otherNetwork())
	touchNetwork()
	fmt.Println("done")
}
