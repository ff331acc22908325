// A visit that panics, and comes home in its deferred functions before it gives the lock up: the
// panic is recovered further up. Must be reported: nothing.
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
	defer func() {
		must("setns home", setns(home, syscall.CLONE_NEWNET))
		must("close", syscall.Close(home))
	}()
	must("setns", setns(other, syscall.CLONE_NEWNET))
	panic("in the visit")
}

func main() {
	other := otherNetwork()
	for i := 0; i < 3; i++ {
		func() {
			defer func() { fmt.Println(recover()) }()
			visit(other)
		}()
		touchNetwork()
	}
}
