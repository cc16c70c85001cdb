// Program prebuilt links an archive that a module brings along, compiled for musl where the
// tag says so.
package main

import (
	"bytes"
	"fmt"
	"os"

	"github.com/valyala/gozstd"
)

func main() {
	text := bytes.Repeat([]byte("the same text again and again, "), 1000)
	got, err := gozstd.Decompress(nil, gozstd.Compress(nil, text))
	if err != nil || !bytes.Equal(got, text) {
		fmt.Println(len(got), err)
		os.Exit(1)
	}
	fmt.Println("ok")
}
