// executes HOW PROGRAM [ARGUMENT...]: as a child ("child"), in its own place ("exec"), or tries to
// and lives on ("fails": PROGRAM cannot be executed).
package main

import (
	"os"
	"os/exec"
	"syscall"
)

func main() {
	switch os.Args[1] {
	case "child":
		command := exec.Command(os.Args[2], os.Args[3:]...)
		command.Stdout, command.Stderr = os.Stdout, os.Stderr
		must("run", command.Run())
	case "exec":
		must("exec", syscall.Exec(os.Args[2], os.Args[2:], os.Environ()))
	case "fails":
		if syscall.Exec(os.Args[2], os.Args[2:], os.Environ()) == nil ||
			exec.Command(os.Args[2]).Run() == nil {
			os.Exit(1)
		}
	}
}
