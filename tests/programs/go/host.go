// What the small Go hosts share: system calls that package syscall lacks, and a way to give up.
package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"syscall"
)

const sysSetns = 308

//go:noinline
func setns(fd int, kind uintptr) error {
	if _, _, errno := syscall.Syscall(sysSetns, uintptr(fd), kind, 0); errno != 0 {
		return errno
	}
	return nil
}

// must gives up; 77 means that the program cannot run here.
func must(what string, err error) {
	if err == nil {
		return
	}
	fmt.Fprintln(os.Stderr, what+":", err)
	if err == syscall.EPERM || err == syscall.ENOSYS {
		os.Exit(77)
	}
	os.Exit(70)
}

// ownNamespace opens a namespace of the calling thread.
func ownNamespace(kind string) int {
	path := "/proc/self/task/" + strconv.Itoa(syscall.Gettid()) + "/ns/" + kind
	fd, err := syscall.Open(path, syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
	must(path, err)
	return fd
}

// otherNetwork makes a network namespace and comes home.
func otherNetwork() int {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	home := ownNamespace("net")
	must("unshare", syscall.Unshare(syscall.CLONE_NEWNET))
	other := ownNamespace("net")
	must("setns home", setns(home, syscall.CLONE_NEWNET))
	must("close", syscall.Close(home))
	return other
}

// touchNetwork makes a call that depends on the network namespace.
func touchNetwork() {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_DGRAM, 0)
	must("socket", err)
	must("close", syscall.Close(fd))
}
