// Plain is the least program with C in it: Go's g is all that the thread-local segment
// holds, right below the C library's own data of the thread.
package main

/*
static int one(void) { return 1; }
*/
import "C"

func main() {
	if C.one() == 1 {
		println("ok")
	}
}
