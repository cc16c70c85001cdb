// Package subscriber finds the numbers of people in the parameters of operations: IMSI
// and MSISDN of MAP (3GPP TS 29.002 §17.7), and the numbers of CAP's initial detection
// points (3GPP TS 29.078 §6.1, §7.1, §8.1). A TCAP message comes in with the octets that
// it was read from, numbers go out. Only places that the specifications name are looked
// at: nothing is guessed by its look.
package subscriber

import (
	"github.com/tcapflow/tcapflow/internal/sigtran/names"
	"github.com/tcapflow/tcapflow/internal/sigtran/tcap"
)

// Numbers are the first ones of each kind that a message has.
type Numbers struct {
	IMSI    Digits
	MSISDN  Digits
	Calling Digits // calling party of CAP
	Called  Digits // called party or destination of CAP
}

// IsZero tells that there are none.
func (n *Numbers) IsZero() bool { return *n == Numbers{} }

// maxOctets is what an ISDN-AddressString has at most, TS 29.002 §17.7.8.
const maxOctets = 9

// Digits is a number of up to 18 digits, as a value; the zero value is none.
type Digits struct {
	n      uint8
	octets [maxOctets]byte // two digits each, the first one in the low half
}

const alphabet = "0123456789ABCDEF"

// IsZero tells that there are none.
func (d *Digits) IsZero() bool { return d.n == 0 }

// Append appends the digits; codes above 9 are A to E.
func (d *Digits) Append(dst []byte) []byte { return d.appendShown(dst, int(d.n)) }

// shown is how many digits Masked leaves: of an IMSI they are country and network, of an
// MSISDN country and area or network.
const shown = 5

// Masked appends the first five digits, and an x for each further one.
func (d *Digits) Masked(dst []byte) []byte { return d.appendShown(dst, shown) }

func (d *Digits) appendShown(dst []byte, shown int) []byte {
	for i := range int(d.n) {
		digit := byte('x')
		if i < shown {
			digit = alphabet[d.octets[i/2]>>(4*(i%2))&0x0f]
		}
		dst = append(dst, digit)
	}
	return dst
}

func (d Digits) String() string { return string(d.Append(nil)) }

// set takes n digits, up to a filler (F). More than fit are none.
func (d *Digits) set(b []byte, n int) {
	if len(b) > maxOctets || n < 0 {
		return
	}
	*d = Digits{}
	copy(d.octets[:], b)
	for int(d.n) < n && d.octets[d.n/2]>>(4*(d.n%2))&0x0f != 0x0f {
		d.n++
	}
	for i := int(d.n); i < 2*maxOctets; i++ { // equal numbers are equal values
		d.octets[i/2] &^= 0x0f << (4 * (i % 2))
	}
}

// Find returns the numbers in a message that was read from b, by tcap.Message.Parse.
func Find(p names.Protocol, m *tcap.Message, b []byte) (n Numbers) {
	var places *[128][]place
	switch p {
	case names.MAP:
		places = &mapPlaces
		if b := m.UserInformation(b); len(b) > 0 {
			n.opened(b)
		}
	case names.IN:
		places = &capPlaces
	default:
		return n
	}
	for i := range m.Count {
		c := &m.Components[i]
		if c.CodeKind != tcap.Local || c.Code < 0 || int(c.Code) >= len(places) {
			continue
		}
		if list := places[c.Code]; len(list) > 0 {
			n.argument(list, c.Kind, c.Parameter(b))
		}
	}
	return n
}

// opened reads the MAP-OpenInfo of a dialogue (TS 29.002 §17.4): EXTERNAL, single ASN.1
// type, map-open, destinationReference. That is an AddressString whose numbering plan 6
// says that it is an IMSI, as USSD and supplementary services have it (§7.3.1).
func (n *Numbers) opened(b []byte) {
	const external, single, mapOpen, destination, planIMSI = 0x28, 0xa0, 0xa0, 0x80, 6
	for _, tag := range [...]uint32{external, single, mapOpen, destination} {
		var ok bool
		if b, ok = tcap.Find(b, tag); !ok {
			return
		}
	}
	if len(b) > 1 && b[0]&0x0f == planIMSI {
		n.take(imsi, b[1:])
	}
}

// argument looks at the elements of an operation's argument or result. In old versions
// that may be the number itself, without a sequence around it.
func (n *Numbers) argument(list []place, kind tcap.ComponentKind, b []byte) {
	var in direction
	switch kind {
	case tcap.Invoke:
		in = invoke
	case tcap.ReturnResultLast, tcap.ReturnResultNotLast:
		in = result
	default:
		return
	}
	e, ok := tcap.Next(&b)
	if !ok {
		return
	}
	if !e.Constructed() {
		n.element(list, in, e, 0)
		return
	}
	octetStrings := uint8(0)
	for rest := e.Content; ; {
		e, ok := tcap.Next(&rest)
		if !ok {
			return
		}
		n.element(list, in, e, octetStrings)
		if e.Tag == octetString {
			octetStrings++
		}
	}
}

// element takes one that stands at one of the places; before is how many octet strings
// came before it.
func (n *Numbers) element(list []place, in direction, e tcap.Element, before uint8) {
	for i := range list {
		at := &list[i]
		if at.in != in || at.tag != e.Tag || e.Tag == octetString && at.nth != before {
			continue
		}
		content := e.Content
		if at.inner != 0 {
			inner, ok := tcap.Find(content, at.inner)
			if !ok {
				continue
			}
			content = inner
		}
		n.take(at.what, content)
	}
}

// take reads a number in its encoding.
func (n *Numbers) take(what kind, b []byte) {
	switch what {
	case imsi: // TBCD: TS 29.002 §17.7.8, 3 to 8 octets
		if n.IMSI.IsZero() && len(b) >= 3 && len(b) <= 8 {
			n.IMSI.set(b, 2*len(b))
			n.IMSI.decimal()
		}
	case msisdn:
		addressString(&n.MSISDN, b)
	case callingAddress:
		addressString(&n.Calling, b)
	case calledAddress:
		addressString(&n.Called, b)
	case callingNumber:
		partyNumber(&n.Calling, b)
	case calledNumber:
		partyNumber(&n.Called, b)
	}
}

// decimal drops what has other digits than an IMSI may have.
func (d *Digits) decimal() {
	for i := range int(d.n) {
		if d.octets[i/2]>>(4*(i%2))&0x0f > 9 {
			*d = Digits{}
			return
		}
	}
}

// addressString reads an AddressString (TS 29.002 §17.7.8): nature of address and
// numbering plan in one octet, digits. The called party's BCD number (TS 24.008
// §10.5.4.7) is alike.
func addressString(d *Digits, b []byte) {
	if d.IsZero() && len(b) >= 2 {
		d.set(b[1:], 2*(len(b)-1))
	}
}

// partyNumber reads a calling or called party number of ITU-T Q.763 §3.9 and §3.10: two
// octets, the first's top bit set if the number of digits is odd, and digits. F signals
// the end of the address.
func partyNumber(d *Digits, b []byte) {
	if d.IsZero() && len(b) >= 3 {
		d.set(b[2:], 2*(len(b)-2)-int(b[0]>>7))
	}
}
