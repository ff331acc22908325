// Starts children in every way that syscall.SysProcAttr has, from eight goroutines, with the garbage
// collector and the profiler at work. Each child is in the memory of this program until it execs, and
// what it does there is its own. Prints how many it has started.
//
// Usage: children COUNT [PROGRAM]: PROGRAM instead of /bin/true
package main

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// A way to start a child; `after` is called when it has ended.
type way struct {
	name       string
	attributes func() (attributes *syscall.SysProcAttr, after func())
}

func plain(attributes syscall.SysProcAttr) func() (*syscall.SysProcAttr, func()) {
	return func() (*syscall.SysProcAttr, func()) {
		copied := attributes
		return &copied, func() {}
	}
}

// A child in a user namespace is a real copy of this process up to Go 1.19.
func inUserNamespace() (*syscall.SysProcAttr, func()) {
	self := []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
	return &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: self,
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	}, func() {}
}

var ways = []way{
	{"nothing", plain(syscall.SysProcAttr{})},
	{"clone", plain(syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUTS | syscall.CLONE_NEWNS})},
	{"pid", plain(syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID})},
	{"unshare", plain(syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWUTS})},
	{"chroot", plain(syscall.SysProcAttr{Chroot: "/"})},
	{"pdeathsig", plain(syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM, Setpgid: true})},
	{"user", inUserNamespace},
}

var started int64

var program = "/bin/true"

func run(one way) error {
	attributes, after := one.attributes()
	defer after()
	command := exec.Command(program)
	command.SysProcAttr = attributes
	// The signal of Pdeathsig is sent when the thread ends.
	if attributes.Pdeathsig != 0 {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
	}
	atomic.AddInt64(&started, 1)
	if err := command.Run(); err != nil {
		return fmt.Errorf("%s: %v", one.name, err)
	}
	return nil
}

func main() {
	var group sync.WaitGroup
	var turn int64
	count, err := strconv.ParseInt(os.Args[1], 10, 64)
	if err != nil {
		panic(err)
	}
	if len(os.Args) > 2 {
		program = os.Args[2]
	}
	over := make(chan bool)
	runtime.SetCPUProfileRate(499)
	go func() {
		for {
			select {
			case <-over:
				return
			default:
				runtime.GC()
				time.Sleep(time.Millisecond)
			}
		}
	}()
	for worker := 0; worker < 8; worker++ {
		group.Add(1)
		go func() {
			defer group.Done()
			for {
				mine := atomic.AddInt64(&turn, 1) - 1
				if mine >= count {
					return
				}
				if err := run(ways[mine%int64(len(ways))]); err != nil {
					fmt.Fprintln(os.Stderr, err)
					os.Exit(70)
				}
			}
		}()
	}
	group.Wait()
	close(over)
	runtime.SetCPUProfileRate(0)
	fmt.Printf("started %d in %d ways\n", started, len(ways))
}
