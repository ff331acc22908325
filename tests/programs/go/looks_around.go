// Prints what a Go program can see of itself: descriptors, environment of its children, signal
// dispositions, mappings; after locked visits and children. Compared with its native output by
// the tests that hold the laws. (Its number of threads is the scheduler's choice.)
package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
)

func visit(other int) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	home := ownNamespace("net")
	must("setns", setns(other, syscall.CLONE_NEWNET))
	touchNetwork()
	must("setns home", setns(home, syscall.CLONE_NEWNET))
	must("close", syscall.Close(home))
}

func descriptors() {
	for fd := 0; fd < 3; fd++ {
		var stat syscall.Stat_t
		if syscall.Fstat(fd, &stat) == nil {
			fmt.Println("descriptor", fd)
		}
	}
	for fd := 3; fd < 1024; fd++ {
		var stat syscall.Stat_t
		if syscall.Fstat(fd, &stat) == nil {
			link, _ := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", fd))
			fmt.Println("descriptor", fd, strings.Split(link, ":")[0])
		}
	}
}

func signals() {
	status, err := os.ReadFile("/proc/self/status")
	must("status", err)
	for _, line := range strings.Split(string(status), "\n") {
		for _, word := range []string{"Sig", "Shd", "Seccomp:", "NoNewPrivs"} {
			if strings.HasPrefix(line, word) {
				fmt.Println(line)
			}
		}
	}
}

func mappings() {
	file, err := os.Open("/proc/self/maps")
	must("maps", err)
	for lines := bufio.NewScanner(file); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		name := ""
		if len(fields) > 5 {
			name = strings.Join(fields[5:], " ")
		}
		var start, end uint64
		fmt.Sscanf(fields[0], "%x-%x", &start, &end)
		fmt.Printf("map %x %s %s %s\n", end-start, fields[1], fields[2], name)
	}
	file.Close()
}

func main() {
	descriptors()
	signals()
	other := otherNetwork()
	for i := 0; i < 10; i++ {
		visit(other)
	}
	command := exec.Command("/bin/sh", "-c", "env | sort")
	command.Stdout = os.Stdout
	must("exec", command.Run())
	must("close", syscall.Close(other))
	descriptors()
	signals()
	mappings()
	os.Exit(7)
}
