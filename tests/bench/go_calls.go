// go_calls setns|identity|visit|visit-identity|getppid|pipe COUNT: network namespace there and back on
// a locked thread (with `identity` also the calls by which nsdrift asks who switches where; `visit`
// locks it for each), an unrelated system call, or a byte to another goroutine and back by two pipes.
// Prints nanoseconds for each, the median of 200 short blocks.
package main

import (
	"fmt"
	"os"
	"runtime"
	"sort"
	"strconv"
	"syscall"
	"time"
	"unsafe"
)

const sysSetns, blocks, nsGetID = 308, 200, 0x8008b70d

var noIDs bool

func check(errno syscall.Errno) {
	if errno != 0 {
		fmt.Fprintln(os.Stderr, errno)
		os.Exit(77)
	}
}

func open() uintptr {
	fd, err := syscall.Open(fmt.Sprintf("/proc/self/task/%d/ns/net", syscall.Gettid()), syscall.O_RDONLY, 0)
	if err != nil {
		panic(err)
	}
	return uintptr(fd)
}

func ask(fd uintptr) {
	var id uint64
	var stat syscall.Stat_t
	syscall.RawSyscall(syscall.SYS_GETTID, 0, 0, 0)
	if !noIDs {
		_, _, errno := syscall.RawSyscall(syscall.SYS_IOCTL, fd, nsGetID, uintptr(unsafe.Pointer(&id)))
		noIDs = errno != 0
	}
	if noIDs {
		syscall.RawSyscall(syscall.SYS_FSTAT, fd, uintptr(unsafe.Pointer(&stat)), 0)
	}
}

//go:noinline
func visit(there, home uintptr, identity bool) {
	_, _, errno := syscall.Syscall(sysSetns, there, syscall.CLONE_NEWNET, 0)
	check(errno)
	if identity {
		ask(there)
	}
	_, _, errno = syscall.Syscall(sysSetns, home, syscall.CLONE_NEWNET, 0)
	check(errno)
	if identity {
		ask(home)
	}
}

// pingPong sends a byte to another goroutine and has it back, by calls that block their thread.
func pingPong() func() {
	var there, back [2]int
	if syscall.Pipe(there[:]) != nil || syscall.Pipe(back[:]) != nil {
		panic("pipe")
	}
	pass := func(from, to int) {
		var one [1]byte
		if n, err := syscall.Read(from, one[:]); n != 1 || err != nil {
			panic(err)
		}
		if n, err := syscall.Write(to, one[:]); n != 1 || err != nil {
			panic(err)
		}
	}
	go func() {
		for {
			pass(there[0], back[1])
		}
	}()
	var one [1]byte
	return func() {
		syscall.Write(there[1], one[:])
		syscall.Read(back[0], one[:])
	}
}

//go:noinline
func deep(frames int, call func()) int {
	if frames > 0 {
		return deep(frames-1, call) + 1
	}
	call()
	return 0
}

func main() {
	what := os.Args[1]
	count, _ := strconv.Atoi(os.Args[2])
	each := count/blocks + 1
	var operation func()
	switch what {
	case "getppid":
		runtime.LockOSThread()
		operation = func() { syscall.Getppid() }
	case "pipe":
		operation = pingPong()
	case "visit", "visit-identity":
		runtime.LockOSThread()
		home := open()
		if err := syscall.Unshare(syscall.CLONE_NEWNET); err != nil {
			check(err.(syscall.Errno))
		}
		there := open()
		if _, _, errno := syscall.Syscall(sysSetns, home, syscall.CLONE_NEWNET, 0); errno != 0 {
			check(errno)
		}
		runtime.UnlockOSThread()
		operation = func() {
			runtime.LockOSThread()
			visit(there, home, what == "visit-identity")
			runtime.UnlockOSThread()
		}
	default:
		runtime.LockOSThread()
		home := open()
		if err := syscall.Unshare(syscall.CLONE_NEWNET); err != nil {
			check(err.(syscall.Errno))
		}
		there := open()
		operation = func() { visit(there, home, what == "identity") }
	}
	times := make([]float64, blocks)
	deep(10, func() {
		for i := range times {
			began := time.Now()
			for j := 0; j < each; j++ {
				operation()
			}
			times[i] = float64(time.Since(began)) / float64(each)
		}
	})
	sort.Float64s(times)
	fmt.Printf("%.1f\n", times[blocks/2])
}
