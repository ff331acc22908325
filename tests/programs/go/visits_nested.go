// CNI's ns.Do within ns.Do: the inner visit begins on its own goroutine and thread. Must be
// reported: nothing.
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
	outer, inner := otherNetwork(), otherNetwork()
	for i := 0; i < 10; i++ {
		do(outer, func() {
			touchNetwork()
			do(inner, touchNetwork)
			touchNetwork()
		})
	}
	fmt.Println("done")
}
