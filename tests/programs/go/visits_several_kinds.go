// lxkns' Visit: the calling goroutine itself locks, saves and enters one namespace after the other,
// calls, goes home in the opposite order, and unlocks. A visit within a visit, and one that
// cannot enter its last namespace and goes home from where it came to. Must be reported: nothing.
package main

import (
	"fmt"
	"runtime"
	"syscall"
)

type namespace struct {
	kind string
	flag uintptr
	fd   int
}

func visit(call func(), namespaces ...namespace) error {
	runtime.LockOSThread()
	homes := []namespace{}
	var failed error
	for _, there := range namespaces {
		home := namespace{there.kind, there.flag, ownNamespace(there.kind)}
		if failed = setns(there.fd, there.flag); failed != nil {
			must("close", syscall.Close(home.fd))
			break
		}
		homes = append(homes, home)
	}
	if failed == nil {
		call()
	}
	for i := len(homes) - 1; i >= 0; i-- {
		must("setns home", setns(homes[i].fd, homes[i].flag))
		must("close", syscall.Close(homes[i].fd))
	}
	runtime.UnlockOSThread()
	return failed
}

// others are made by a thread that comes home.
func others() []namespace {
	kinds := []namespace{{"net", syscall.CLONE_NEWNET, -1}, {"uts", syscall.CLONE_NEWUTS, -1},
		{"ipc", syscall.CLONE_NEWIPC, -1}}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for i := range kinds {
		home := ownNamespace(kinds[i].kind)
		must("unshare", syscall.Unshare(int(kinds[i].flag)))
		kinds[i].fd = ownNamespace(kinds[i].kind)
		must("setns home", setns(home, kinds[i].flag))
		must("close", syscall.Close(home))
	}
	return kinds
}

func main() {
	there := others()
	nowhere := namespace{"net", syscall.CLONE_NEWNET, -1}
	for i := 0; i < 10; i++ {
		must("visit", visit(touchNetwork, there...))
		must("visit", visit(func() {
			must("visit within", visit(touchNetwork, there[0]))
		}, there[1], there[2]))
		if visit(touchNetwork, there[1], there[2], nowhere) == nil {
			panic("a visit to nowhere")
		}
		touchNetwork()
	}
	fmt.Println("done")
}
