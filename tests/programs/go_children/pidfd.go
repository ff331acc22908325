//go:build go1.22
// +build go1.22

package main

import "syscall"

func init() {
	ways = append(ways, way{"pidfd", func() (*syscall.SysProcAttr, func()) {
		fd := -1
		return &syscall.SysProcAttr{PidFD: &fd, Cloneflags: syscall.CLONE_NEWIPC}, func() {
			if fd >= 0 {
				syscall.Close(fd)
			}
		}
	}})
}
