package tcap

// Package types of ANSI T1.114.3 §3.1, by their tags.
const (
	packageUnidirectional   = 0xe1
	packageQueryPermission  = 0xe2
	packageQuery            = 0xe3
	packageResponse         = 0xe4
	packageConversationPerm = 0xe5
	packageConversation     = 0xe6
	packageAbort            = 0xf6
)

// kindOfPackage is the message type of Q.773 that a package type of T1.114 stands
// for; 0 for other tags.
func kindOfPackage(tag byte) Kind {
	switch tag {
	case packageUnidirectional:
		return Unidirectional
	case packageQuery, packageQueryPermission:
		return Begin
	case packageResponse:
		return End
	case packageConversation, packageConversationPerm:
		return Continue
	case packageAbort:
		return Abort
	}
	return 0
}

// PackageName is the name of a package type of T1.114, or "".
func PackageName(tag byte) string {
	switch tag {
	case packageUnidirectional:
		return "unidirectional"
	case packageQueryPermission:
		return "queryWithPermission"
	case packageQuery:
		return "queryWithoutPermission"
	case packageResponse:
		return "response"
	case packageConversationPerm:
		return "conversationWithPermission"
	case packageConversation:
		return "conversationWithoutPermission"
	case packageAbort:
		return "abort"
	}
	return ""
}

// Tags of T1.114.3 §3.2 to §3.24.
const (
	ansiTransactionID = 0xc7
	ansiPAbort        = 0xd7
	ansiDialogue      = 0xf9
	ansiContext       = 0xdc // integer; 0xdd is an object identifier
	ansiContextOID    = 0xdd
	ansiComponents    = 0xe8
	ansiComponentID   = 0xcf
	ansiNationalOp    = 0xd0
	ansiPrivateOp     = 0xd1
	ansiNationalError = 0xd3
	ansiPrivateError  = 0xd4
	ansiProblem       = 0xd5
)

// parseANSI reads the content of a package; ok as for parseITU.
func (m *Message) parseANSI(b []byte) (ok bool, err error) {
	var p portions
	for len(b) > 0 {
		e, rest, err := next(b)
		if err == errTruncated {
			p.short = true
			e, rest, err = partial(b), nil, nil
		}
		if err == nil {
			err = m.ansiElement(e, &p)
		}
		if err != nil {
			return false, err
		}
		b = rest
	}
	if m.Kind != Unidirectional && m.OTID.IsZero() && m.DTID.IsZero() {
		return false, errTIDMissing
	}
	if err := m.ansiDialogue(p.dialogue); err != nil {
		return true, &PortionError{"dialogue", err}
	}
	if err := m.ansiComponents(p.components); err != nil {
		return true, &PortionError{"component", err}
	}
	return true, p.err()
}

// ansiElement takes one element of a package.
func (m *Message) ansiElement(e element, p *portions) error {
	switch e.tag {
	case ansiTransactionID:
		return m.ansiTIDs(e.content)
	case ansiPAbort:
		if len(e.content) == 1 {
			m.AbortCause = int16(e.content[0])
		}
	case ansiDialogue:
		p.dialogue = e.content
	case ansiComponents:
		p.components = e.content
	}
	return nil
}

// ansiTIDs reads the transaction ID element: none, one, or both the originating and
// the responding one, of 4 octets each (T1.114.3 §3.3).
func (m *Message) ansiTIDs(b []byte) error {
	const size = 4
	switch {
	case len(b) == 0:
	case len(b) == 2*size && m.Kind == Continue:
		m.OTID, m.DTID = tid4(b), tid4(b[size:])
	case len(b) == size && m.Kind == Begin:
		m.OTID = tid4(b)
	case len(b) == size && (m.Kind == End || m.Kind == Abort):
		m.DTID = tid4(b)
	default:
		return errTIDLength
	}
	return nil
}

func (m *Message) ansiDialogue(b []byte) error {
	for len(b) > 0 {
		e, rest, err := next(b)
		if err != nil {
			return err
		}
		if e.tag == ansiContextOID {
			if m.Context, err = parseOID(e.content); err != nil {
				return err
			}
		}
		b = rest
	}
	return nil
}

// ansiComponentKind is the component type of Q.773 that one of T1.114.3 §3.11 stands
// for; 0 for other tags.
func ansiComponentKind(tag uint32) ComponentKind {
	switch tag {
	case 0xe9:
		return Invoke
	case 0xea:
		return ReturnResultLast
	case 0xeb:
		return ReturnError
	case 0xec:
		return Reject
	case 0xed:
		return InvokeNotLast
	case 0xee:
		return ReturnResultNotLast
	}
	return 0
}

func (m *Message) ansiComponents(b []byte) error {
	for len(b) > 0 {
		e, rest, err := next(b)
		if err != nil {
			return err
		}
		kind := ansiComponentKind(e.tag)
		if kind == 0 {
			return errComponent
		}
		c := m.component()
		c.Kind = kind
		if err := c.parseANSI(e.content); err != nil {
			m.dropComponent()
			return err
		}
		b = rest
	}
	return nil
}

// parseANSI reads a component: its IDs (an invoke's own, then the one that it
// answers: up to 2 octets), then operation or error code, or problem.
func (c *Component) parseANSI(b []byte) error {
	for len(b) > 0 {
		e, rest, err := next(b)
		if err != nil {
			return err
		}
		switch b = rest; e.tag {
		case ansiComponentID:
			c.ansiIDs(e.content)
		case ansiNationalOp, ansiNationalError:
			c.ansiCode(National, e.content)
		case ansiPrivateOp, ansiPrivateError:
			c.ansiCode(Private, e.content)
		case ansiProblem:
			if len(e.content) == 2 {
				c.Problem = uint16(e.content[0])<<8 | uint16(e.content[1])
			}
		default:
			return nil // parameters
		}
	}
	return nil
}

func (c *Component) ansiIDs(b []byte) {
	if len(b) > 0 {
		c.InvokeID, c.HasInvokeID = int16(b[0]), true
	}
	if len(b) > 1 {
		c.LinkedID, c.HasLinkedID = int16(b[1]), true
	}
}

// ansiCode takes a code of one or two octets: family and specifier.
func (c *Component) ansiCode(kind CodeKind, b []byte) {
	if len(b) == 0 || len(b) > 2 {
		return
	}
	for _, octet := range b {
		c.Code = c.Code<<8 | int32(octet)
	}
	c.CodeKind = kind
}
