// Package m2ua reads the Data message of the MTP2 user adaptation layer
// (RFC 3331).
package m2ua

import (
	"errors"

	"github.com/tcapflow/tcapflow/internal/sigtran/xua"
)

const (
	classMAUP = 6 // RFC 3331 §3.1.3
	typeData  = 1 // RFC 3331 §3.1.4
)

// Parameters that hold an MTP3 message, RFC 3331 §3.3.1.1: the second is for TTC's
// MTP, and has its length indicator in front.
const (
	TagProtocolData1 = 0x0300
	TagProtocolData2 = 0x0301
)

var errShort = errors.New("protocol data 2 without its length indicator")

// IsData tells whether a message is Data.
func IsData(m xua.Message) bool { return m.Class == classMAUP && m.Type == typeData }

// Parse returns the MTP3 message, from its service information octet on, that a
// parameter holds; ok is false for other parameters.
func Parse(tag uint16, v []byte) (msu []byte, ok bool, err error) {
	switch {
	case tag == TagProtocolData1:
		return v, true, nil
	case tag != TagProtocolData2:
		return nil, false, nil
	case len(v) == 0:
		return nil, true, errShort
	}
	return v[1:], true, nil
}
