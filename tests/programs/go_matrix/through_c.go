package main

/*
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

static int visit(void) {
	int home = open("/proc/thread-self/ns/uts", O_RDONLY | O_CLOEXEC);
	int failed = home < 0 || unshare(CLONE_NEWUTS) != 0 || setns(home, CLONE_NEWUTS) != 0;

	close(home);
	return failed;
}

static int leave(void) {
	return unshare(CLONE_NEWUTS) != 0;
}
*/
import "C"

import (
	"os"
	"runtime"
	"syscall"
	"time"
)

//go:noinline
func visitsInC() {
	note("visit_in_c")
	if C.visit() != 0 { //@ visit_in_c unshare cgo
		os.Exit(77)
	}
	runtime.LockOSThread()
	note("visit_in_c_locked")
	if C.visit() != 0 { //@ visit_in_c_locked unshare locked
		os.Exit(77)
	}
	runtime.UnlockOSThread()
}

// leavesInC comes back from C on a thread that C has moved.
//
//go:noinline
func leavesInC() {
	if C.leave() != 0 {
		os.Exit(77)
	}
	for i := 0; i < 10; i++ {
		time.Sleep(time.Millisecond)
		syscall.Mount("none", "/nonexistent", "tmpfs", 0, "")
	}
	os.Exit(0)
}

func init() {
	if len(os.Args) > 1 && os.Args[1] == "leave" {
		more = append(more, leavesInC)
	} else {
		more = append(more, visitsInC)
	}
}
