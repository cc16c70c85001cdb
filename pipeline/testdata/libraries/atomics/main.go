// Program atomics counts in C with accesses that not every CPU has an instruction for.
package main

// int count(void);
import "C"

import (
	"fmt"
	"os"
)

func main() {
	if line := C.count(); line != 0 {
		fmt.Printf("count.c:%d\n", line)
		os.Exit(1)
	}
	fmt.Println("ok")
}
