// Package m2ua reads the Data message of the MTP2 user adaptation layer
// (RFC 3331).
package m2ua

import (
	"errors"

	"github.com/tcapflow/tcapflow/internal/sigtran/xua"
)

const (
	classMAUP        = 6      // RFC 3331 §3.1.3
	typeData         = 1      // RFC 3331 §3.1.4
	tagProtocolData1 = 0x0300 // RFC 3331 §3.3.1.1
	tagProtocolData2 = 0x0301 // the same for TTC's MTP
)

var errShort = errors.New("protocol data 2 without its length indicator")

// Parse returns the MTP3 message, from its service information octet on, that
// a Data message carries; in Protocol Data 2 TTC's length indicator comes
// before it. ok is false for every other message.
func Parse(b []byte) (msu []byte, ok bool, err error) {
	msg, err := xua.Parse(b)
	if err != nil {
		return nil, false, err
	}
	if msg.Class != classMAUP || msg.Type != typeData {
		return nil, false, nil
	}
	msu, ok, err = msg.Param(tagProtocolData1)
	if ok || err != nil {
		return msu, ok, err
	}
	msu, ok, err = msg.Param(tagProtocolData2)
	if ok && len(msu) == 0 {
		return nil, false, errShort
	}
	if ok {
		msu = msu[1:]
	}
	return msu, ok, err
}
