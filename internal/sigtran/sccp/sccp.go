// Package sccp reads the connectionless messages of the signalling connection
// control part: UDT, XUDT and LUDT, and UDTS, XUDTS and LUDTS, which bring one back
// that could not be delivered (ITU-T Q.713 §4.10 to §4.21, ANSI T1.112.3).
package sccp

import (
	"encoding/binary"
	"errors"

	"github.com/tcapflow/tcapflow/internal/sigtran/mtp3"
)

// Message types, ITU-T Q.713 table 1.
const (
	typeUDT   = 0x09
	typeUDTS  = 0x0a
	typeXUDT  = 0x11
	typeXUDTS = 0x12
	typeLUDT  = 0x13
	typeLUDTS = 0x14
	lastType  = typeLUDTS
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
	errType    = errors.New("message type is not defined")
	errPointer = errors.New("pointer runs past the message")
	errLength  = errors.New("parameter length runs past the message")
)

// Segment is what the segmentation parameter says; the zero value is a message in one
// piece.
type Segment struct {
	Present   bool
	First     bool
	Remaining byte   // segments that are to follow, 0 to 15
	Reference uint32 // 24 bits; all segments of a message have the same
}

// Whole tells that there are no others.
func (s Segment) Whole() bool { return !s.Present || s.First && s.Remaining == 0 }

// Unitdata is the content of a connectionless message. Data aliases the input.
type Unitdata struct {
	Cause           int16 // return cause (ITU-T Q.713 §3.12), or -1: the message was not returned
	Called, Calling Address
	Data            []byte
	Cut             bool // the capture kept less than the whole of Data
	Segment         Segment
	Quality         Quality // of the addresses; if one is Broken, it is marked unread
}

// layout says where things are in a message type.
type layout struct {
	pointers int  // offset of the first pointer
	wide     bool // pointers, and the length of the data, have 2 octets
	optional bool // there is a fourth pointer, to the optional part
	returned bool // the second octet is a return cause
}

var layouts = [lastType + 1]layout{
	typeUDT:   {pointers: 2},
	typeUDTS:  {pointers: 2, returned: true},
	typeXUDT:  {pointers: 3, optional: true},
	typeXUDTS: {pointers: 3, optional: true, returned: true},
	typeLUDT:  {pointers: 3, optional: true, wide: true},
	typeLUDTS: {pointers: 3, optional: true, wide: true, returned: true},
}

// Parse reads a connectionless message whose addresses are of standard s into u; ok is
// false for the other message types, those of connections. After the fixed part
// (type, protocol class or return cause, and but for UDT and UDTS a hop counter) come
// pointers, each counted from its own last octet, to parameters that begin with
// their length (ITU-T Q.713 §2.3). If b is cut, so may be the data.
func (u *Unitdata) Parse(b []byte, s mtp3.Standard, cut bool) (ok bool, err error) {
	if len(b) == 0 {
		return false, errShort
	}
	if b[0] == 0 || b[0] > lastType {
		return false, errType
	}
	l := &layouts[b[0]]
	if l.pointers == 0 {
		return false, nil
	}
	if err := u.read(b, l, s, cut); err != nil {
		return false, err
	}
	return true, nil
}

func (u *Unitdata) read(b []byte, l *layout, s mtp3.Standard, cut bool) error {
	called, _, err := l.variable(b, 0, false, false)
	if err != nil {
		return err
	}
	calling, _, err := l.variable(b, 1, false, false)
	if err != nil {
		return err
	}
	if u.Data, u.Cut, err = l.variable(b, 2, l.wide, cut); err != nil {
		return err
	}
	u.Segment = Segment{}
	if l.optional && !u.Cut {
		if u.Segment, err = l.segmentation(b); err != nil && !cut {
			return err
		}
	}
	u.Cause = -1
	if l.returned {
		u.Cause = int16(b[1])
	}
	u.addresses(called, calling, s)
	return nil
}

func (u *Unitdata) addresses(called, calling []byte, s mtp3.Standard) {
	u.Quality = min(u.Called.parse(called, s), u.Calling.parse(calling, s))
}

// target returns the offset that the pointer with this number leads to; 0 for a
// pointer that is 0.
func (l *layout) target(b []byte, number int) (int, error) {
	if !l.wide {
		at := l.pointers + number
		if at >= len(b) {
			return 0, errShort
		}
		if b[at] == 0 {
			return 0, nil
		}
		return at + int(b[at]), nil
	}
	at := l.pointers + 2*number
	if at+1 >= len(b) {
		return 0, errShort
	}
	pointer := int(binary.LittleEndian.Uint16(b[at:]))
	if pointer == 0 {
		return 0, nil
	}
	return at + 1 + pointer, nil
}

// variable returns the parameter that a pointer leads to. Its length has an octet, or
// if it is long two, little endian.
func (l *layout) variable(b []byte, number int, long, cut bool) (value []byte, short bool, err error) {
	start, err := l.target(b, number)
	if err != nil {
		return nil, false, err
	}
	size := 1
	if long {
		size = 2
	}
	if start == 0 || start+size > len(b) {
		return nil, false, errPointer
	}
	length := int(b[start])
	if long {
		length = int(binary.LittleEndian.Uint16(b[start:]))
	}
	start += size
	switch end := start + length; {
	case end <= len(b):
		return b[start:end], false, nil
	case cut:
		return b[start:], true, nil
	}
	return nil, false, errLength
}

// segmentation looks through the optional part for a segmentation parameter. Its
// first octet has the "first segment" bit on top and the number of remaining
// segments in the low four; the local reference has three (Q.713 §3.17).
func (l *layout) segmentation(b []byte) (s Segment, err error) {
	start, err := l.target(b, 3)
	if err != nil || start == 0 {
		return s, err
	}
	if start >= len(b) {
		return s, errPointer
	}
	for rest := b[start:]; len(rest) > 0 && rest[0] != paramEnd; {
		if len(rest) < 2 || 2+int(rest[1]) > len(rest) {
			return s, errLength
		}
		value := rest[2 : 2+int(rest[1])]
		if rest[0] == paramSegmentation && len(value) == 4 {
			s = SegmentOf(value)
		}
		rest = rest[2+len(value):]
	}
	return s, nil
}

// SegmentOf reads the value of a segmentation parameter, 4 octets.
func SegmentOf(v []byte) Segment {
	return Segment{
		Present:   true,
		First:     v[0]&0x80 != 0,
		Remaining: v[0] & 0x0f,
		Reference: uint32(v[1]) | uint32(v[2])<<8 | uint32(v[3])<<16,
	}
}
