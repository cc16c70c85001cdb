package link

import (
	"encoding/binary"
	"net/netip"
)

// Protocol numbers as registered with IANA. The first ones after protoSCTP are
// IPv6's extension headers.
const (
	protoIPv4     = 4
	protoUDP      = 17
	protoIPv6     = 41
	protoGRE      = 47
	protoSCTP     = 132
	protoHopByHop = 0
	protoRouting  = 43
	protoFragment = 44
	protoAuth     = 51
	protoOptions  = 60
	protoMobility = 135
)

func ipVersion(b []byte) header {
	switch {
	case len(b) == 0:
		return atShort
	case b[0]>>4 == 6:
		return atIPv6
	}
	return atIPv4
}

// ipv4 reads an IPv4 header (RFC 791 §3.1). Ethernet pads short packets, and so the
// header's length counts; a length of 0 is left by hosts whose network card cuts
// large packets up.
func (w *walk) ipv4(b []byte) (header, []byte, error) {
	const minHeader, moreFragments, offsetMask = 20, 0x2000, 0x1fff
	if len(b) < minHeader {
		return done, b, errShort
	}
	size, total := int(b[0]&0x0f)*4, int(binary.BigEndian.Uint16(b[2:]))
	if b[0]>>4 != 4 || size < minHeader || size > len(b) || total != 0 && total < size {
		return done, b, errLength
	}
	whole, err := w.clamp(b, total)
	if err != nil {
		return done, b, err
	}
	w.Src = netip.AddrFrom4([4]byte(b[12:]))
	w.Dst = netip.AddrFrom4([4]byte(b[16:]))
	field := binary.BigEndian.Uint16(b[6:])
	if field&(moreFragments|offsetMask) == 0 {
		return w.upper(b[9], whole[size:])
	}
	return w.fragment(piece{
		datagram: datagram{w.Src, w.Dst, uint32(binary.BigEndian.Uint16(b[4:])), b[9]},
		offset:   int(field&offsetMask) * 8,
		last:     field&moreFragments == 0,
		data:     whole[size:],
	})
}

// clamp takes off what follows a packet of total octets.
func (w *walk) clamp(b []byte, total int) ([]byte, error) {
	switch {
	case total == 0:
		return b, nil
	case total <= len(b):
		return b[:total], nil
	case w.Cut:
		return b, nil
	}
	return nil, errLength
}

// ipv6 reads an IPv6 header and the extension headers after it (RFC 8200 §3, §4).
func (w *walk) ipv6(b []byte) (header, []byte, error) {
	const headerLen = 40
	if len(b) < headerLen {
		return done, b, errShort
	}
	total := int(binary.BigEndian.Uint16(b[4:]))
	if total != 0 {
		total += headerLen
	}
	whole, err := w.clamp(b, total)
	if err != nil {
		return done, b, err
	}
	w.Src = netip.AddrFrom16([16]byte(b[8:]))
	w.Dst = netip.AddrFrom16([16]byte(b[24:]))
	next, b := b[6], whole[headerLen:]
	for range maxDepth {
		size := extensionLen(next, b)
		if size == 0 {
			return w.upper(next, b)
		}
		if size > len(b) {
			return done, b, errShort
		}
		if next == protoFragment {
			return w.fragment6(b)
		}
		next, b = b[0], b[size:]
	}
	return done, b, errDepth
}

// extensionLen is the length of an extension header; 0 for what is none.
func extensionLen(next byte, b []byte) int {
	const fragmentLen = 8
	switch next {
	case protoHopByHop, protoRouting, protoOptions, protoMobility:
		if len(b) < 2 {
			return fragmentLen
		}
		return 8 * (1 + int(b[1]))
	case protoAuth: // RFC 4302 §2.2: in units of 4 octets, minus 2
		if len(b) < 2 {
			return fragmentLen
		}
		return 4 * (2 + int(b[1]))
	case protoFragment:
		return fragmentLen
	}
	return 0
}

// fragment6 reads a fragment header (RFC 8200 §4.5). An offset of 0 with nothing to
// follow is a whole packet, RFC 6946.
func (w *walk) fragment6(b []byte) (header, []byte, error) {
	const headerLen, more = 8, 1
	field := binary.BigEndian.Uint16(b[2:])
	if field&^6 == 0 {
		return w.upper(b[0], b[headerLen:])
	}
	return w.fragment(piece{
		datagram: datagram{w.Src, w.Dst, binary.BigEndian.Uint32(b[4:]), b[0]},
		offset:   int(field &^ 7),
		last:     field&more == 0,
		data:     b[headerLen:],
	})
}

// fragment keeps a piece of a datagram, and goes on with the datagram if it is the
// last one that was missing. Without its own end a piece is of no use.
func (w *walk) fragment(p piece) (header, []byte, error) {
	if w.Cut {
		return w.end(Fragment, nil)
	}
	p.frame = w.decoder.Frame
	whole, ok := w.decoder.fragments.add(p, w.now)
	if !ok {
		return w.end(Fragment, nil)
	}
	return w.upper(p.protocol, whole)
}

// upper goes on with what an IP packet carries.
func (w *walk) upper(protocol byte, b []byte) (header, []byte, error) {
	switch protocol {
	case protoSCTP:
		return w.end(ToSCTP, b)
	case protoIPv4:
		return atIPv4, b, nil
	case protoIPv6:
		return atIPv6, b, nil
	case protoGRE:
		next, b := gre(b)
		return next, b, nil
	case protoUDP:
		return w.udp(b)
	}
	return w.end(Other, b)
}
