// Package tcap reads messages of the transaction capabilities application part
// (ITU-T Q.773): the transaction portion, the application context of the
// dialogue portion, and the component portion down to operation codes. What
// the operations carry (MAP, CAP, INAP) is left alone.
//
// The encoding is BER (X.690), with definite and indefinite lengths.
package tcap

import (
	"errors"
	"fmt"
)

// Kind is a TCAP message type.
type Kind byte

// Message types by their tag, ITU-T Q.773 table 4.
const (
	Unidirectional Kind = 0x61
	Begin          Kind = 0x62
	End            Kind = 0x64
	Continue       Kind = 0x65
	Abort          Kind = 0x67
)

var kindNames = map[Kind]string{
	Unidirectional: "unidirectional", Begin: "begin", End: "end", Continue: "continue", Abort: "abort",
}

func (k Kind) String() string { return kindNames[k] }

// Tags of the transaction portion, ITU-T Q.773 §3.1.
const (
	tagOTID       = 0x48
	tagDTID       = 0x49
	tagAbortCause = 0x4a
	tagDialogue   = 0x6b
	tagComponents = 0x6c
)

// Message is a TCAP message.
type Message struct {
	Kind Kind
	// OTID and DTID are the originating and destination transaction IDs, 1 to 4
	// octets each; empty where the message type has none.
	OTID, DTID string
	// ApplicationContext is the dotted application context name, or "".
	ApplicationContext string
	// AbortCause is the P-Abort cause (ITU-T Q.773 §3.1.4), or -1.
	AbortCause int
	Components []Component
}

// Looks tells whether user data of SCCP begins with the tag of a TCAP message.
func Looks(b []byte) bool {
	return len(b) > 0 && kindNames[Kind(b[0])] != ""
}

// Parse reads one message. When the transaction portion is broken there is no
// message: ok is false and err says why. When only the dialogue or component
// portion is, or the message's own length runs past b, ok is true and the
// message holds what could be read.
func Parse(b []byte) (m Message, ok bool, err error) {
	e, cut, err := outermost(b)
	if err != nil {
		return m, false, err
	}
	m = Message{Kind: Kind(e.tag), AbortCause: -1}
	if e.tag > 0xff || kindNames[m.Kind] == "" {
		return m, false, fmt.Errorf("tag %#x is no message type", e.tag)
	}
	dialogue, components, err := m.transaction(e.content)
	if err != nil {
		return m, false, err
	}
	if m.ApplicationContext, err = applicationContext(dialogue); err != nil {
		return m, true, fmt.Errorf("dialogue portion: %w", err)
	}
	if m.Components, err = parseComponents(components); err != nil {
		return m, true, fmt.Errorf("component portion: %w", err)
	}
	return m, true, cut
}

var errMessageLength = errors.New("message length runs past the user data")

// outermost reads the element that is the message. Some senders get its length
// wrong and all that is inside right: cut tells so.
func outermost(b []byte) (e element, cut, err error) {
	tag, length, rest, err := header(b)
	if err == nil && length > int64(len(rest)) {
		return element{tag, rest}, errMessageLength, nil
	}
	e, _, err = next(b)
	return e, nil, err
}

// transaction reads the transaction portion and returns the contents of the
// two that follow it.
func (m *Message) transaction(b []byte) (dialogue, components []byte, err error) {
	for len(b) > 0 {
		var e element
		if e, b, err = next(b); err != nil {
			return nil, nil, err
		}
		switch e.tag {
		case tagOTID:
			m.OTID = string(e.content)
		case tagDTID:
			m.DTID = string(e.content)
		case tagAbortCause:
			if cause, err := integer(e.content); err == nil {
				m.AbortCause = int(cause)
			}
		case tagDialogue:
			dialogue = e.content
		case tagComponents:
			components = e.content
		}
	}
	needOTID := m.Kind == Begin || m.Kind == Continue
	needDTID := m.Kind == End || m.Kind == Continue || m.Kind == Abort
	if err := checkTID("originating", m.OTID, needOTID); err != nil {
		return nil, nil, err
	}
	return dialogue, components, checkTID("destination", m.DTID, needDTID)
}

func checkTID(which, tid string, needed bool) error {
	if needed && tid == "" {
		return fmt.Errorf("no %s transaction ID", which)
	}
	if len(tid) > 4 {
		return fmt.Errorf("%s transaction ID of %d octets, at most 4", which, len(tid))
	}
	return nil
}
