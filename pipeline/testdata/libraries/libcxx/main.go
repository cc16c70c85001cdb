// Program libcxx calls C++ that throws, sorts, prints and starts threads.
package main

// extern const char *fault(void);
import "C"

import (
	"fmt"
	"os"
)

func main() {
	if what := C.GoString(C.fault()); what != "" {
		fmt.Println(what)
		os.Exit(1)
	}
	fmt.Println("ok")
}
