// One call of the table of calls, by package syscall and so by a trampoline, between two marks
// (unshare(0)) of the same thread:
//
//	makes_every_call NUMBER ARGUMENT...
//	makes_every_call os.Exit STATUS
//	makes_every_call runtime.raise SIGNAL
//
// The words are those of tests/programs/c/makes_every_call.c.
package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unsafe"
)

const (
	sysFork      = 57
	sysPidfdOpen = 434
	sysClone3    = 435
)

var (
	awayTid int
	kept    []interface{} // what the kernel is given the address of
	room    [4096]byte
	cloning = [11]uint64{4: uint64(syscall.SIGCHLD)}
)

func pointer(text string) uintptr {
	bytes := append([]byte(text), 0)
	kept = append(kept, bytes)
	return uintptr(unsafe.Pointer(&bytes[0]))
}

func list(texts []string) uintptr {
	pointers := make([]uintptr, len(texts)+1)
	for i, text := range texts {
		pointers[i] = pointer(text)
	}
	kept = append(kept, pointers)
	return uintptr(unsafe.Pointer(&pointers[0]))
}

func opened(path string) uintptr {
	fd, err := syscall.Open(path, syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
	must(path, err)
	return uintptr(fd)
}

func word(text string) uintptr {
	if number, err := strconv.ParseInt(text, 0, 64); err == nil {
		return uintptr(number)
	}
	switch {
	case strings.HasPrefix(text, "s:"):
		return pointer(text[2:])
	case strings.HasPrefix(text, "ns:"):
		return opened("/proc/thread-self/ns/" + text[3:])
	case strings.HasPrefix(text, "other:"):
		return opened("/proc/self/task/" + strconv.Itoa(awayTid) + "/ns/" + text[6:])
	case text == "pidfd":
		fd, _, _ := syscall.RawSyscall(sysPidfdOpen, uintptr(os.Getpid()), 0, 0)
		return fd
	case text == "fd":
		return opened("/dev/null")
	case text == "list":
		return list([]string{"true"})
	case text == "environment":
		return list(os.Environ())
	case text == "buffer":
		return uintptr(unsafe.Pointer(&room))
	case text == "clone_arguments":
		return uintptr(unsafe.Pointer(&cloning))
	}
	fmt.Fprintln(os.Stderr, "no such word:", text)
	os.Exit(70)
	return 0
}

// The child of a fork goes on with this thread alone: it ends at once.
//
//go:nosplit
//go:norace
func raw(number uintptr, a *[6]uintptr) {
	result, _, errno := syscall.RawSyscall6(number, a[0], a[1], a[2], a[3], a[4], a[5])
	if errno == 0 && result == 0 &&
		(number == sysFork || number == syscall.SYS_CLONE || number == sysClone3) {
		syscall.RawSyscall(syscall.SYS_EXIT_GROUP, 0, 0, 0)
	}
}

func calls() {
	var argument [6]uintptr
	for i, text := range os.Args[2:] {
		argument[i] = word(text)
	}
	number, _ := strconv.Atoi(os.Args[1])
	fmt.Println(os.Getpid(), syscall.Gettid())
	syscall.RawSyscall(syscall.SYS_UNSHARE, 0, 0, 0)
	switch os.Args[1] {
	case "os.Exit":
		os.Exit(int(argument[0]))
	case "runtime.raise": // by the handler of a signal that ends the program
		syscall.RawSyscall(syscall.SYS_TGKILL, uintptr(os.Getpid()), uintptr(syscall.Gettid()), argument[0])
	}
	raw(uintptr(number), &argument)
	syscall.RawSyscall(syscall.SYS_UNSHARE, 0, 0, 0)
	runtime.KeepAlive(kept)
}

func main() {
	ready := make(chan int)
	go func() {
		runtime.LockOSThread()
		must("unshare", syscall.Unshare(syscall.CLONE_NEWUTS))
		ready <- syscall.Gettid()
		select {}
	}()
	awayTid = <-ready
	opened("/proc/thread-self/ns/uts")
	go func() {
		runtime.LockOSThread()
		if syscall.Gettid() == os.Getpid() {
			// Not the leader: the call may end its thread.
			go func() {
				runtime.LockOSThread()
				ready <- syscall.Gettid()
				calls()
				ready <- 0
				select {}
			}()
			select {}
		}
		ready <- syscall.Gettid()
		calls()
		ready <- 0
		select {}
	}()
	task := "/proc/self/task/" + strconv.Itoa(<-ready)
	for {
		select {
		case <-ready:
			return
		case <-time.After(5 * time.Millisecond):
			if _, err := os.Stat(task); err != nil {
				return
			}
		}
	}
}
