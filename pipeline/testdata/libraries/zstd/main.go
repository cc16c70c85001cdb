// Program zstd compresses with threads and reads it back.
package main

// #cgo pkg-config: libzstd
// #include <zstd.h>
import "C"

import (
	"bytes"
	"fmt"
	"os"
	"unsafe"
)

func main() {
	text := bytes.Repeat([]byte("the same text again and again, "), 100_000)
	c := C.ZSTD_createCCtx()
	defer C.ZSTD_freeCCtx(c)
	check("workers", C.ZSTD_CCtx_setParameter(c, C.ZSTD_c_nbWorkers, 2))
	packed := make([]byte, C.ZSTD_compressBound(C.size_t(len(text))))
	size := check("compress", C.ZSTD_compress2(c, unsafe.Pointer(&packed[0]), C.size_t(len(packed)),
		unsafe.Pointer(&text[0]), C.size_t(len(text))))
	got := make([]byte, len(text))
	check("decompress", C.ZSTD_decompress(unsafe.Pointer(&got[0]), C.size_t(len(got)),
		unsafe.Pointer(&packed[0]), size))
	if !bytes.Equal(got, text) {
		fmt.Println("other bytes come back")
		os.Exit(1)
	}
	fmt.Println("ok")
}

func check(what string, code C.size_t) C.size_t {
	if C.ZSTD_isError(code) != 0 {
		fmt.Printf("%s: %s\n", what, C.GoString(C.ZSTD_getErrorName(code)))
		os.Exit(1)
	}
	return code
}
