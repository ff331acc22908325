//go:build go1.22
// +build go1.22

package main

import (
	"runtime"
	"syscall"
)

func init() {
	ways = append(ways, way{"pidfd", func() (*syscall.SysProcAttr, func()) {
		fd := -1
		return &syscall.SysProcAttr{PidFD: &fd, Cloneflags: syscall.CLONE_NEWIPC}, func() {
			if fd >= 0 && !closedByOS() {
				syscall.Close(fd)
			}
		}
	}})
}

// The first two releases of 1.23 close the caller's descriptor as if it were their own
// (golang/go#68984): to close it again would hit whatever has its number by then.
func closedByOS() bool {
	switch runtime.Version() {
	case "go1.23", "go1.23.0", "go1.23.1":
		return true
	}
	return false
}
