package pcap

import (
	"encoding/binary"
	"errors"
	"slices"

	"github.com/tcapflow/tcapflow/internal/sigtran/link"
)

// ErrNoSend is returned where this system has no packet sockets that could send.
var ErrNoSend = errors.New("frames can be sent on Linux only")

// EtherTypes, IEEE 802.
const (
	etherIPv4 = 0x0800
	etherIPv6 = 0x86dd
)

// Frame is a packet as an Ethernet interface sends it. A packet that was captured with
// another header, of Linux's cooked capture, of BSD's loopback or none, gets a header with empty addresses.
// ok is false for what cannot be sent so. The result is appended to buffer[:0].
func Frame(p Packet, buffer []byte) (frame []byte, ok bool) {
	switch p.Link {
	case link.Ethernet:
		return p.Data, len(p.Data) >= 14
	case link.LinuxSLL: // protocol at 14, data at 16: LINKTYPE_LINUX_SLL
		return cooked(p.Data, 14, 16, buffer)
	case link.LinuxSLL2: // protocol at 0, data at 20: LINKTYPE_LINUX_SLL2
		return cooked(p.Data, 0, 20, buffer)
	case link.Raw, link.DLTRaw, link.OpenBSDRaw, link.IPv4, link.IPv6:
		return ofIP(p.Data, buffer)
	case link.Null, link.Loop: // a protocol family of 4 octets: LINKTYPE_NULL
		return ofIP(p.Data[min(4, len(p.Data)):], buffer)
	}
	return nil, false
}

func cooked(data []byte, protocol, header int, buffer []byte) ([]byte, bool) {
	if len(data) < header {
		return nil, false
	}
	return withHeader(binary.BigEndian.Uint16(data[protocol:]), data[header:], buffer), true
}

// ofIP looks at the version in the first octet, RFC 791 §3.1 and RFC 8200 §3.
func ofIP(data, buffer []byte) ([]byte, bool) {
	if len(data) == 0 {
		return nil, false
	}
	switch data[0] >> 4 {
	case 4:
		return withHeader(etherIPv4, data, buffer), true
	case 6:
		return withHeader(etherIPv6, data, buffer), true
	}
	return nil, false
}

// withHeader puts two empty addresses of six octets and the type before the data.
func withHeader(etherType uint16, data, buffer []byte) []byte {
	frame := slices.Grow(buffer[:0], 14+len(data))[:12]
	clear(frame)
	frame = binary.BigEndian.AppendUint16(frame, etherType)
	return append(frame, data...)
}
