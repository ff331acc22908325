// syscall.AllThreadsSyscall moves every thread of the process at once: home moves along, and nobody
// is left anywhere. Under cgo the runtime refuses it. Must be reported: nothing.
package main

import (
	"fmt"
	"syscall"
	"time"
)

func main() {
	other := otherNetwork()
	for i := 0; i < 3; i++ {
		go func() {
			for {
				time.Sleep(time.Millisecond)
			}
		}()
	}
	_, _, errno := syscall.AllThreadsSyscall(sysSetns, uintptr(other), syscall.CLONE_NEWNET, 0)
	if errno != 0 && errno != syscall.ENOTSUP {
		must("AllThreadsSyscall", errno)
	}
	touchNetwork()
	fmt.Println("done")
}
