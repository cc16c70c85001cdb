// Program librdkafka sends a compressed message to brokers of the library's own, on
// loopback, and gets it back.
package main

// #cgo pkg-config: rdkafka
// int sendAndGet(const char *compression);
import "C"

import (
	"fmt"
	"os"
)

func main() {
	for _, compression := range []string{"gzip", "zstd", "lz4", "snappy"} {
		if line := C.sendAndGet(C.CString(compression)); line != 0 {
			fmt.Printf("%s: send.c:%d\n", compression, line)
			os.Exit(1)
		}
	}
	fmt.Println("ok")
}
