// A visit that panics before it comes home, while its deferred function gives the lock up: the panic
// is recovered, and the thread goes back among the others. Must be reported: the early unlock.
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
	if other != home {
		panic("in the visit")
	}
	must("setns home", setns(home, syscall.CLONE_NEWNET))
}

func main() {
	other := otherNetwork()
	func() {
		defer func() { fmt.Println(recover()) }()
		visit(other)
	}()
	touchNetwork()
}
