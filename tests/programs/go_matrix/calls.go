// Every call that the probe of a Go runtime watches, each by a goroutine that is locked to its
// thread and by one that is not, for all releases and all ways to build. What is expected stands on
// the line of the call, behind //@: name, call, lock. Before each the program prints name, goroutine
// and thread, so that a test can hold the events against it. It breaks no discipline.
package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"syscall"
	"time"
)

const sysSetns = 308

// note says who is about to make the call of that name.
//
//go:noinline
func note(name string) {
	var room [64]byte

	words := bytes.Fields(room[:runtime.Stack(room[:], false)])
	fmt.Printf("%s %s %d\n", name, words[1], syscall.Gettid())
}

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

func fails(what string, err error) {
	if err == nil {
		fmt.Fprintln(os.Stderr, what+": worked")
		os.Exit(70)
	}
}

func own(kind string) uintptr {
	path := "/proc/self/task/" + strconv.Itoa(syscall.Gettid()) + "/ns/" + kind
	fd, err := syscall.Open(path, syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
	must(path, err)
	return uintptr(fd)
}

func child() *exec.Cmd {
	command := exec.Command("/bin/true")
	command.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUTS}
	return command
}

// The thread that never ends, whose goroutine does: the leader, but in a library.
var first int

// Runs before main, where the runtime itself keeps goroutine 1 on the first thread.
func init() {
	first = syscall.Gettid()
	home := own("uts")
	note("init")
	_, _, errno := syscall.Syscall(sysSetns, home, syscall.CLONE_NEWUTS, 0) //@ init setns runtime
	must("setns", errnoOf(errno))
	must("close", syscall.Close(int(home)))
}

func errnoOf(errno syscall.Errno) error {
	if errno == 0 {
		return nil
	}
	return errno
}

// Nothing of this changes anything: an unlocked goroutine must not.
//
//go:noinline
func unlocked() {
	home := own("uts")
	note("setns_unlocked")
	_, _, errno := syscall.RawSyscall(sysSetns, home, 0, 0) //@ setns_unlocked setns unlocked
	_ = errno // its thread may be another one by now
	note("unshare_unlocked")
	must("unshare", syscall.Unshare(0)) //@ unshare_unlocked unshare unlocked
	note("mount_unlocked")
	fails("mount", syscall.Mount("none", "/nonexistent", "tmpfs", 0, "")) //@ mount_unlocked mount unlocked
	note("umount_unlocked")
	fails("umount", syscall.Unmount("/nonexistent", 0)) //@ umount_unlocked umount2 unlocked
	note("pivot_root_unlocked")
	fails("pivot_root", syscall.PivotRoot("/nonexistent", "/nonexistent")) //@ pivot_root_unlocked pivot_root unlocked
	note("chroot_unlocked")
	must("chroot", syscall.Chroot("/")) //@ chroot_unlocked chroot unlocked
	note("clone_unlocked")
	must("clone", child().Run()) //@ clone_unlocked clone unlocked
	note("execve_unlocked")
	fails("execve", syscall.Exec("/nonexistent", []string{"nothing"}, os.Environ())) //@ execve_unlocked execve unlocked
}

// On a thread that ends with its goroutine. Its new root holds what the old one did.
//
//go:noinline
func locked() {
	home := own("uts")
	note("unshare_locked")
	must("unshare", syscall.Unshare(syscall.CLONE_NEWNS|syscall.CLONE_NEWUTS)) //@ unshare_locked unshare locked
	note("setns_locked")
	_, _, errno := syscall.Syscall(sysSetns, home, syscall.CLONE_NEWUTS, 0) //@ setns_locked setns locked
	must("setns", errnoOf(errno))
	note("clone_locked")
	must("clone", child().Run()) //@ clone_locked clone locked
	must("mount", syscall.Mount("none", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""))
	note("mount_locked")
	must("mount", syscall.Mount("/", "/mnt", "", syscall.MS_BIND|syscall.MS_REC, "")) //@ mount_locked mount locked
	must("chdir", syscall.Chdir("/mnt"))
	note("pivot_root_locked")
	must("pivot_root", syscall.PivotRoot(".", ".")) //@ pivot_root_locked pivot_root locked
	note("umount_locked")
	must("umount", syscall.Unmount(".", syscall.MNT_DETACH)) //@ umount_locked umount2 locked
	note("chroot_locked")
	must("chroot", syscall.Chroot("/")) //@ chroot_locked chroot locked
}

// onAnotherThread runs body on a thread that is not the first one, and ends with it.
func onAnotherThread(body func()) {
	done := make(chan int)
	go func() {
		runtime.LockOSThread()
		tid := syscall.Gettid()
		if tid == first || tid == syscall.Getpid() {
			onAnotherThread(body)
			runtime.UnlockOSThread()
			done <- 0
			return
		}
		note("thread")
		body()
		done <- tid
	}()
	tid := <-done
	for tid != 0 && exists("/proc/self/task/"+strconv.Itoa(tid)) {
		time.Sleep(time.Millisecond)
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// What a build adds: calls through C.
var more []func()

func calls() {
	unlocked()
	onAnotherThread(locked)
	for _, one := range more {
		one()
	}
	if len(os.Args) > 1 && os.Args[1] == "exit" {
		return
	}
	runtime.LockOSThread()
	note("execve_locked")
	must("execve", syscall.Exec("/bin/true", []string{"true"}, os.Environ())) //@ execve_locked execve locked
}
