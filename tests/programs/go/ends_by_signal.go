// Ends by a signal, as the argument says, while another goroutine's thread stands in a uts namespace
// of its own. Must be reported: unlocked-while-switched, an error, because the goroutine unlocked it
// there; with "home" as second argument it goes home first, and nothing is to be reported.
package main

import (
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"syscall"
	"time"
)

var signals = map[string]syscall.Signal{
	"term": syscall.SIGTERM, "int": syscall.SIGINT, "hup": syscall.SIGHUP,
}

func visit(goesHome bool, done chan<- bool) {
	runtime.LockOSThread()
	home := ownNamespace("uts")
	must("unshare", syscall.Unshare(syscall.CLONE_NEWUTS))
	if goesHome {
		must("setns home", setns(home, syscall.CLONE_NEWUTS))
	}
	runtime.UnlockOSThread()
	done <- true
	select {}
}

// The runtime ends the program when it gets this signal.
func end(number syscall.Signal) {
	must("kill", syscall.Kill(os.Getpid(), number))
	time.Sleep(time.Minute)
}

func main() {
	done := make(chan bool)
	go visit(len(os.Args) > 2 && os.Args[2] == "home", done)
	<-done
	fmt.Println("ready")
	switch how := os.Args[1]; how {
	case "crash":
		debug.SetTraceback("crash")
		panic("as wanted")
	case "reset":
		signal.Notify(make(chan os.Signal, 1), syscall.SIGTERM)
		signal.Reset(syscall.SIGTERM)
		end(syscall.SIGTERM)
	case "pipe":
		read, write, err := os.Pipe()
		must("pipe", err)
		must("dup2", syscall.Dup3(int(write.Fd()), 1, 0))
		read.Close()
		fmt.Println("nobody reads this") // SIGPIPE on descriptor 1 ends a Go program (os.epipecheck)
	default:
		end(signals[how])
	}
}
