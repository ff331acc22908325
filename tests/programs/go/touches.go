// touches BEGAN ENDED: makes one file as its first act and the other as its last, a little later.
package main

import (
	"os"
	"time"
)

func main() {
	must("began", os.WriteFile(os.Args[1], nil, 0o600))
	time.Sleep(20 * time.Millisecond)
	must("ended", os.WriteFile(os.Args[2], nil, 0o600))
}
