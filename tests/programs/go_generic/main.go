// go_generic WHERE: switches without a lock in a generic function or in a generic type's method, of this
// type or that: named as Go's own stack traces name it, whatever shape it was compiled for.
package main

import (
	"fmt"
	"os"
	"syscall"
)

type box[K any] struct{ key K }

//go:noinline
func (b *box[K]) leave(flags int) error {
	return syscall.Unshare(flags)
}

//go:noinline
func leave[K any](key K, flags int) error {
	return syscall.Unshare(flags)
}

func main() {
	var err error
	switch os.Args[1] {
	case "function of int":
		err = leave(1, syscall.CLONE_NEWUTS)
	case "function of slice":
		err = leave([]map[string]int{}, syscall.CLONE_NEWUTS)
	case "method of string":
		err = (&box[string]{}).leave(syscall.CLONE_NEWUTS)
	case "method of box":
		err = (&box[*box[int]]{}).leave(syscall.CLONE_NEWUTS)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(77)
	}
}
