// containerd's mountAt: a locked goroutine takes private fs, changes directory, mounts, and ends
// without unlocking. Must be reported: no error, no warning.
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
		must("unshare", syscall.Unshare(syscall.CLONE_FS))
		must("chdir", syscall.Chdir("/mnt"))
		must("mount", syscall.Mount("none", ".", "tmpfs", 0, ""))
		thread <- syscall.Gettid()
	}()
	path := "/proc/self/task/" + strconv.Itoa(<-thread)
	for i := 0; i < 2000; i++ {
		if _, err := os.Stat(path); err != nil {
			break
		}
		time.Sleep(time.Millisecond)
	}
	must("unmount", syscall.Unmount("/mnt", 0))
	fmt.Println("done")
}
