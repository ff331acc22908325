// As the correct libraries do it: the way home fails, so the goroutine never unlocks, and its
// thread dies with it. Must be reported: no error, no warning.
package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"syscall"
	"time"
)

func init() {
	runtime.LockOSThread()
}

func main() {
	other := otherNetwork()
	thread := make(chan int)
	go func() {
		runtime.LockOSThread()
		home := ownNamespace("net")
		must("setns", setns(other, syscall.CLONE_NEWNET))
		must("close", syscall.Close(home))
		if setns(home, syscall.CLONE_NEWNET) == nil {
			runtime.UnlockOSThread()
		}
		thread <- syscall.Gettid()
	}()
	path := "/proc/self/task/" + strconv.Itoa(<-thread)
	for i := 0; i < 2000; i++ {
		if _, err := os.Stat(path); err != nil {
			break
		}
		time.Sleep(time.Millisecond)
	}
	fmt.Println("done")
}
