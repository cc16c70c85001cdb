// Package sctp finds the user messages in SCTP packets (RFC 9260): the DATA and
// I-DATA chunks of a packet, all of them, each once however often it was sent or
// captured, and the messages that were cut into fragments over several chunks.
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
	PPIDSUA  = 4
	PPIDM2PA = 5
)

// Ports registered with IANA for the same protocols. They decide where a
// sender leaves the payload protocol identifier at 0.
const (
	PortM2UA = 2904
	PortM3UA = 2905
	PortM2PA = 3565
	PortSUA  = 14001
)

const (
	headerLen      = 12 // common header, RFC 9260 §3.1
	chunkLen       = 4  // chunk header, RFC 9260 §3.2
	dataHeaderLen  = 16 // DATA chunk before user data, RFC 9260 §3.3.1
	iDataHeaderLen = 20 // I-DATA chunk before user data, RFC 8260 §2.1
	chunkData      = 0
	chunkIData     = 64
	iDataGroup     = 1 << 63 // in Data.group
)

// Chunk flags, RFC 9260 §3.3.1.
const (
	flagEnd       = 1 << 0
	flagBegin     = 1 << 1
	flagUnordered = 1 << 2
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

// Data is one DATA or I-DATA chunk. Payload aliases the packet.
type Data struct {
	TSN        uint32
	Stream     uint16
	PPID       uint32
	Begin, End bool // both: the whole user message; else a fragment
	Cut        bool // the capture kept less of the payload than was sent
	Payload    []byte
	Frame      uint64 // that it came in, where the reader of a Reassembler wants to know

	// What puts fragments in order: those of DATA are numbered by TSN, those of
	// I-DATA by fragment number within stream, order flag and message (group).
	group uint64
	seq   uint32
}

// Chunks are the chunks of one packet.
type Chunks struct {
	Header
	Data    []Data
	Control int // chunks of other types
}

// Parse reads the common header and every chunk of the packet into c, whose Data is
// used again. Integers are big endian, chunks are padded to 4 octets (RFC 9260 §3.2);
// the last chunk's padding may be missing. If the packet is cut, its last chunk may
// be. On an error the chunks before the broken one are there.
func (c *Chunks) Parse(packet []byte, cut bool) error {
	*c = Chunks{Data: c.Data[:0]}
	if len(packet) < headerLen {
		return errShortHeader
	}
	c.Header = Header{
		SrcPort:         binary.BigEndian.Uint16(packet[0:]),
		DstPort:         binary.BigEndian.Uint16(packet[2:]),
		VerificationTag: binary.BigEndian.Uint32(packet[4:]),
	}
	for rest := packet[headerLen:]; len(rest) > 0; {
		if len(rest) < chunkLen {
			return errShortChunk
		}
		length := int(binary.BigEndian.Uint16(rest[2:]))
		if length < chunkLen {
			return errShortChunk
		}
		chunkCut := length > len(rest)
		if chunkCut && !cut {
			return errChunkLength
		}
		if err := c.chunk(rest[:min(length, len(rest))], chunkCut); err != nil {
			return err
		}
		rest = rest[min((length+3)&^3, len(rest)):]
	}
	return nil
}

// chunk reads one chunk, without its padding.
func (c *Chunks) chunk(b []byte, cut bool) error {
	size := dataHeaderLen
	switch b[0] {
	case chunkData:
	case chunkIData:
		size = iDataHeaderLen
	default:
		c.Control++
		return nil
	}
	if len(b) < size {
		return errShortChunk
	}
	d := Data{
		TSN:     binary.BigEndian.Uint32(b[4:]),
		Stream:  binary.BigEndian.Uint16(b[8:]),
		PPID:    binary.BigEndian.Uint32(b[size-4:]),
		Begin:   b[1]&flagBegin != 0,
		End:     b[1]&flagEnd != 0,
		Cut:     cut,
		Payload: b[size:],
	}
	d.group, d.seq = uint64(d.Stream), d.TSN
	if b[0] == chunkIData {
		message := uint64(binary.BigEndian.Uint32(b[12:]))
		d.group = iDataGroup | uint64(b[1]&flagUnordered)<<60 | uint64(d.Stream)<<32 | message
		if d.seq = 0; !d.Begin {
			d.seq, d.PPID = d.PPID, 0 // one field: RFC 8260 §2.1
		}
	}
	c.Data = append(c.Data, d)
	return nil
}

// Protocol tells which adaptation layer a message belongs to: its payload
// protocol identifier; where that is 0, the one its ports are registered for; where
// it is one of ours in the other byte order, as some senders have it, that one. 0
// means unknown.
func Protocol(h Header, ppid uint32) uint32 {
	if ppid >= 1<<24 && ppid&0xffffff == 0 {
		ppid >>= 24
	}
	switch ppid {
	case PPIDM2UA, PPIDM3UA, PPIDSUA, PPIDM2PA:
		return ppid
	case 0:
	default:
		return 0
	}
	for _, port := range [...]uint16{h.DstPort, h.SrcPort} {
		switch port {
		case PortM3UA:
			return PPIDM3UA
		case PortM2PA:
			return PPIDM2PA
		case PortM2UA:
			return PPIDM2UA
		case PortSUA:
			return PPIDSUA
		}
	}
	return 0
}
