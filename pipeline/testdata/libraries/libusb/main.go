// Program libusb starts the library and asks it for its version; a container has no devices.
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
	// A container has no bus, and the library wants to find one, be it empty.
	if err := os.MkdirAll("/dev/bus/usb/001", 0o755); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	// The kernel may have no USB at all: devices are not searched for.
	option := C.struct_libusb_init_option{option: C.LIBUSB_OPTION_NO_DEVICE_DISCOVERY}
	var context *C.libusb_context
	if code := C.libusb_init_context(&context, &option, 1); code != 0 {
		fmt.Println("libusb_init_context:", C.GoString(C.libusb_error_name(code)))
		os.Exit(1)
	}
	defer C.libusb_exit(context)
	fmt.Println("ok")
}
