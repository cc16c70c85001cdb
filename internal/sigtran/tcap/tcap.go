// Package tcap reads messages of the transaction capabilities application part,
// those of ITU-T Q.773 and of ANSI T1.114: the transaction portion, the application
// context and the abort source of the dialogue portion, and the component portion
// down to operation and error codes. What the operations carry is left alone;
// Component.Parameter has it.
//
// The encoding is BER (X.690), with definite and indefinite lengths. A Message is a
// value: it aliases nothing, and reading one allocates nothing.
package tcap

import (
	"encoding/binary"
	"errors"
)

// Kind is a TCAP message type. Those of T1.114, which are called package types, are
// told by Message.Package.
type Kind byte

// Message types by their tag, ITU-T Q.773 table 4.
const (
	Unidirectional Kind = 0x61
	Begin          Kind = 0x62
	End            Kind = 0x64
	Continue       Kind = 0x65
	Abort          Kind = 0x67
)

func (k Kind) String() string {
	switch k {
	case Unidirectional:
		return "unidirectional"
	case Begin:
		return "begin"
	case End:
		return "end"
	case Continue:
		return "continue"
	case Abort:
		return "abort"
	}
	return ""
}

// Tags of the transaction portion, ITU-T Q.773 §3.1.
const (
	tagOTID       = 0x48
	tagDTID       = 0x49
	tagAbortCause = 0x4a
	tagDialogue   = 0x6b
	tagComponents = 0x6c
)

// TID is a transaction ID of 1 to 4 octets; the zero value is none.
type TID struct {
	value uint32
	n     uint8
}

// TIDOf is the transaction ID with these octets; of more than 4, none.
func TIDOf(b []byte) (t TID) {
	if len(b) > 4 {
		return t
	}
	for _, octet := range b {
		t.value = t.value<<8 | uint32(octet)
	}
	t.n = uint8(len(b))
	return t
}

// IsZero tells that there is none.
func (t TID) IsZero() bool { return t.n == 0 }

// Len is the number of octets.
func (t TID) Len() int { return int(t.n) }

// Value is the octets as a number, big endian.
func (t TID) Value() uint32 { return t.value }

// AppendHex appends the octets as text.
func (t TID) AppendHex(dst []byte) []byte {
	const alphabet = "0123456789abcdef"
	for shift := 8*int(t.n) - 4; shift >= 0; shift -= 4 {
		dst = append(dst, alphabet[t.value>>shift&0x0f])
	}
	return dst
}

func (t TID) String() string { return string(t.AppendHex(nil)) }

// MaxComponents is how many components of a message are kept; no more fit into most
// of them.
const MaxComponents = 8

// Message is a TCAP message.
type Message struct {
	Kind Kind
	// Package is the package type of T1.114, its tag; 0 for messages of Q.773.
	Package byte
	// OTID and DTID are the originating and destination (T1.114: responding)
	// transaction IDs; none where the message type has none.
	OTID, DTID TID
	// Context is the application context name, or none.
	Context OID
	// AbortCause is the P-Abort cause (ITU-T Q.773 §3.1.4, T1.114.3 §3.4), or -1.
	AbortCause int16
	// AbortSource is that of the ABRT dialogue PDU: 0 the user, 1 the provider; -1
	// without one (ITU-T Q.773 §3.2.2).
	AbortSource int8
	// Components holds the first Count components, and whatever behind them; More is how
	// many there are beyond.
	Components [MaxComponents]Component
	Count      uint8
	More       uint16
	user       span // user information of the dialogue portion
}

// Looks tells whether user data of SCCP begins with the tag of a TCAP message.
func Looks(b []byte) bool {
	return len(b) > 0 && (Kind(b[0]).String() != "" || kindOfPackage(b[0]) != 0)
}

var (
	errTIDMissing = errors.New("no transaction ID")
	errTIDLength  = errors.New("transaction ID longer than 4 octets")
	errType       = errors.New("tag is no message type")

	// ErrTrailing says that octets follow the message. All of it could be read.
	ErrTrailing = errors.New("octets after the message")

	errMessageLength = errors.New("message length runs past the user data")
)

// PortionError says which portion of a message an error is in.
type PortionError struct {
	Portion string // "dialogue" or "component"
	Err     error
}

func (e *PortionError) Error() string { return e.Portion + " portion: " + e.Err.Error() }

func (e *PortionError) Unwrap() error { return e.Err }

// Parse reads one message into m. When the transaction portion is broken there is no
// message: ok is false and err says why. When only the dialogue or component
// portion is, or the message's own length runs past b, ok is true and the
// message holds what could be read.
func (m *Message) Parse(b []byte) (ok bool, err error) {
	m.reset()
	e, rest, cut, err := outermost(b)
	if err != nil {
		return false, err
	}
	if m.Kind = kindOfPackage(byte(e.tag)); e.tag <= 0xff && m.Kind != 0 {
		m.Package = byte(e.tag)
		ok, err = m.parseANSI(e.content)
	} else if m.Kind = Kind(e.tag); e.tag <= 0xff && m.Kind.String() != "" {
		ok, err = m.parseITU(e.content)
	} else {
		return false, errType
	}
	if !ok && (cut == nil || m.OTID.IsZero() && m.DTID.IsZero()) {
		return false, err
	}
	switch {
	case cut != nil:
		err = cut
	case err == nil && len(rest) > 0:
		err = ErrTrailing
	}
	return true, err
}

// reset makes m new, but for the components: the place of one is made new when there is
// one. They are most of the message, and most messages have one.
func (m *Message) reset() {
	m.Kind, m.Package = 0, 0
	m.OTID, m.DTID, m.Context = TID{}, TID{}, OID{}
	m.AbortCause, m.AbortSource = -1, -1
	m.Count, m.More = 0, 0
	m.user = span{}
}

// outermost reads the element that is the message. Some senders get its length
// wrong and all that is inside right: cut tells so.
func outermost(b []byte) (e element, rest []byte, cut, err error) {
	tag, length, content, err := header(b)
	if err == nil && length > int64(len(content)) {
		return element{tag, content}, nil, errMessageLength, nil
	}
	e, rest, err = next(b)
	if err == errTruncated && length == indefinite {
		return element{tag, content}, nil, errMessageLength, nil
	}
	return e, rest, nil, err
}

// parseITU reads the content of a message of Q.773; ok tells that the transaction
// portion could be read.
func (m *Message) parseITU(b []byte) (ok bool, err error) {
	p, err := m.transaction(b)
	if err != nil {
		return false, err
	}
	if err := m.dialogue(p.dialogue); err != nil {
		return true, &PortionError{"dialogue", err}
	}
	if err := m.components(p.components); err != nil {
		return true, &PortionError{"component", err}
	}
	return true, p.err()
}

// portions are what follows the transaction portion; short says that the last of them
// runs past its container.
type portions struct {
	dialogue, components []byte
	short                bool
}

func (p portions) err() error {
	if p.short {
		return &PortionError{"last", errTruncated}
	}
	return nil
}

// transaction reads the transaction portion and returns the contents of the
// two that follow it. An element that runs past the end is taken as far as it goes.
func (m *Message) transaction(b []byte) (p portions, err error) {
	for len(b) > 0 {
		e, rest, err := next(b)
		if err == errTruncated {
			p.short = true
			e, rest, err = partial(b), nil, nil
		}
		if err == nil {
			err = m.element(e, &p)
		}
		if err != nil {
			return p, err
		}
		b = rest
	}
	needOTID := m.Kind == Begin || m.Kind == Continue
	needDTID := m.Kind == End || m.Kind == Continue || m.Kind == Abort
	if needOTID && m.OTID.IsZero() || needDTID && m.DTID.IsZero() {
		return p, errTIDMissing
	}
	return p, nil
}

// element takes one element of a message of Q.773.
func (m *Message) element(e element, p *portions) error {
	switch e.tag {
	case tagOTID:
		return m.OTID.set(e.content)
	case tagDTID:
		return m.DTID.set(e.content)
	case tagAbortCause:
		if cause, err := integer(e.content); err == nil {
			m.AbortCause = int16(cause)
		}
	case tagDialogue:
		p.dialogue = e.content
	case tagComponents:
		p.components = e.content
	}
	return nil
}

func (t *TID) set(b []byte) error {
	if len(b) > 4 {
		return errTIDLength
	}
	*t = TIDOf(b)
	return nil
}

// tid4 is a transaction ID of T1.114, which has 4 octets.
func tid4(b []byte) TID { return TID{binary.BigEndian.Uint32(b), 4} }
