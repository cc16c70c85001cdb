// Package xua reads the message framing that the SIGTRAN user adaptation
// layers share: a common header and a list of parameters (RFC 4666 §3.1 and
// §3.2 for M3UA; RFC 3331 §3.1 for M2UA and RFC 3868 §3.1 for SUA are the same).
package xua

import (
	"encoding/binary"
	"errors"
)

const (
	headerLen      = 8
	paramHeaderLen = 4
	version        = 1
	maxPadding     = 3
)

var (
	errShort     = errors.New("message shorter than the 8 octet common header")
	errVersion   = errors.New("version is not 1")
	errLength    = errors.New("message length disagrees with the chunk")
	errParameter = errors.New("parameter length runs past the message")
)

// Message is one adaptation layer message. Params aliases the input.
type Message struct {
	Class, Type byte
	Params      Params
}

// Parse reads the first message of b and returns what follows it: nothing, padding,
// or another message. The common header is version (1), reserved, class, type, and
// the length of the whole message in octets, big endian. Some senders leave the
// padding of the last parameter out of the length, others out of the message: both
// are taken (RFC 4666 §3.1.4). If b is cut, so may be the message.
func Parse(b []byte, cut bool) (m Message, rest []byte, err error) {
	if len(b) < headerLen {
		return m, nil, errShort
	}
	if b[0] != version {
		return m, nil, errVersion
	}
	length := binary.BigEndian.Uint32(b[4:])
	if length < headerLen || !cut && length > uint32(len(b))+maxPadding {
		return m, nil, errLength
	}
	end := int(min(length, uint32(len(b))))
	m = Message{Class: b[2], Type: b[3], Params: Params{b: b[headerLen:end], cut: cut}}
	rest = b[end:]
	return m, rest[min(-end&3, len(rest)):], nil
}

// Params are the parameters of a message that are still to be read.
type Params struct {
	b   []byte
	cut bool
}

// Next reads a parameter; ok is false after the last one. It is tag and length (2
// octets each, big endian, the length counting both), value, and padding to 4
// octets. If the message is cut, so may be the value of the last one.
func (p *Params) Next() (tag uint16, value []byte, ok bool, err error) {
	b := p.b
	if len(b) == 0 {
		return 0, nil, false, nil
	}
	p.b = nil
	if len(b) < paramHeaderLen {
		return 0, nil, false, errParameter
	}
	tag = binary.BigEndian.Uint16(b)
	length := int(binary.BigEndian.Uint16(b[2:]))
	if length < paramHeaderLen || !p.cut && length > len(b) {
		return 0, nil, false, errParameter
	}
	end := min(length, len(b))
	p.b = b[min((length+3)&^3, len(b)):]
	return tag, b[paramHeaderLen:end], true, nil
}

// ParamsOf reads parameters that stand in the value of another.
func ParamsOf(value []byte) Params { return Params{b: value} }
