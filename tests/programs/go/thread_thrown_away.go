// containerd's way: a locked goroutine changes its thread for good and ends without unlocking, so
// that the runtime ends the thread too. Main is locked in init, so that the main thread is never
// the one. Must be reported: a note, died-switched; never more.
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
	thread := make(chan int)
	go func() {
		runtime.LockOSThread()
		must("unshare", syscall.Unshare(syscall.CLONE_NEWNET))
		touchNetwork()
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
