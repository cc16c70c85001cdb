// Program zlib compresses with the C library and reads it back with Go's own.
package main

// #cgo pkg-config: zlib
// #include <zlib.h>
import "C"

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"io"
	"os"
	"unsafe"
)

func main() {
	text := bytes.Repeat([]byte("the same text again and again, "), 1000)
	packed := make([]byte, C.compressBound(C.uLong(len(text))))
	size := C.uLong(len(packed))
	code := C.compress2((*C.Bytef)(unsafe.Pointer(&packed[0])), (*C.uLongf)(&size),
		(*C.Bytef)(unsafe.Pointer(&text[0])), C.uLong(len(text)), 9)
	if code != C.Z_OK {
		fail("compress2: %d", code)
	}
	r, err := zlib.NewReader(bytes.NewReader(packed[:size]))
	if err != nil {
		fail("%v", err)
	}
	got, err := io.ReadAll(r)
	if err != nil || !bytes.Equal(got, text) {
		fail("%d bytes come back, %v", len(got), err)
	}
	fmt.Println("ok")
}

func fail(format string, args ...any) {
	fmt.Printf(format+"\n", args...)
	os.Exit(1)
}
