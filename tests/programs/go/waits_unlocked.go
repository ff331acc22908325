// Switches without a lock and then waits for a signal that it has no handler for. For tests of
// recordings.
package main

import (
	"syscall"
	"time"
)

func main() {
	if err := syscall.Unshare(syscall.CLONE_NEWUTS); err != nil {
		println(err.Error())
		syscall.Exit(77)
	}
	time.Sleep(time.Minute)
}
