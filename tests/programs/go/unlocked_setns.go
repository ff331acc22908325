// Enters a namespace without a lock and stays. Must be reported: an error, unlocked-switch.
package main

import (
	"fmt"
	"syscall"
)

func main() {
	other := otherNetwork()
	must("setns", setns(other, syscall.CLONE_NEWNET))
	touchNetwork()
	fmt.Println("done")
}
