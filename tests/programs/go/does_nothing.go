// does_nothing: a Go program that starts and ends.
package main

func main() {
}
