package main

func main() {
	calls()
}
