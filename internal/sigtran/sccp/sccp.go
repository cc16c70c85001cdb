// Package sccp reads the connectionless messages of the signalling connection
// control part that carry user data in one piece: unitdata and unsegmented
// extended unitdata (ITU-T Q.713 §4.10 and §4.18).
package sccp

import (
	"errors"
)

// Message types, ITU-T Q.713 table 1.
const (
	typeUDT  = 0x09
	typeXUDT = 0x11
)

const (
	paramSegmentation = 0x10 // ITU-T Q.713 §3.17
	paramEnd          = 0x00
)

// SSNManagement is the subsystem number of SCCP's own management
// (ITU-T Q.713 §3.4.2.2).
const SSNManagement = 1

var (
	errShort   = errors.New("message shorter than its fixed part")
	errPointer = errors.New("pointer runs past the message")
	errLength  = errors.New("parameter length runs past the message")
	errAddress = errors.New("party address shorter than its indicator says")
)

// ErrSegmented is returned for a segment of a longer message: it carries only
// a part of the user data, and is not put together here.
var ErrSegmented = errors.New("segmented extended unitdata")

// Unitdata is the content of a UDT or XUDT message. Data aliases the input.
type Unitdata struct {
	Called, Calling Address
	Data            []byte
}

// Parse reads a UDT or an unsegmented XUDT; ok is false for the other message
// types. After the fixed part (type, protocol class, and a hop counter in
// XUDT) come one octet pointers, each counted from its own position, to
// parameters that begin with their length (ITU-T Q.713 §2.3).
func Parse(b []byte) (u Unitdata, ok bool, err error) {
	if len(b) == 0 {
		return u, false, errShort
	}
	pointers := 2
	switch b[0] {
	case typeUDT:
	case typeXUDT:
		pointers = 3
		if err := unsegmented(b); err != nil {
			return u, false, err
		}
	default:
		return u, false, nil
	}
	called, err := variable(b, pointers)
	if err != nil {
		return u, false, err
	}
	calling, err := variable(b, pointers+1)
	if err != nil {
		return u, false, err
	}
	if u.Data, err = variable(b, pointers+2); err != nil {
		return u, false, err
	}
	if u.Called, err = parseAddress(called); err != nil {
		return u, false, err
	}
	if u.Calling, err = parseAddress(calling); err != nil {
		return u, false, err
	}
	return u, true, nil
}

// variable returns the parameter that the pointer at b[at] leads to.
func variable(b []byte, at int) ([]byte, error) {
	if at >= len(b) {
		return nil, errShort
	}
	start := at + int(b[at])
	if b[at] == 0 || start >= len(b) {
		return nil, errPointer
	}
	end := start + 1 + int(b[start])
	if end > len(b) {
		return nil, errLength
	}
	return b[start+1 : end], nil
}

// unsegmented looks through the optional part of an XUDT for a segmentation
// parameter. Its first octet has the "first segment" bit on top and the number
// of remaining segments in the low four: a first segment with none remaining
// is a whole message.
func unsegmented(b []byte) error {
	const pointer = 6
	if len(b) <= pointer {
		return errShort
	}
	if b[pointer] == 0 {
		return nil
	}
	start := pointer + int(b[pointer])
	if start >= len(b) {
		return errPointer
	}
	for rest := b[start:]; len(rest) > 0 && rest[0] != paramEnd; {
		if len(rest) < 2 || 2+int(rest[1]) > len(rest) {
			return errLength
		}
		value := rest[2 : 2+int(rest[1])]
		if rest[0] == paramSegmentation && len(value) > 0 && value[0]&0x8f != 0x80 {
			return ErrSegmented
		}
		rest = rest[2+len(value):]
	}
	return nil
}
