// Program libpcap compiles a filter and asks it about a packet.
package main

// #cgo LDFLAGS: -lpcap
// #include <pcap/pcap.h>
// #include <stdlib.h>
import "C"

import (
	"fmt"
	"os"
	"unsafe"
)

func main() {
	h := C.pcap_open_dead(C.DLT_RAW, 65535)
	defer C.pcap_close(h)
	// An IPv4 packet (RFC 791 §3.1) of SCTP.
	packet := []byte{0x45, 0, 0, 20, 0, 0, 0, 0, 64, 132, 0, 0, 127, 0, 0, 1, 127, 0, 0, 1}
	for filter, want := range map[string]bool{"sctp": true, "ip and host 127.0.0.1": true, "tcp": false} {
		if got := matches(h, filter, packet); got != want {
			fmt.Printf("%s: %t\n", filter, got)
			os.Exit(1)
		}
	}
	fmt.Println("ok")
}

func matches(h *C.pcap_t, filter string, packet []byte) bool {
	text := C.CString(filter)
	defer C.free(unsafe.Pointer(text))
	var p C.struct_bpf_program
	if C.pcap_compile(h, &p, text, 1, C.PCAP_NETMASK_UNKNOWN) != 0 {
		fmt.Println(C.GoString(C.pcap_geterr(h)))
		os.Exit(1)
	}
	defer C.pcap_freecode(&p)
	size := C.u_int(len(packet))
	return C.bpf_filter(p.bf_insns, (*C.u_char)(unsafe.Pointer(&packet[0])), size, size) != 0
}
