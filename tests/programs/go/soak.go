// A long mixture of everything that the hooks of a Go runtime must live with: hooked calls by
// goroutines that are locked and that are not, a garbage collector in a hurry, stacks that grow,
// profiling signals, preemption, processes that are started with and without namespaces of their
// own, threads that end with their locked goroutine. It breaks no discipline, counts its own calls,
// and prints the counts at its end.
//
// Usage: soak [SECONDS [WORKERS]]
package main

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const clockTick = 5 * time.Millisecond

var made struct {
	setns, unshare, mount, socket, spawn, failedSpawn, threads int64
}

// count is what atomic.Int64 does from Go 1.19 on.
func count(number *int64) {
	atomic.AddInt64(number, 1)
}

// round sets the thread's own uts namespace again, by a descriptor opened for it: a switch to where
// it is.
func round() {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	fd := ownNamespace("uts")
	must("setns", setns(fd, syscall.CLONE_NEWUTS))
	count(&made.setns)
	must("close", syscall.Close(fd))
}

// visit leaves the thread's uts namespace and comes back, with a call in between.
func visit() {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	home := ownNamespace("uts")
	must("unshare", syscall.Unshare(syscall.CLONE_NEWUTS))
	count(&made.unshare)
	deep(64)
	must("setns home", setns(home, syscall.CLONE_NEWUTS))
	count(&made.setns)
	must("close", syscall.Close(home))
}

// fail makes calls that cannot succeed.
func fail() {
	if setns(-1, syscall.CLONE_NEWNET) != syscall.EBADF {
		panic("setns of no descriptor")
	}
	count(&made.setns)
	if syscall.Mount("none", "/nonexistent/soak", "tmpfs", 0, "") != syscall.ENOENT {
		panic("mount on nothing")
	}
	count(&made.mount)
	touchNetwork()
	count(&made.socket)
}

// deep needs a stack that has to grow now and then.
func deep(levels int) int {
	var room [512]byte
	if levels == 0 {
		return len(room)
	}
	room[levels%len(room)] = byte(levels)
	return deep(levels-1) + int(room[0])
}

func spawn(attributes *syscall.SysProcAttr) {
	command := exec.Command("/bin/true")
	command.SysProcAttr = attributes
	must("start", command.Run())
	count(&made.spawn)
}

func spawnNothing() {
	if exec.Command("/nonexistent/soak").Run() == nil {
		panic("started nothing")
	}
	count(&made.failedSpawn)
}

// end lets a locked goroutine end, and its thread with it.
func end() {
	var group sync.WaitGroup

	group.Add(1)
	go func() {
		defer group.Done()
		runtime.LockOSThread()
		if syscall.Gettid() == syscall.Getpid() {
			runtime.UnlockOSThread()
			return // the main thread would stay for ever
		}
		must("unshare", syscall.Unshare(syscall.CLONE_NEWUTS))
		count(&made.unshare)
		count(&made.threads)
	}()
	group.Wait()
}

func work(worker int, until time.Time) {
	for turn := worker; time.Now().Before(until); turn++ {
		switch turn % 16 {
		case 0:
			spawn(nil)
		case 5:
			spawn(&syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUTS})
		case 9:
			spawn(&syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWUTS})
		case 13:
			spawnNothing()
		case 7:
			end()
		default:
			for i := 0; i < 20; i++ {
				round()
				visit()
				fail()
			}
		}
		deep(200 + turn%2000)
	}
}

// spin needs to be preempted by a signal.
func spin(until time.Time) {
	for n := 0; ; n++ {
		if n%(1<<24) == 0 && !time.Now().Before(until) {
			return
		}
	}
}

func collect(until time.Time) {
	var keep [][]byte
	for time.Now().Before(until) {
		for i := 0; i < 64; i++ {
			keep = append(keep, make([]byte, 1<<12))
		}
		keep = keep[len(keep)/2:]
		runtime.GC()
		time.Sleep(clockTick)
	}
	debug.FreeOSMemory()
}

func argument(index int, otherwise int) int {
	if len(os.Args) <= index {
		return otherwise
	}
	value, err := strconv.Atoi(os.Args[index])
	must("argument", err)
	return value
}

func main() {
	until := time.Now().Add(time.Duration(argument(1, 5)) * time.Second)
	var group sync.WaitGroup
	run := func(body func()) {
		group.Add(1)
		go func() {
			defer group.Done()
			body()
		}()
	}

	runtime.SetCPUProfileRate(997)
	run(func() { collect(until) })
	run(func() { spin(until) })
	for worker := 0; worker < argument(2, 8); worker++ {
		worker := worker
		run(func() { work(worker, until) })
	}
	group.Wait()
	runtime.SetCPUProfileRate(0)
	fmt.Printf("setns %d unshare %d mount %d socket %d spawn %d failed %d threads %d\n",
		made.setns, made.unshare, made.mount, made.socket,
		made.spawn, made.failedSpawn, made.threads)
}
