// os/exec with Cloneflags and Unshareflags: children start in namespaces of their own, by vfork in
// this program's memory; nothing here is switched. Must be reported: nothing.
package main

import (
	"fmt"
	"os/exec"
	"sync"
	"syscall"
)

func child(attributes *syscall.SysProcAttr) {
	command := exec.Command("/bin/sh", "-c", "exit 0")
	command.SysProcAttr = attributes
	must("exec", command.Run())
}

func main() {
	var all sync.WaitGroup
	for i := 0; i < 4; i++ {
		all.Add(1)
		go func() {
			defer all.Done()
			for i := 0; i < 5; i++ {
				child(&syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWUTS})
				child(&syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWUTS})
				child(&syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID})
				child(nil)
			}
		}()
	}
	all.Wait()
	fmt.Println("done")
}
