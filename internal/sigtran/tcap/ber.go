package tcap

import (
	"errors"
	"strconv"
)

// maxDepth bounds the nesting that is followed to find the end of an
// indefinite length. MAP and CAP stay well below it.
const maxDepth = 32

var (
	errTruncated  = errors.New("element runs past its container")
	errTag        = errors.New("tag number longer than 3 octets")
	errLength     = errors.New("length longer than 4 octets")
	errDepth      = errors.New("elements nested too deep")
	errIndefinite = errors.New("indefinite length on a primitive element")
	errInteger    = errors.New("integer empty or longer than 4 octets")
	errOID        = errors.New("broken object identifier")
)

// element is one BER element. encoding/asn1 reads DER, which has no indefinite
// lengths; TCAP senders use them (X.690 §8.1.3.6).
type element struct {
	tag     uint32 // the identifier octets, big endian
	content []byte
}

// next reads the element at the start of b and returns what follows it. Tags
// have up to 4 identifier octets, lengths up to 4 octets after the first
// (X.690 §8.1.2, §8.1.3).
func next(b []byte) (e element, rest []byte, err error) {
	// Nearly all: a tag of one octet, a length of one octet.
	if len(b) >= 2 && b[0]&0x1f != 0x1f && b[1] < 0x80 && int(b[1]) <= len(b)-2 {
		end := 2 + int(b[1])
		return element{uint32(b[0]), b[2:end]}, b[end:], nil
	}
	return nextAt(b, 0)
}

func nextAt(b []byte, depth int) (e element, rest []byte, err error) {
	if depth > maxDepth {
		return e, nil, errDepth
	}
	tag, length, b, err := header(b)
	if err != nil {
		return e, nil, err
	}
	if length == indefinite {
		content, rest, err := untilEndOfContents(b, depth)
		return element{tag, content}, rest, err
	}
	if length > int64(len(b)) {
		return e, nil, errTruncated
	}
	return element{tag, b[:length]}, b[length:], nil
}

// Element is one BER element of an operation's parameters.
type Element struct {
	Tag     uint32 // the identifier octets, big endian
	Content []byte
}

// Constructed tells that the content is elements.
func (e *Element) Constructed() bool {
	first := e.Tag
	for first > 0xff {
		first >>= 8
	}
	return first&0x20 != 0
}

// Next takes the element at the start of b off it; ok is false where there is none, or a
// broken one.
func Next(b *[]byte) (e Element, ok bool) {
	if len(*b) == 0 {
		return e, false
	}
	inner, rest, err := next(*b)
	if err != nil {
		return e, false
	}
	*b = rest
	return Element{inner.tag, inner.content}, true
}

// Find returns the content of the first element with this tag.
func Find(b []byte, tag uint32) (content []byte, ok bool) {
	content, ok, err := find(b, tag)
	return content, ok && err == nil
}

// partial is an element that runs past its container, as far as it goes. Transaction
// IDs are not taken so.
func partial(b []byte) element {
	tag, length, content, err := header(b)
	if err != nil || tag == tagOTID || tag == tagDTID || tag == ansiTransactionID || length == 0 {
		return element{}
	}
	return element{tag, content}
}

// indefinite stands for a length that is told by end-of-contents octets.
const indefinite = -1

// header reads tag and length and returns what follows them, which may be
// shorter than the length.
func header(b []byte) (tag uint32, length int64, rest []byte, err error) {
	tag, n, err := identifier(b)
	if err != nil {
		return 0, 0, nil, err
	}
	if n == len(b) {
		return 0, 0, nil, errTruncated
	}
	first, rest := b[n], b[n+1:]
	switch {
	case first < 0x80:
		return tag, int64(first), rest, nil
	case first == 0x80 && b[0]&0x20 == 0:
		return 0, 0, nil, errIndefinite
	case first == 0x80:
		return tag, indefinite, rest, nil
	}
	octets := int(first & 0x7f)
	if octets > 4 {
		return 0, 0, nil, errLength
	}
	if octets > len(rest) {
		return 0, 0, nil, errTruncated
	}
	for _, octet := range rest[:octets] {
		length = length<<8 | int64(octet)
	}
	return tag, length, rest[octets:], nil
}

// identifier reads a tag: one octet, or with the low five bits set further
// octets as long as their top bit is set.
func identifier(b []byte) (tag uint32, n int, err error) {
	if len(b) == 0 {
		return 0, 0, errTruncated
	}
	tag = uint32(b[0])
	if b[0]&0x1f != 0x1f {
		return tag, 1, nil
	}
	for n = 1; n < len(b); {
		if n == 4 {
			return 0, 0, errTag
		}
		tag = tag<<8 | uint32(b[n])
		n++
		if b[n-1]&0x80 == 0 {
			return tag, n, nil
		}
	}
	return 0, 0, errTruncated
}

// untilEndOfContents splits b at the two zero octets that end an indefinite
// length, stepping over the elements before them.
func untilEndOfContents(b []byte, depth int) (content, rest []byte, err error) {
	for at := b; ; {
		if len(at) < 2 {
			return nil, nil, errTruncated
		}
		if at[0] == 0 && at[1] == 0 {
			return b[:len(b)-len(at)], at[2:], nil
		}
		if _, at, err = nextAt(at, depth+1); err != nil {
			return nil, nil, err
		}
	}
}

// integer reads a two's complement INTEGER of 1 to 4 octets (X.690 §8.3).
func integer(b []byte) (int32, error) {
	if len(b) == 0 || len(b) > 4 {
		return 0, errInteger
	}
	v := int32(int8(b[0]))
	for _, octet := range b[1:] {
		v = v<<8 | int32(octet)
	}
	return v, nil
}

// maxOID bounds an object identifier. Those of MAP, CAP and INAP have 7 to 9 octets.
const maxOID = 16

// OID is an object identifier as it is encoded (X.690 §8.19), as a value: it aliases
// nothing, and equal ones compare equal. The zero value is none.
type OID struct {
	n      uint8
	octets [maxOID]byte
}

// parseOID takes over an encoded object identifier that is whole.
func parseOID(b []byte) (o OID, err error) {
	if len(b) == 0 || len(b) > maxOID || b[len(b)-1]&0x80 != 0 {
		return o, errOID
	}
	var arc uint64
	for _, octet := range b {
		if arc = arc<<7 | uint64(octet&0x7f); arc > 1<<32 {
			return OID{}, errOID
		}
		if octet&0x80 == 0 {
			arc = 0
		}
	}
	o.n = uint8(copy(o.octets[:], b))
	return o, nil
}

// IsZero tells that there is none.
func (o *OID) IsZero() bool { return o.n == 0 }

// Octets are the encoded form.
func (o *OID) Octets() []byte { return o.octets[:o.n] }

// Append appends the dotted form.
func (o *OID) Append(dst []byte) []byte {
	var arc uint64
	first := true
	for _, octet := range o.octets[:o.n] {
		arc = arc<<7 | uint64(octet&0x7f)
		if octet&0x80 != 0 {
			continue
		}
		if first {
			root := min(arc/40, 2)
			dst = strconv.AppendUint(dst, root, 10)
			arc -= 40 * root
			first = false
		}
		dst = append(dst, '.')
		dst = strconv.AppendUint(dst, arc, 10)
		arc = 0
	}
	return dst
}

// String is the dotted form.
func (o OID) String() string { return string(o.Append(nil)) }
