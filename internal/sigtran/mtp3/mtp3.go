// Package mtp3 reads MTP level 3 messages with the ITU-T routing label
// (ITU-T Q.704 §2.2 and §14.2).
package mtp3

import (
	"encoding/binary"
	"errors"
)

// SCCP is the service indicator of the signalling connection control part
// (ITU-T Q.704 §14.2.1).
const SCCP = 3

const labelLen = 1 + 4 // service information octet and routing label

var errShort = errors.New("message shorter than its 5 octet label")

// Message is an MTP3 message; Data, the user part, aliases the input. Point
// codes are ITU's 14 bits from a routing label, and up to 24 bits (ANSI,
// China) where M3UA gives them.
type Message struct {
	OPC, DPC         uint32
	ServiceIndicator byte
	NetworkIndicator byte
	SLS              byte
	Data             []byte
}

// Parse reads the service information octet (network indicator in the top two
// bits, service indicator in the low four) and the routing label: 32 bits,
// little endian, of which from the lowest 14 are the destination point code,
// 14 the originating point code and 4 the signalling link selection.
func Parse(b []byte) (Message, error) {
	if len(b) < labelLen {
		return Message{}, errShort
	}
	label := binary.LittleEndian.Uint32(b[1:])
	return Message{
		DPC:              label & 0x3fff,
		OPC:              label >> 14 & 0x3fff,
		SLS:              byte(label >> 28),
		ServiceIndicator: b[0] & 0x0f,
		NetworkIndicator: b[0] >> 6,
		Data:             b[labelLen:],
	}, nil
}
