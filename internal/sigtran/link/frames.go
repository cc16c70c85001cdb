package link

import "encoding/binary"

// EtherTypes, as registered with IEEE; 9100 and 9200 were used for outer VLAN tags
// before 802.1ad had a number.
const (
	typeIPv4    = 0x0800
	typeTEB     = 0x6558 // an Ethernet frame, in GRE
	typeVLAN    = 0x8100
	typeIPv6    = 0x86dd
	typeMPLS    = 0x8847
	typeMPLSMC  = 0x8848
	typePPPoE   = 0x8864
	typeQinQ    = 0x88a8
	typeERSPAN2 = 0x88be
	typeQinQ91  = 0x9100
	typeQinQ92  = 0x9200
	typeERSPAN3 = 0x22eb
)

// firstHeader tells what frames of a link type begin with. SLL's header is 16
// octets and ends with the EtherType, SLL2's is 20 and begins with it.
func firstHeader(t Type, b []byte) (next header, rest []byte, ok bool) {
	next = done
	switch t {
	case Ethernet:
		next = atEthernet
	case Raw, DLTRaw, OpenBSDRaw:
		next = atIP
	case IPv4:
		next = atIPv4
	case IPv6:
		next = atIPv6
	case Null, Loop:
		next = atFamily
	case PPP, PPPHDLC, PPPEther:
		next = atPPP
	case CHDLC: // address, control, EtherType: RFC 1547 §4.3.1
		next, b = atEtherType, b[min(2, len(b)):]
	case LinuxSLL:
		next, b = atEtherType, b[min(14, len(b)):]
	case LinuxSLL2:
		next, b = sll2(b)
	case ERF:
		next = atERF
	default:
		return done, b, false
	}
	return next, b, true
}

func sll2(b []byte) (header, []byte) {
	const headerLen = 20
	if len(b) < headerLen {
		return atShort, b
	}
	return dispatch(binary.BigEndian.Uint16(b), b[headerLen:])
}

func ethernet(b []byte) (header, []byte) {
	const addresses = 12
	if len(b) < addresses {
		return atShort, b
	}
	return atEtherType, b[addresses:]
}

// etherType reads an EtherType, or as its value is a length, LLC with a SNAP header
// (RFC 1042).
func etherType(b []byte) (header, []byte) {
	const maxLength = 1500
	const snap = 2 + 6 // length, then LLC's 3 octets and an organization's 3
	if len(b) < 2 {
		return atShort, b
	}
	t := binary.BigEndian.Uint16(b)
	if t <= maxLength && len(b) >= snap+2 && b[2] == 0xaa && b[3] == 0xaa {
		return atEtherType, b[snap:]
	}
	return dispatch(t, b[2:])
}

// dispatch tells the header that an EtherType stands for. Other types end the walk
// as Other.
func dispatch(t uint16, b []byte) (header, []byte) {
	switch t {
	case typeIPv4:
		return atIPv4, b
	case typeIPv6:
		return atIPv6, b
	case typeVLAN, typeQinQ, typeQinQ91, typeQinQ92:
		return skip(b, 2, atEtherType) // tag control information
	case typeMPLS, typeMPLSMC:
		return atMPLS, b
	case typePPPoE:
		return skip(b, 6, atPPP) // version, code, session, length: RFC 2516 §4
	case typeTEB:
		return atEthernet, b
	}
	return done, b
}

func skip(b []byte, n int, next header) (header, []byte) {
	if len(b) < n {
		return atShort, b
	}
	return next, b[n:]
}

// ppp reads a protocol number (RFC 1661 §2): two octets, or one where it is odd and
// compressed; address and control (ff 03) before it may be left out.
func ppp(b []byte) (header, []byte) {
	if len(b) >= 2 && b[0] == 0xff && b[1] == 0x03 {
		b = b[2:]
	}
	if len(b) < 2 {
		return atShort, b
	}
	protocol, n := binary.BigEndian.Uint16(b), 2
	if b[0]&1 == 1 {
		protocol, n = uint16(b[0]), 1
	}
	switch protocol {
	case 0x0021:
		return atIPv4, b[n:]
	case 0x0057:
		return atIPv6, b[n:]
	case 0x0281:
		return atMPLS, b[n:]
	}
	return done, b
}

// mpls takes off the label stack (RFC 3032 §2.1). Nothing names what follows it: IP
// is told by its version, and a zero in its place is the control word before an
// Ethernet frame (RFC 4448 §4.6).
func mpls(b []byte) (header, []byte) {
	const label, bottom = 4, 2
	for range maxDepth {
		if len(b) < label+1 {
			return atShort, b
		}
		last := b[bottom]&1 == 1
		b = b[label:]
		if !last {
			continue
		}
		switch b[0] >> 4 {
		case 4, 6:
			return atIP, b
		case 0:
			return skip(b, label, atEthernet)
		}
		return done, b
	}
	return done, b
}

// family reads the header of BSD's loopback: a protocol family in the byte order of
// the host that captured, or of the network. It is 2 for IPv4; for IPv6 10 (Linux),
// 24, 28 or 30 (BSD).
func family(b []byte) (header, []byte) {
	const size = 4
	if len(b) < size {
		return atShort, b
	}
	f := binary.LittleEndian.Uint32(b)
	if f > 0xffff {
		f = binary.BigEndian.Uint32(b)
	}
	switch f {
	case 2:
		return atIPv4, b[size:]
	case 10, 24, 28, 30:
		return atIPv6, b[size:]
	}
	return done, b
}

// Types of ERF records, from Endace's "Extensible Record Format" as wiretap and
// libpcap read it.
const (
	erfHDLC         = 1
	erfEthernet     = 2
	erfColorHDLC    = 10
	erfColorEth     = 11
	erfDSMColorHDLC = 15
	erfDSMColorEth  = 16
	erfColorHashEth = 20
	erfIPv4         = 22
	erfIPv6         = 23
)

// erf reads a record header of 16 octets: time stamp (8), type, flags, lengths.
// The type's top bit says that extension headers of 8 octets follow, which have the
// same bit; Ethernet has two more octets in front.
func erf(b []byte) (header, []byte) {
	const headerLen, typeAt, extension, more, ethernetPad = 16, 8, 8, 0x80, 2
	if len(b) < headerLen {
		return atShort, b
	}
	record := b[typeAt]
	b = b[headerLen:]
	for follows := record; follows&more != 0; b = b[extension:] {
		if len(b) < extension {
			return atShort, b
		}
		follows = b[0]
	}
	switch record &^ more {
	case erfEthernet, erfColorEth, erfDSMColorEth, erfColorHashEth:
		return skip(b, ethernetPad, atEthernet)
	case erfHDLC, erfColorHDLC, erfDSMColorHDLC:
		return skip(b, 2, atEtherType)
	case erfIPv4:
		return atIPv4, b
	case erfIPv6:
		return atIPv6, b
	}
	return done, b
}
