// Program libusb starts the library and asks it for devices; a container has none.
package main

// #cgo pkg-config: libusb-1.0
// #include <libusb.h>
import "C"

import (
	"fmt"
	"os"
)

func main() {
	v := C.libusb_get_version()
	if v.major != 1 || v.micro < 28 {
		fmt.Println("version", v.major, v.minor, v.micro)
		os.Exit(1)
	}
	// A container has no folder of devices, which the library wants to find, be it empty.
	if err := os.MkdirAll("/dev/bus/usb", 0o755); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	var context *C.libusb_context
	if code := C.libusb_init_context(&context, nil, 0); code != 0 {
		fmt.Println("libusb_init_context:", C.GoString(C.libusb_error_name(code)))
		os.Exit(1)
	}
	defer C.libusb_exit(context)
	var list **C.libusb_device
	if n := C.libusb_get_device_list(context, &list); n < 0 {
		fmt.Println("libusb_get_device_list:", C.GoString(C.libusb_error_name(C.int(n))))
		os.Exit(1)
	}
	C.libusb_free_device_list(list, 1)
	fmt.Println("ok")
}
