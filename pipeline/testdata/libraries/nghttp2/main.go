// Program nghttp2 packs the fields of a request (HPACK, RFC 7541) and unpacks them.
package main

// #cgo CFLAGS: -DNGHTTP2_STATICLIB
// #cgo pkg-config: libnghttp2
// int roundTrip(void);
import "C"

import (
	"fmt"
	"os"
)

func main() {
	if line := C.roundTrip(); line != 0 {
		fmt.Printf("round.c:%d\n", line)
		os.Exit(1)
	}
	fmt.Println("ok")
}
