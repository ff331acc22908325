// A locked goroutine switches and unlocks without going home: the thread goes back to the pool as
// it is. Must be reported: an error, unlocked-while-switched.
package main

import (
	"fmt"
	"runtime"
	"syscall"
)

func visit() {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	must("unshare", syscall.Unshare(syscall.CLONE_NEWNET))
	touchNetwork()
}

func main() {
	visit()
	touchNetwork()
	fmt.Println("done")
}
