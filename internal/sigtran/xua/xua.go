// Package xua reads the message framing that the SIGTRAN user adaptation
// layers share: a common header and a list of parameters (RFC 4666 §3.1 and
// §3.2 for M3UA; RFC 3331 §3.1 for M2UA is the same).
package xua

import (
	"encoding/binary"
	"errors"
	"fmt"
)

const (
	headerLen      = 8
	paramHeaderLen = 4
	version        = 1
)

var (
	errShort     = errors.New("message shorter than the 8 octet common header")
	errLength    = errors.New("message length disagrees with the chunk")
	errParameter = errors.New("parameter length runs past the message")
)

// Message is one adaptation layer message. Params aliases the input.
type Message struct {
	Class, Type byte
	Params      []byte
}

// Parse reads the common header: version (1), reserved, class, type, and the
// length of the whole message in octets, big endian. Some senders leave the
// padding of the last parameter out of the length, others out of the message:
// both are taken (RFC 4666 §3.1.4).
func Parse(b []byte) (Message, error) {
	if len(b) < headerLen {
		return Message{}, errShort
	}
	if b[0] != version {
		return Message{}, fmt.Errorf("version %d, want %d", b[0], version)
	}
	length := binary.BigEndian.Uint32(b[4:])
	if length < headerLen || length > uint32(len(b))+3 {
		return Message{}, errLength
	}
	return Message{Class: b[2], Type: b[3], Params: b[headerLen:min(int(length), len(b))]}, nil
}

// Param returns the value of the first parameter with this tag; ok is false
// when there is none. A parameter is tag and length (2 octets each, big endian,
// the length counting both), value, and padding to 4 octets.
func (m Message) Param(tag uint16) (value []byte, ok bool, err error) {
	for rest := m.Params; len(rest) > 0; {
		if len(rest) < paramHeaderLen {
			return nil, false, errParameter
		}
		length := int(binary.BigEndian.Uint16(rest[2:]))
		if length < paramHeaderLen || length > len(rest) {
			return nil, false, errParameter
		}
		if binary.BigEndian.Uint16(rest) == tag {
			return rest[paramHeaderLen:length], true, nil
		}
		rest = rest[min((length+3)&^3, len(rest)):]
	}
	return nil, false, nil
}
