package sigtrantest

import (
	"encoding/binary"
	"net/netip"
	"slices"
)

// Chunk is a DATA chunk; flags 3 make it a whole message, 2 its first fragment,
// 1 its last.
func Chunk(tsn uint32, ppid uint32, flags byte, payload []byte) []byte {
	b := binary.BigEndian.AppendUint16([]byte{0, flags}, uint16(16+len(payload)))
	b = binary.BigEndian.AppendUint32(b, tsn)
	b = append(b, 0, 1, 0, 0)
	b = binary.BigEndian.AppendUint32(b, ppid)
	return pad(append(b, payload...))
}

// IData is an I-DATA chunk of a message; ppid is the fragment number where flags do
// not say that it is the first.
func IData(tsn, message, ppid uint32, flags byte, payload []byte) []byte {
	b := binary.BigEndian.AppendUint16([]byte{64, flags}, uint16(20+len(payload)))
	b = binary.BigEndian.AppendUint32(b, tsn)
	b = append(b, 0, 1, 0, 0)
	b = binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(b, message), ppid)
	return pad(append(b, payload...))
}

// SCTP is a packet on M3UA's port at both ends.
func SCTP(chunks ...[]byte) []byte { return SCTPPort(2905, chunks...) }

// SCTPPort is a packet on this port at both ends.
func SCTPPort(port uint16, chunks ...[]byte) []byte {
	ports := []byte{byte(port >> 8), byte(port), byte(port >> 8), byte(port)}
	return slices.Concat(ports, []byte{0xde, 0xad, 0xbe, 0xef, 0, 0, 0, 0}, slices.Concat(chunks...))
}

// Protocol numbers of IPv4 and IPv6.
const (
	ProtoUDP  = 17
	ProtoGRE  = 47
	ProtoSCTP = 132
)

// IPv4 is a packet from 192.0.2.SRC to 192.0.2.DST. The verification tag of an SCTP
// packet is made one of this direction.
func IPv4(src, dst, protocol byte, payload []byte) []byte {
	if protocol == ProtoSCTP && len(payload) >= 8 {
		payload = slices.Clone(payload)
		payload[6], payload[7] = src, dst
	}
	return IPv4Fragment(src, dst, protocol, 0, 0, false, payload)
}

// IPv4Fragment is one piece of a datagram; the offset is in octets.
func IPv4Fragment(src, dst, protocol byte, id uint16, offset int, more bool, payload []byte) []byte {
	field := uint16(offset / 8)
	if more {
		field |= 0x2000
	}
	b := binary.BigEndian.AppendUint16([]byte{0x45, 0}, uint16(20+len(payload)))
	b = binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(b, id), field)
	b = append(b, 64, protocol, 0, 0, 192, 0, 2, src, 192, 0, 2, dst)
	binary.BigEndian.PutUint16(b[10:], checksum(b))
	return append(b, payload...)
}

// checksum is that of an IP header, RFC 1071.
func checksum(b []byte) uint16 {
	var sum uint32
	for i := 0; i+1 < len(b); i += 2 {
		sum += uint32(binary.BigEndian.Uint16(b[i:]))
	}
	for sum > 0xffff {
		sum = sum&0xffff + sum>>16
	}
	return ^uint16(sum)
}

// IPv6 is a packet from 2001:db8::SRC to 2001:db8::DST.
func IPv6(src, dst, next byte, payload []byte) []byte {
	b := binary.BigEndian.AppendUint16([]byte{0x60, 0, 0, 0}, uint16(len(payload)))
	b = append(b, next, 64)
	for _, host := range []byte{src, dst} {
		a := netip.MustParseAddr("2001:db8::").As16()
		a[15] = host
		b = append(b, a[:]...)
	}
	return append(b, payload...)
}

// UDP is a datagram.
func UDP(src, dst uint16, payload []byte) []byte {
	b := binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(nil, src), dst)
	b = binary.BigEndian.AppendUint16(b, uint16(8+len(payload)))
	return slices.Concat(b, []byte{0, 0}, payload)
}

// Ethernet is a frame; types are the EtherTypes: the last one is the payload's, those
// before are VLAN tags'.
func Ethernet(payload []byte, types ...uint16) []byte {
	b := []byte{2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1}
	for i, t := range types {
		b = binary.BigEndian.AppendUint16(b, t)
		if i < len(types)-1 {
			b = append(b, 0, 42)
		}
	}
	return append(b, payload...)
}

// Frame is an Ethernet frame with an IPv4 packet from 192.0.2.SRC to
// 192.0.2.DST, in a VLAN unless that is 0.
func Frame(src, dst byte, vlan uint16, sctp []byte) []byte {
	b := []byte{2, 0, 0, 0, 0, dst, 2, 0, 0, 0, 0, src}
	if vlan != 0 {
		b = binary.BigEndian.AppendUint16(append(b, 0x81, 0), vlan)
	}
	return slices.Concat(b, []byte{8, 0}, IPv4(src, dst, ProtoSCTP, sctp))
}
