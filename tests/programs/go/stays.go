// stays HOW: stands still with its main thread in another network, for a look from outside. HOW:
// "wedged", its locked goroutine has ended there; "locked", a locked goroutine sits on it; "free",
// it was switched by a goroutine that is not locked; "home", it was not switched at all. Prints
// "ready" when it stands.
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

// leaderSleeps waits until the main thread has nothing more to do.
func leaderSleeps() {
	for i := 0; i < 5000; i++ {
		status, err := os.ReadFile("/proc/self/stat")
		must("stat", err)
		if i > 50 && strings.Contains(string(status), ") S ") {
			return
		}
		time.Sleep(time.Millisecond)
	}
}

func main() {
	how := os.Args[1]
	locked := make(chan bool)
	for i := 0; i < 4; i++ { // company for the main thread
		go func() {
			runtime.LockOSThread()
			locked <- true
			select {}
		}()
		<-locked
	}
	go func() {
		leaderSleeps()
		fmt.Println("ready")
		time.Sleep(time.Hour)
	}()
	if how != "home" {
		must("unshare", syscall.Unshare(syscall.CLONE_NEWNET))
	}
	switch how {
	case "wedged":
		runtime.Goexit()
	case "free":
		runtime.UnlockOSThread()
	}
	time.Sleep(time.Hour)
}
