package tcap

import "errors"

// Tags of the dialogue portion, ITU-T Q.773 §3.2.
const (
	tagExternal   = 0x28
	tagSingleASN1 = 0xa0
	tagAARQ       = 0x60 // dialogue request, and unidirectional dialogue
	tagAARE       = 0x61 // dialogue response
	tagABRT       = 0x64 // dialogue abort
	tagContext    = 0xa1
	tagOID        = 0x06
	tagSource     = 0x80 // of ABRT
	tagUser       = 0xbe // user information
)

// dialogue digs the application context name out of the dialogue portion: EXTERNAL,
// single-ASN1-type, AARQ or AARE, context name, OBJECT IDENTIFIER; or from ABRT its
// source. There may be neither.
func (m *Message) dialogue(portion []byte) error {
	external, ok, err := find(portion, tagExternal)
	if err != nil || !ok {
		return err
	}
	single, ok, err := find(external, tagSingleASN1)
	if err != nil || !ok {
		return err
	}
	pdu, _, err := next(single)
	if err != nil {
		return err
	}
	switch pdu.tag {
	case tagABRT:
		source, ok, err := find(pdu.content, tagSource)
		if ok && len(source) == 1 {
			m.AbortSource = int8(source[0] & 0x7f)
		}
		return err
	case tagAARQ, tagAARE:
		return m.association(pdu.content)
	}
	return nil
}

// association reads the content of AARQ or AARE.
func (m *Message) association(b []byte) error {
	for len(b) > 0 {
		e, rest, err := next(b)
		if err != nil {
			return err
		}
		switch e.tag {
		case tagContext:
			name, ok, err := find(e.content, tagOID)
			if err == nil && ok {
				m.Context, err = parseOID(name)
			}
			if err != nil {
				return err
			}
		case tagUser:
			m.user = spanOf(e.content)
			return nil
		}
		b = rest
	}
	return nil
}

// find returns the contents of the first element with this tag.
func find(b []byte, tag uint32) (content []byte, ok bool, err error) {
	for len(b) > 0 {
		var e element
		if e, b, err = next(b); err != nil {
			return nil, false, err
		}
		if e.tag == tag {
			return e.content, true, nil
		}
	}
	return nil, false, nil
}

// ComponentKind is the type of a component.
type ComponentKind byte

// Component types by their tag, ITU-T Q.773 §3.3. T1.114.3 §3.11 has others, and one
// more: InvokeNotLast.
const (
	Invoke              ComponentKind = 0xa1
	ReturnResultLast    ComponentKind = 0xa2
	ReturnError         ComponentKind = 0xa3
	Reject              ComponentKind = 0xa4
	ReturnResultNotLast ComponentKind = 0xa7
	InvokeNotLast       ComponentKind = 0xed
)

func (k ComponentKind) String() string {
	switch k {
	case Invoke:
		return "invoke"
	case ReturnResultLast:
		return "returnResultLast"
	case ReturnError:
		return "returnError"
	case Reject:
		return "reject"
	case ReturnResultNotLast:
		return "returnResultNotLast"
	case InvokeNotLast:
		return "invokeNotLast"
	}
	return ""
}

// Component is one component.
type Component struct {
	// Code is the operation code, or in a ReturnError the error code, in the coding
	// that CodeKind tells.
	Code     int32
	CodeKind CodeKind
	Kind     ComponentKind
	// InvokeID is -128 to 127; a reject may have none (HasInvokeID false). Of T1.114 it
	// is the component ID: 0 to 255.
	InvokeID    int16
	LinkedID    int16
	HasInvokeID bool
	HasLinkedID bool
	// Problem is a Reject's problem: its tag in the high octet, its code in the low one
	// (ITU-T Q.773 §3.3, table 21); 0 without one.
	Problem    uint16
	GlobalCode OID // where CodeKind is Global

	parameter span // what follows the code
}

// span is where octets stand in those that a message was read from: how far before the
// end of their capacity, which slices of slices keep, and how many.
type span struct{ fromEnd, length uint32 }

func spanOf(b []byte) span { return span{uint32(cap(b)), uint32(len(b))} }

// of returns the octets of a span of b.
func (s span) of(b []byte) []byte {
	if s.length == 0 {
		return nil
	}
	start := cap(b) - int(s.fromEnd)
	return b[start : start+int(s.length)]
}

// Parameter is what follows the code of an invoke, result or error of Q.773. b is what
// the component's message was read from.
func (c *Component) Parameter(b []byte) []byte { return c.parameter.of(b) }

// UserInformation is that of the dialogue portion of Q.773, without its tag. b is what the
// message was read from.
func (m *Message) UserInformation(b []byte) []byte { return m.user.of(b) }

// CodeKind tells the coding of a component's code.
type CodeKind byte

// The codings.
const (
	None     CodeKind = iota // there is no code, as in a reject or an empty result
	Local                    // an INTEGER
	Global                   // an OBJECT IDENTIFIER
	National                 // T1.114: a code of TCAP's own table, family in the high octet
	Private                  // T1.114: a code that the application defines, likewise
)

const (
	tagInteger  = 0x02
	tagSequence = 0x30
	tagLinked   = 0x80
)

var (
	errInvokeID  = errors.New("component without an invoke ID")
	errComponent = errors.New("tag is no component")
)

// components reads the component portion; on an error the components before it are
// there.
func (m *Message) components(b []byte) error {
	for len(b) > 0 {
		e, rest, err := next(b)
		if err != nil {
			return err
		}
		kind := ComponentKind(e.tag)
		if e.tag > 0xff || kind == InvokeNotLast || kind.String() == "" {
			return errComponent
		}
		c := m.component()
		c.Kind = kind
		if err := c.parse(e.content); err != nil {
			m.dropComponent()
			return err
		}
		b = rest
	}
	return nil
}

// component returns the place for the next one.
func (m *Message) component() *Component {
	if m.Count == MaxComponents {
		m.More++
		return &Component{}
	}
	m.Count++
	c := &m.Components[m.Count-1]
	*c = Component{}
	return c
}

func (m *Message) dropComponent() {
	if m.More > 0 {
		m.More--
		return
	}
	m.Count--
}

// parse reads the invoke ID and the code. An invoke may have a linked ID (context tag
// 0) between them; a result keeps its code in a SEQUENCE.
func (c *Component) parse(b []byte) error {
	id, b, err := next(b)
	if err != nil {
		return err
	}
	if id.tag == tagInteger {
		v, err := integer(id.content)
		if err != nil {
			return err
		}
		c.InvokeID, c.HasInvokeID = int16(v), true
	} else if c.Kind != Reject {
		return errInvokeID
	}
	switch c.Kind {
	case Reject:
		return c.problem(b)
	case ReturnResultLast, ReturnResultNotLast:
		if b, _, err = find(b, tagSequence); err != nil {
			return err
		}
	}
	return c.code(b)
}

// problem takes a Reject's problem: context tags 0 to 3 for general, invoke, return
// result and return error.
func (c *Component) problem(b []byte) error {
	if len(b) == 0 {
		return nil
	}
	e, _, err := next(b)
	if err == nil && e.tag >= 0x80 && e.tag <= 0x83 && len(e.content) == 1 {
		c.Problem = uint16(e.tag)<<8 | uint16(e.content[0])
	}
	return err
}

// code takes the first local (INTEGER) or global (OBJECT IDENTIFIER) code.
func (c *Component) code(b []byte) error {
	for len(b) > 0 {
		e, rest, err := next(b)
		if err != nil {
			return err
		}
		switch e.tag {
		case tagInteger:
			if c.Code, err = integer(e.content); err == nil {
				c.CodeKind = Local
				c.parameter = spanOf(rest)
			}
			return err
		case tagOID:
			if c.GlobalCode, err = parseOID(e.content); err == nil {
				c.CodeKind = Global
			}
			return err
		case tagLinked:
			if v, err := integer(e.content); err == nil {
				c.LinkedID, c.HasLinkedID = int16(v), true
			}
		}
		b = rest
	}
	return nil
}
