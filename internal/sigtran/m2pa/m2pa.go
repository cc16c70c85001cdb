// Package m2pa reads the User Data message of the MTP2 peer-to-peer adaptation
// layer (RFC 4165).
package m2pa

import (
	"encoding/binary"
	"errors"
)

const (
	version      = 1
	class        = 11 // RFC 4165 §2.1.3
	typeUserData = 1  // RFC 4165 §2.1.4
	headerLen    = 16 // common header and sequence numbers, RFC 4165 §2.2
)

var (
	errShort   = errors.New("message shorter than its 16 octet headers")
	errVersion = errors.New("version is not 1, or message class not 11")
	errLength  = errors.New("message length disagrees with the chunk")
)

// Parse returns the MTP3 message, from its service information octet on, that
// a User Data message carries, and what follows the message. Its headers are
// version, spare, class, type, length of the whole message (4 octets), and the
// backward and forward sequence numbers (24 bits in 4 octets each), all big endian;
// the priority octet of RFC 4165 §2.3.1 comes before the service information octet.
// ok is false for link status and for the empty User Data that only acknowledges. If
// b is cut, so may be the message.
func Parse(b []byte, cut bool) (msu, rest []byte, ok bool, err error) {
	if len(b) < headerLen {
		return nil, nil, false, errShort
	}
	if b[0] != version || b[2] != class {
		return nil, nil, false, errVersion
	}
	length := binary.BigEndian.Uint32(b[4:])
	if length < headerLen || !cut && length > uint32(len(b)) {
		return nil, nil, false, errLength
	}
	end := min(length, uint32(len(b)))
	b, rest = b[:end], b[end:]
	if b[3] != typeUserData || len(b) == headerLen {
		return nil, rest, false, nil
	}
	return b[headerLen+1:], rest, true, nil
}
