// Package mtp3 reads MTP level 3 messages with the routing labels of four
// standards: ITU-T Q.704, ANSI T1.111.4, China's GF 001-9001 and Japan's TTC JT-Q704.
package mtp3

import (
	"encoding/binary"
	"errors"
)

// SCCP is the service indicator of the signalling connection control part
// (ITU-T Q.704 §14.2.1).
const SCCP = 3

// Standard tells how point codes, labels and party addresses are laid out.
type Standard byte

// The standards, by their length of a point code: 14, 24, 24 and 16 bits.
const (
	ITU Standard = iota
	ANSI
	China
	Japan
	Standards // how many there are
)

var names = [Standards]string{"itu", "ansi", "china", "japan"}

func (s Standard) String() string { return names[s] }

// ParseStandard is the inverse of String.
func ParseStandard(name string) (Standard, bool) {
	for i, n := range names {
		if n == name {
			return Standard(i), true
		}
	}
	return 0, false
}

var errShort = errors.New("message shorter than its label")

// Message is an MTP3 message; Data, the user part, aliases the input.
type Message struct {
	OPC, DPC         uint32
	ServiceIndicator byte
	NetworkIndicator byte
	SLS              byte
	Data             []byte
}

// labelLens are the octets of service information octet and routing label.
var labelLens = [Standards]int{ITU: 1 + 4, ANSI: 1 + 7, China: 1 + 7, Japan: 1 + 5}

// Service returns the service indicator of a message, which is at the same place in
// all standards; ok is false if it is empty.
func Service(b []byte) (indicator byte, ok bool) {
	if len(b) == 0 {
		return 0, false
	}
	return b[0] & 0x0f, true
}

// Parse reads the service information octet (network indicator in the top two
// bits, service indicator in the low four) and the routing label, little endian:
// destination point code, originating point code, signalling link selection. In
// ITU's they have 14, 14 and 4 bits (Q.704 §2.2, §14.2), in ANSI's 24, 24 and 8 (of
// which 5 to 8 are used), in China's 24, 24 and 4, in Japan's 16, 16 and 4, in octets
// of their own.
func Parse(b []byte, s Standard) (Message, error) {
	n := labelLens[s]
	if len(b) < n {
		return Message{}, errShort
	}
	m := Message{ServiceIndicator: b[0] & 0x0f, NetworkIndicator: b[0] >> 6, Data: b[n:]}
	switch s {
	case ITU:
		label := binary.LittleEndian.Uint32(b[1:])
		m.DPC, m.OPC, m.SLS = label&0x3fff, label>>14&0x3fff, byte(label>>28)
	case Japan:
		m.DPC = uint32(binary.LittleEndian.Uint16(b[1:]))
		m.OPC = uint32(binary.LittleEndian.Uint16(b[3:]))
		m.SLS = b[5] & 0x0f
	case ANSI, China:
		m.DPC, m.OPC = code24(b[1:]), code24(b[4:])
		if m.SLS = b[7]; s == China {
			m.SLS &= 0x0f
		}
	}
	return m, nil
}

func code24(b []byte) uint32 { return uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 }
