// Shows what a program can see of how it was started: everything that must be the same whether
// somebody stood between its exec and its first instruction or not. As JSON, a key a line.
package main

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"os"
	"sort"
	"strconv"
	"strings"
	"syscall"
	"unsafe"
)

// Those of /proc/self/auxv that are no addresses; of the others, whether they are where they say.
var plain = map[uint64]bool{3: false, 4: true, 5: true, 6: true, 7: true, 8: true, 9: false,
	11: true, 12: true, 13: true, 14: true, 16: true, 17: true, 23: true, 26: true, 51: true}

func auxiliary() {
	bytes, _ := os.ReadFile("/proc/self/auxv")
	for i := 0; i+16 <= len(bytes); i += 16 {
		kind := binary.LittleEndian.Uint64(bytes[i:])
		value := binary.LittleEndian.Uint64(bytes[i+8:])
		if plain[kind] {
			fmt.Printf("auxv %d %d\n", kind, value)
		} else {
			fmt.Printf("auxv %d\n", kind)
		}
	}
}

// The runtime sends itself SIGURG to preempt a goroutine (runtime/signal_unix.go, sigPreempt): it is
// pending or not as time has it.
func withoutPreemption(mask string) string {
	bits, _ := strconv.ParseUint(mask, 16, 64)
	return fmt.Sprintf("%016x", bits&^(1<<(syscall.SIGURG-1)))
}

func status() {
	file, _ := os.Open("/proc/self/status")
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		words := strings.Fields(lines.Text())
		switch strings.TrimSuffix(words[0], ":") {
		case "TracerPid", "SigBlk", "SigIgn", "ShdPnd", "SigPnd", "CapInh", "CapPrm", "CapEff",
			"CapBnd", "CapAmb", "NoNewPrivs", "Seccomp", "FDSize", "Threads":
			switch words[0] {
			case "Threads:":
				continue
			case "SigPnd:", "ShdPnd:":
				words[1] = withoutPreemption(words[1])
			}
			fmt.Println("status", words)
		}
	}
}

// What is mapped by name, and how often: ours aside, which is the library, its recording and the
// program's file for reading names.
// Whatever has no name is the runtime's business.
func maps() {
	count := map[string]int{}
	self, _ := os.Executable()
	file, _ := os.Open("/proc/self/maps")
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		words := strings.Fields(lines.Text())
		if len(words) < 6 || strings.HasPrefix(words[5], "[anon:") {
			continue
		}
		forNames := words[1] == "r--p" && words[2] == "00000000" && words[5] == self
		ours := strings.HasSuffix(words[5], "/libnsdrift.so") || words[1] == "rw-s" || forNames
		if !ours {
			count[words[1]+" "+words[5]]++
		}
	}
	keys := []string{}
	for key := range count {
		keys = append(keys, fmt.Sprint("map ", key, " ", count[key]))
	}
	sort.Strings(keys)
	for _, key := range keys {
		fmt.Println(key)
	}
}

func descriptors() {
	entries, _ := os.ReadDir("/proc/self/fd")
	for _, entry := range entries {
		to, _ := os.Readlink("/proc/self/fd/" + entry.Name())
		if strings.Contains(to, "/proc/") || strings.Contains(to, "anon_inode") {
			continue
		}
		fmt.Println("fd", entry.Name())
	}
}

func main() {
	stat, _ := os.ReadFile("/proc/self/stat")
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+2:]))
	var top uint64
	fmt.Sscan(fields[25], &top) // startstack, field 28
	var brk uint64
	fmt.Sscan(fields[44], &brk) // start_brk, field 47
	now, _, _ := syscall.RawSyscall(syscall.SYS_BRK, 0, 0, 0)
	fmt.Println("the break is where it starts:", uint64(now) == brk)
	first := uint64(uintptr(unsafe.Pointer(unsafe.StringData(os.Args[0]))))
	fmt.Println("arguments stand right above the stack's start:", first > top && first-top < 1<<16)
	fmt.Println("arguments", os.Args[1:])
	environment := os.Environ()
	fmt.Println("environment", len(environment), strings.Join(environment, " "))
	fmt.Println("state flags", fields[6])
	auxiliary()
	status()
	maps()
	descriptors()
}
