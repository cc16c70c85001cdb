package link

import "encoding/binary"

// UDP ports that are registered for tunnels; 8472 is the one that Linux took for
// VXLAN before there was a number.
const (
	portGTPU       = 2152 // 3GPP TS 29.281 §4.4.2
	portVXLAN      = 4789 // RFC 7348 §8
	portVXLANLinux = 8472
	portSCTP       = 9899 // RFC 6951 §4.1
)

// udp goes on with what a tunnel's port stands for.
func (w *walk) udp(b []byte) (header, []byte, error) {
	const headerLen, vxlanLen = 8, 8
	if len(b) < headerLen {
		return atShort, b, nil
	}
	src, dst := binary.BigEndian.Uint16(b), binary.BigEndian.Uint16(b[2:])
	b = b[headerLen:]
	if src == portSCTP || dst == portSCTP {
		return w.end(ToSCTP, b)
	}
	switch dst {
	case portVXLAN, portVXLANLinux:
		next, b := skip(b, vxlanLen, atEthernet)
		return next, b, nil
	case portGTPU:
		next, b := gtpu(b)
		return next, b, nil
	}
	return w.end(Other, b)
}

// gtpu reads the header of a G-PDU (3GPP TS 29.281 §5.1): flags, type, length (2
// octets), tunnel (4). One flag of three adds sequence number (2 octets), N-PDU
// number and the type of an extension header; those have their length, in units of
// 4 octets, in front and the next one's type at their end.
func gtpu(b []byte) (header, []byte) {
	const headerLen, optionalLen, version1, gPDU, extension = 8, 4, 1, 255, 4
	if len(b) < headerLen {
		return atShort, b
	}
	flags := b[0]
	if flags>>5 != version1 || b[1] != gPDU {
		return done, b
	}
	b = b[headerLen:]
	if flags&7 == 0 {
		return atIP, b
	}
	if len(b) < optionalLen {
		return atShort, b
	}
	next := b[optionalLen-1]
	b = b[optionalLen:]
	for flags&extension != 0 && next != 0 {
		if len(b) == 0 || b[0] == 0 || int(b[0])*4 > len(b) {
			return atShort, b
		}
		n := int(b[0]) * 4
		next, b = b[n-1], b[n:]
	}
	return atIP, b
}

// gre reads a GRE header (RFC 2784, RFC 2890): flags, protocol type, then 4 octets
// each for checksum, key and sequence number where their flag is set. ERSPAN type II
// has a sequence number and a header of 8 octets, type I neither; type III's is 12
// octets, and 8 more where its last bit says so
// (https://datatracker.ietf.org/doc/html/draft-foschiano-erspan-03).
func gre(b []byte) (header, []byte) {
	const headerLen, field, hasChecksum, hasKey, hasSequence, version = 4, 4, 0x80, 0x20, 0x10, 7
	if len(b) < headerLen {
		return atShort, b
	}
	flags, t := b[0], binary.BigEndian.Uint16(b[2:])
	if b[1]&version != 0 {
		return done, b
	}
	n := headerLen
	for _, bit := range [...]byte{hasChecksum, hasKey, hasSequence} {
		if flags&bit != 0 {
			n += field
		}
	}
	if len(b) < n {
		return atShort, b
	}
	b = b[n:]
	switch {
	case t == typeERSPAN2 && flags&hasSequence == 0:
		return atEthernet, b
	case t == typeERSPAN2:
		return skip(b, 8, atEthernet)
	case t == typeERSPAN3 && len(b) >= 12 && b[11]&1 == 1:
		return skip(b, 20, atEthernet)
	case t == typeERSPAN3:
		return skip(b, 12, atEthernet)
	}
	return dispatch(t, b)
}
