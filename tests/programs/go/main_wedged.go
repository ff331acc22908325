// The locked main goroutine switches the main thread and ends by Goexit: the main thread stays
// there for good, and /proc/PID/ns lies to everybody outside. Must be reported: an error,
// main-switched.
package main

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"syscall"
	"time"
)

func init() {
	runtime.LockOSThread()
}

func main() {
	go func() {
		for i := 0; i < 2000; i++ { // until the leader sleeps for good
			status, err := os.ReadFile("/proc/self/stat")
			must("stat", err)
			if i > 50 && strings.Contains(string(status), ") S ") {
				break
			}
			time.Sleep(time.Millisecond)
		}
		touchNetwork()
		fmt.Println("done")
		os.Exit(5)
	}()
	must("unshare", syscall.Unshare(syscall.CLONE_NEWNET))
	runtime.Goexit()
}
