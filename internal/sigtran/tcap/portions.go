package tcap

import (
	"errors"
	"fmt"
)

// Tags of the dialogue portion, ITU-T Q.773 §3.2.
const (
	tagExternal   = 0x28
	tagSingleASN1 = 0xa0
	tagAARQ       = 0x60 // dialogue request, and unidirectional dialogue
	tagAARE       = 0x61 // dialogue response
	tagContext    = 0xa1
	tagOID        = 0x06
)

// applicationContext digs the application context name out of the dialogue
// portion: EXTERNAL, single-ASN1-type, AARQ or AARE, context name, OBJECT
// IDENTIFIER. It is "" where a dialogue PDU has none (ABRT).
func applicationContext(portion []byte) (string, error) {
	external, ok, err := find(portion, tagExternal)
	if err != nil || !ok {
		return "", err
	}
	single, ok, err := find(external, tagSingleASN1)
	if err != nil || !ok {
		return "", err
	}
	pdu, _, err := next(single)
	if err != nil {
		return "", err
	}
	if pdu.tag != tagAARQ && pdu.tag != tagAARE {
		return "", nil
	}
	context, ok, err := find(pdu.content, tagContext)
	if err != nil || !ok {
		return "", err
	}
	name, ok, err := find(context, tagOID)
	if err != nil || !ok {
		return "", err
	}
	return oid(name)
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

// Component types by their tag, ITU-T Q.773 §3.3.
const (
	Invoke              ComponentKind = 0xa1
	ReturnResultLast    ComponentKind = 0xa2
	ReturnError         ComponentKind = 0xa3
	Reject              ComponentKind = 0xa4
	ReturnResultNotLast ComponentKind = 0xa7
)

var componentNames = map[ComponentKind]string{
	Invoke: "invoke", ReturnResultLast: "returnResultLast", ReturnError: "returnError",
	Reject: "reject", ReturnResultNotLast: "returnResultNotLast",
}

func (k ComponentKind) String() string { return componentNames[k] }

// Component is one component, without its parameters.
type Component struct {
	Kind ComponentKind
	// InvokeID is -128 to 127; a reject may have none (HasInvokeID false).
	InvokeID    int
	HasInvokeID bool
	// Code is the local operation code, or in a ReturnError the local error
	// code; HasCode is false where there is none, as in a reject or an empty
	// result. GlobalCode is the dotted code instead, where it is global.
	Code       int
	HasCode    bool
	GlobalCode string
}

const (
	tagInteger  = 0x02
	tagSequence = 0x30
)

var errInvokeID = errors.New("component without an invoke ID")

// parseComponents reads the component portion and on an error returns the
// components before it.
func parseComponents(b []byte) (list []Component, err error) {
	for len(b) > 0 {
		var e element
		if e, b, err = next(b); err != nil {
			return list, err
		}
		kind := ComponentKind(e.tag)
		if e.tag > 0xff || componentNames[kind] == "" {
			return list, fmt.Errorf("tag %#x is no component", e.tag)
		}
		c, err := parseComponent(kind, e.content)
		if err != nil {
			return list, fmt.Errorf("%s: %w", kind, err)
		}
		list = append(list, c)
	}
	return list, nil
}

// parseComponent reads the invoke ID and the code. An invoke may have a linked
// ID (context tag 0) between them; a result keeps its code in a SEQUENCE.
func parseComponent(kind ComponentKind, b []byte) (Component, error) {
	c := Component{Kind: kind}
	id, b, err := next(b)
	if err != nil {
		return c, err
	}
	if id.tag == tagInteger {
		v, err := integer(id.content)
		if err != nil {
			return c, err
		}
		c.InvokeID, c.HasInvokeID = int(v), true
	} else if kind != Reject {
		return c, errInvokeID
	}
	if kind == Reject {
		return c, nil
	}
	if kind == ReturnResultLast || kind == ReturnResultNotLast {
		if b, _, err = find(b, tagSequence); err != nil {
			return c, err
		}
	}
	return c, c.code(b)
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
			v, err := integer(e.content)
			c.Code, c.HasCode = int(v), err == nil
			return err
		case tagOID:
			c.GlobalCode, err = oid(e.content)
			return err
		}
		b = rest
	}
	return nil
}
