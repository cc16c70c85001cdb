package main

/*
#include <stdlib.h>
#include "threads.h"
*/
import "C"

import (
	"context"
	"fmt"
	"net"
	"os"
	"strings"
	"time"
	"unsafe"
)

// name is known to the server below alone, at address.
const name = "torture.test."

var address = [4]byte{192, 0, 2, 53}

// resolvers asks Go's resolver and the C library's for a name. The latter asks port 53 of
// what /etc/resolv.conf names: it is asked only where that is this program.
func resolvers() error {
	conf, _ := os.ReadFile("/etc/resolv.conf")
	c := strings.TrimSpace(string(conf)) == "nameserver 127.0.0.1"
	at := "127.0.0.1:0"
	if c {
		at = "127.0.0.1:53"
	}
	server, err := net.ListenPacket("udp4", at)
	if err != nil {
		return err
	}
	defer server.Close()
	go answer(server)
	r := net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return net.Dial("udp4", server.LocalAddr().String())
	}}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	got, err := r.LookupIP(ctx, "ip4", name)
	if err != nil || len(got) != 1 || !got[0].Equal(net.IP(address[:])) {
		return fmt.Errorf("Go's resolver says %v (%v)", got, err)
	}
	if !c {
		fmt.Println("/etc/resolv.conf names another server: the C library's resolver is not asked")
		return nil
	}
	text := C.CString(name)
	defer C.free(unsafe.Pointer(text))
	want := uint32(address[0])<<24 | uint32(address[1])<<16 | uint32(address[2])<<8 | uint32(address[3])
	if got := uint32(C.resolve(text)); got != want {
		return fmt.Errorf("the C library's resolver says %#x, want %#x", got, want)
	}
	return nil
}

// answer gives each question the one A record (RFC 1035 §4.1), and no AAAA record.
func answer(server net.PacketConn) {
	buffer := make([]byte, 512)
	for {
		n, from, err := server.ReadFrom(buffer)
		if err != nil {
			return
		}
		end := 12 // of the header; then the labels, then type and class
		for end < n && buffer[end] != 0 {
			end += int(buffer[end]) + 1
		}
		if end += 5; end > n {
			continue
		}
		reply := append([]byte{}, buffer[:end]...)
		copy(reply[2:12], []byte{0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0}) // an answer, no error
		if buffer[end-3] == 1 {                                       // type A
			reply[7] = 1
			reply = append(reply, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4)
			reply = append(reply, address[:]...)
		}
		if _, err := server.WriteTo(reply, from); err != nil {
			return
		}
	}
}
