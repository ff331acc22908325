// go_netns HOW: visits a network namespace by package netns. "right": locked, and home again before it
// unlocks; "unlocked": without a lock, and home again; "forgotten": locked, but it unlocks away.
package main

import (
	"fmt"
	"net"
	"os"
	"runtime"

	"github.com/vishvananda/netns"
)

// must gives up; 77 means that the program cannot run here.
func must(what string, err error) {
	if err == nil {
		return
	}
	fmt.Fprintln(os.Stderr, what+":", err)
	if os.IsPermission(err) {
		os.Exit(77)
	}
	os.Exit(70)
}

// another makes a namespace and comes home, which is returned too.
func another() (home, other netns.NsHandle) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	home, err := netns.Get()
	must("Get", err)
	other, err = netns.New()
	must("New", err)
	must("Set", netns.Set(home))
	return home, other
}

func visit(how string, home, other netns.NsHandle) {
	if how != "unlocked" {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
	}
	must("Set", netns.Set(other))
	all, err := net.Interfaces()
	must("Interfaces", err)
	fmt.Println(len(all), all[0].Name)
	if how != "forgotten" {
		must("Set home", netns.Set(home))
	}
}

func main() {
	home, other := another()
	done := make(chan bool)
	go func() {
		visit(os.Args[1], home, other)
		done <- true
	}()
	<-done
	must("Close", other.Close())
	must("Close", home.Close())
	fmt.Println("done")
}
