package main

import "C"

// Calls makes them on a goroutine of its own: that of a call from C is locked to its thread.
//
//export Calls
func Calls() {
	go calls()
	select {}
}

func main() {}
