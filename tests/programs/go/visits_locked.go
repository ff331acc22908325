// CNI's ns.Do: a new goroutine locks, saves, switches, calls, restores, and unlocks only because
// the restore succeeded. Must be reported: nothing.
package main

import (
	"fmt"
	"runtime"
	"syscall"
)

func do(other int, call func()) {
	done := make(chan bool)
	go func() {
		runtime.LockOSThread()
		home := ownNamespace("net")
		must("setns", setns(other, syscall.CLONE_NEWNET))
		call()
		must("setns home", setns(home, syscall.CLONE_NEWNET))
		must("close", syscall.Close(home))
		runtime.UnlockOSThread()
		done <- true
	}()
	<-done
}

func main() {
	other := otherNetwork()
	for i := 0; i < 50; i++ {
		do(other, touchNetwork)
		touchNetwork()
	}
	fmt.Println("done")
}
