// Package sctp finds the user messages in SCTP packets (RFC 9260): the DATA
// chunks of one packet, all of them, and the messages that were cut into
// fragments over several chunks.
//
// Checksums are not verified: a capture on the sending host sees packets
// before the network card fills them in.
package sctp

import (
	"encoding/binary"
	"errors"
)

// Payload protocol identifiers of the SS7 adaptation layers, as registered
// with IANA (SCTP payload protocol identifiers).
const (
	PPIDM2UA = 2
	PPIDM3UA = 3
	PPIDM2PA = 5
)

// Ports registered with IANA for the same protocols. They decide where a
// sender leaves the payload protocol identifier at 0.
const (
	PortM2UA = 2904
	PortM3UA = 2905
	PortM2PA = 3565
)

const (
	headerLen     = 12 // common header, RFC 9260 §3.1
	chunkLen      = 4  // chunk header, RFC 9260 §3.2
	dataHeaderLen = 16 // DATA chunk before user data, RFC 9260 §3.3.1
	chunkData     = 0
)

// DATA chunk flags, RFC 9260 §3.3.1.
const (
	flagEnd   = 1 << 0
	flagBegin = 1 << 1
)

var (
	errShortHeader = errors.New("packet shorter than the 12 octet common header")
	errShortChunk  = errors.New("chunk shorter than its header")
	errChunkLength = errors.New("chunk length runs past the packet")
)

// Header is the SCTP common header.
type Header struct {
	SrcPort, DstPort uint16
	VerificationTag  uint32
}

// Data is one DATA chunk. Payload aliases the packet.
type Data struct {
	TSN        uint32
	Stream     uint16
	PPID       uint32
	Begin, End bool // both: the whole user message; else a fragment
	Payload    []byte
}

// Parse reads the common header and appends every DATA chunk of the packet to
// dst, in order; other chunk types are stepped over. Integers are big endian,
// chunks are padded to 4 octets (RFC 9260 §3.2); the last chunk's padding may
// be missing. On an error the chunks before the broken one are returned too.
func Parse(packet []byte, dst []Data) (Header, []Data, error) {
	if len(packet) < headerLen {
		return Header{}, dst, errShortHeader
	}
	h := Header{
		SrcPort:         binary.BigEndian.Uint16(packet[0:]),
		DstPort:         binary.BigEndian.Uint16(packet[2:]),
		VerificationTag: binary.BigEndian.Uint32(packet[4:]),
	}
	for rest := packet[headerLen:]; len(rest) > 0; {
		if len(rest) < chunkLen {
			return h, dst, errShortChunk
		}
		length := int(binary.BigEndian.Uint16(rest[2:]))
		if length < chunkLen {
			return h, dst, errShortChunk
		}
		if length > len(rest) {
			return h, dst, errChunkLength
		}
		if rest[0] == chunkData {
			if length < dataHeaderLen {
				return h, dst, errShortChunk
			}
			dst = append(dst, Data{
				TSN:     binary.BigEndian.Uint32(rest[4:]),
				Stream:  binary.BigEndian.Uint16(rest[8:]),
				PPID:    binary.BigEndian.Uint32(rest[12:]),
				Begin:   rest[1]&flagBegin != 0,
				End:     rest[1]&flagEnd != 0,
				Payload: rest[dataHeaderLen:length],
			})
		}
		rest = rest[min((length+3)&^3, len(rest)):]
	}
	return h, dst, nil
}

// Protocol tells which adaptation layer a message belongs to: its payload
// protocol identifier, or where that is 0 the one its ports are registered
// for. 0 means unknown.
func Protocol(h Header, ppid uint32) uint32 {
	if ppid != 0 {
		return ppid
	}
	for _, port := range [...]uint16{h.DstPort, h.SrcPort} {
		switch port {
		case PortM3UA:
			return PPIDM3UA
		case PortM2PA:
			return PPIDM2PA
		case PortM2UA:
			return PPIDM2UA
		}
	}
	return 0
}
