//go:build linux

// Command helper is put into test containers, also into those that have no other
// program: it needs no library, no shell and, to replay, only CAP_NET_RAW.
//
//	helper hold                    does nothing until it is killed: a main process
//	helper replay INTERFACE FILE   sends the Ethernet frames of a pcap file, packet(7)
//	helper relro PROGRAM FILE COMMAND…
//	                               runs a command that reads a pcap file from its standard input, and
//	                               checks that PT_GNU_RELRO of the program is read-only meanwhile
//
// It is compiled for the containers' Linux, on whatever host.
package main

import (
	"encoding/binary"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func main() {
	var err error
	switch {
	case len(os.Args) == 2 && os.Args[1] == "hold":
		time.Sleep(1<<63 - 1)
	case len(os.Args) == 4 && os.Args[1] == "replay":
		err = replay(os.Args[2], os.Args[3])
	case len(os.Args) > 4 && os.Args[1] == "relro":
		err = checkRelro(os.Args[2], os.Args[3], os.Args[4:])
	default:
		err = fmt.Errorf("wrong use: %q", os.Args)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "helper:", err)
		os.Exit(1)
	}
}

func replay(device, file string) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	frames, err := parse(data)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	index, err := interfaceIndex(device)
	if err != nil {
		return err
	}
	socket, err := syscall.Socket(syscall.AF_PACKET, syscall.SOCK_RAW, 0) // 0: it receives nothing
	if err != nil {
		return os.NewSyscallError("socket", err)
	}
	defer syscall.Close(socket)
	for _, frame := range frames {
		if err := syscall.Sendto(socket, frame, 0, &syscall.SockaddrLinklayer{Ifindex: index}); err != nil {
			return os.NewSyscallError("sendto", err)
		}
	}
	return nil
}

// interfaceIndex reads sysfs: package net takes 15 s to compile where it never was.
func interfaceIndex(device string) (int, error) {
	text, err := os.ReadFile("/sys/class/net/" + device + "/ifindex")
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimSpace(string(text)))
}

// pcapHeader is the length of a pcap file's header, octets.
const pcapHeader = 24

// parse takes the frames out of a little-endian pcap file, draft-ietf-opsawg-pcap: a
// header of 24 octets; then 16 octets, the third word of which is the length, before each frame.
func parse(data []byte) ([][]byte, error) {
	const ethernet = 1
	word := binary.LittleEndian.Uint32
	if len(data) < pcapHeader || word(data) != 0xa1b2c3d4 && word(data) != 0xa1b23c4d || word(data[20:])&0xffff != ethernet {
		return nil, fmt.Errorf("not a little-endian pcap file of Ethernet frames")
	}
	var frames [][]byte
	for data = data[pcapHeader:]; len(data) > 0; {
		if len(data) < 16 || uint64(len(data)) < 16+uint64(word(data[8:])) {
			return nil, fmt.Errorf("cut short in frame %d", len(frames)+1)
		}
		end := 16 + int(word(data[8:]))
		frames = append(frames, data[16:end])
		data = data[end:]
	}
	return frames, nil
}
