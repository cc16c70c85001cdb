package link

import "encoding/binary"

const (
	phdrLen       = 4 // sent, annex A used, link number (2): linktypes.html, MTP2_WITH_PHDR
	basicLen      = 3 // BSN, FSN, length indicator: ITU-T Q.703 §2.2
	extendedLen   = 6 // the same in Annex A: 12, 12 and 9 bits, 2 octets each
	lastStatus    = 2 // greatest length indicator of a unit that is no message, Q.703 §2.2.3
	basicUnbound  = 63
	annexAYes     = 1
	annexAUnknown = 2
)

// mtp2 returns the MTP3 message of a message signal unit. Its length indicator
// counts the octets after it; 63 stands for 63 and more. Some captures have a check
// sequence after that.
func mtp2(b []byte, cut bool) (Packet, error) {
	if len(b) < basicLen {
		return Packet{Cut: cut}, errShort
	}
	indicator := int(b[2] & 0x3f)
	return signalUnit(b[basicLen:], indicator, indicator == basicUnbound, cut)
}

// mtp2AnnexA does the same for the 12-bit sequence numbers of high-speed links,
// Q.703 Annex A §A.2: each field is little endian.
func mtp2AnnexA(b []byte, cut bool) (Packet, error) {
	if len(b) < extendedLen {
		return Packet{Cut: cut}, errShort
	}
	indicator := int(binary.LittleEndian.Uint16(b[4:]) & 0x1ff)
	return signalUnit(b[extendedLen:], indicator, false, cut)
}

func signalUnit(b []byte, indicator int, unbound, cut bool) (Packet, error) {
	switch {
	case indicator <= lastStatus:
		return Packet{Kind: FillIn, Cut: cut}, nil
	case unbound && len(b) >= indicator:
	case len(b) >= indicator:
		b = b[:indicator]
	case !cut:
		return Packet{}, errLength
	}
	return Packet{Kind: ToMTP3, Payload: b, Cut: cut}, nil
}

// mtp2Phdr reads the pseudo-header: its second octet tells whether Annex A is used.
// Where that is not known, the form whose length indicator fits the frame is taken.
func mtp2Phdr(b []byte, cut bool) (Packet, error) {
	if len(b) < phdrLen {
		return Packet{Cut: cut}, errShort
	}
	annexA, b := b[1], b[phdrLen:]
	switch annexA {
	case annexAYes:
		return mtp2AnnexA(b, cut)
	case annexAUnknown:
		if p, err := mtp2(b, false); err == nil && fits(len(b)-basicLen, len(p.Payload)) {
			return p, nil
		}
		return mtp2AnnexA(b, cut)
	}
	return mtp2(b, cut)
}

// fits tells whether a unit has no more after its end than a check sequence.
func fits(have, used int) bool { return have-used <= 2 }
