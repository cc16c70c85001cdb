// Program openssl hashes, signs and shakes hands with itself, and compares with Go.
package main

// #cgo pkg-config: openssl
// #include <openssl/evp.h>
// int handshake(void);
import "C"

import (
	"crypto/sha256"
	"fmt"
	"os"
	"unsafe"
)

func main() {
	text := []byte("the same for both")
	var sum [sha256.Size]byte
	var size C.uint
	if C.EVP_Digest(unsafe.Pointer(&text[0]), C.size_t(len(text)), (*C.uchar)(unsafe.Pointer(&sum[0])),
		&size, C.EVP_sha256(), nil) != 1 || sum != sha256.Sum256(text) {
		fmt.Printf("SHA-256 is %x\n", sum)
		os.Exit(1)
	}
	if line := C.handshake(); line != 0 {
		fmt.Printf("handshake.c:%d\n", line)
		os.Exit(1)
	}
	fmt.Println("ok")
}
