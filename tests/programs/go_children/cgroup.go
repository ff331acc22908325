//go:build go1.20
// +build go1.20

package main

import (
	"os"
	"syscall"
)

var folder *os.File // stays open

// The group that we are in already, where a second hierarchy is mounted for it.
func init() {
	for _, path := range []string{"/sys/fs/cgroup/unified", "/sys/fs/cgroup"} {
		var err error
		if folder, err = os.Open(path); err != nil {
			continue
		}
		if _, err := os.Stat(path + "/cgroup.procs"); err != nil || !isSecondVersion(folder) {
			folder.Close()
			continue
		}
		ways = append(ways, way{"cgroup", plain(syscall.SysProcAttr{
			UseCgroupFD: true, CgroupFD: int(folder.Fd()), Cloneflags: syscall.CLONE_NEWUTS})})
		return
	}
}

func isSecondVersion(folder *os.File) bool {
	var about syscall.Statfs_t
	return syscall.Fstatfs(int(folder.Fd()), &about) == nil && about.Type == 0x63677270
}
