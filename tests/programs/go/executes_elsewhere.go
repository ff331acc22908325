// lxkns' Execute: a goroutine of its own locks, enters one namespace after the other, calls, hands
// the result back and never unlocks, so that its thread ends with it; also for mnt, which wants
// a private root and folder first, and where the last namespace cannot be entered. Main is locked
// in init, so that the main thread is never the one. Must be reported: notes, died-switched.
package main

import (
	"fmt"
	"runtime"
	"syscall"
)

func init() {
	runtime.LockOSThread()
}

type namespace struct {
	flag uintptr
	fd   int
}

func execute(call func() string, namespaces ...namespace) (string, error) {
	type answer struct {
		result string
		failed error
	}
	answers := make(chan answer)
	go func() {
		runtime.LockOSThread()
		for _, there := range namespaces {
			if there.flag == syscall.CLONE_NEWNS {
				must("unshare", syscall.Unshare(syscall.CLONE_FS))
			}
			if failed := setns(there.fd, there.flag); failed != nil {
				answers <- answer{"", failed}
				return
			}
		}
		answers <- answer{call(), nil}
	}()
	got := <-answers
	return got.result, got.failed
}

// others are made by a thread that ends with them: their descriptors keep them.
func others() []namespace {
	made := make(chan []namespace)
	go func() {
		runtime.LockOSThread()
		must("unshare", syscall.Unshare(syscall.CLONE_NEWUTS|syscall.CLONE_NEWNET|syscall.CLONE_NEWNS))
		made <- []namespace{{syscall.CLONE_NEWUTS, ownNamespace("uts")},
			{syscall.CLONE_NEWNET, ownNamespace("net")}, {syscall.CLONE_NEWNS, ownNamespace("mnt")}}
	}()
	return <-made
}

func main() {
	there := others()
	for i := 0; i < 5; i++ {
		result, err := execute(func() string {
			touchNetwork()
			return "there"
		}, there...)
		must("execute", err)
		if result != "there" {
			panic(result)
		}
		touchNetwork()
		if _, err = execute(func() string { return "" }, there[0], namespace{syscall.CLONE_NEWNET, -1}); err == nil {
			panic("executed nowhere")
		}
	}
	fmt.Println("done")
}
