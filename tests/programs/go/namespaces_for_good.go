// Goroutines locked for good, each with a namespace of its own, at work when the program ends. Must
// be reported: no error, no warning.
package main

import (
	"fmt"
	"os"
	"runtime"
	"syscall"
)

func init() {
	runtime.LockOSThread()
}

func main() {
	ready := make(chan bool)
	for i := 0; i < 3; i++ {
		go func() {
			runtime.LockOSThread()
			must("unshare", syscall.Unshare(syscall.CLONE_NEWNET))
			touchNetwork()
			ready <- true
			select {}
		}()
	}
	for i := 0; i < 3; i++ {
		<-ready
	}
	fmt.Println("done")
	os.Exit(0)
}
