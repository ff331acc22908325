// runtime.Goexit in a goroutine that is locked and away: its deferred functions run, and its thread
// ends with it. Must be reported: a note, died-switched; never more.
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

func away(thread chan<- int) {
	defer func() { thread <- syscall.Gettid() }()
	defer touchNetwork()
	runtime.LockOSThread()
	must("unshare", syscall.Unshare(syscall.CLONE_NEWNET))
	runtime.Goexit()
}

func main() {
	thread := make(chan int)
	for i := 0; i < 4; i++ {
		go away(thread)
		path := "/proc/self/task/" + strconv.Itoa(<-thread)
		for i := 0; i < 2000; i++ {
			if _, err := os.Stat(path); err != nil {
				break
			}
			time.Sleep(time.Millisecond)
		}
	}
	fmt.Println("done")
}
