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
func next(b []byte) (e element, rest []byte, err error) { return nextAt(b, 0) }

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

// oid writes an object identifier in dotted form (X.690 §8.19).
func oid(b []byte) (string, error) {
	const maxOctets = 32
	if len(b) == 0 || len(b) > maxOctets || b[len(b)-1]&0x80 != 0 {
		return "", errOID
	}
	out := make([]byte, 0, 4*len(b))
	var arc uint64
	for _, octet := range b {
		if arc > 1<<32 {
			return "", errOID
		}
		arc = arc<<7 | uint64(octet&0x7f)
		if octet&0x80 != 0 {
			continue
		}
		if len(out) == 0 {
			root := min(arc/40, 2)
			out = strconv.AppendUint(out, root, 10)
			arc -= 40 * root
		}
		out = append(out, '.')
		out = strconv.AppendUint(out, arc, 10)
		arc = 0
	}
	return string(out), nil
}
