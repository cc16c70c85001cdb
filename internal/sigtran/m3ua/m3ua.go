// Package m3ua reads the DATA message of the MTP3 user adaptation layer
// (RFC 4666).
package m3ua

import (
	"encoding/binary"
	"errors"

	"github.com/tcapflow/tcapflow/internal/sigtran/mtp3"
	"github.com/tcapflow/tcapflow/internal/sigtran/xua"
)

const (
	classTransfer   = 1      // RFC 4666 §3.1.2
	typeData        = 1      // RFC 4666 §3.1.2.1
	tagProtocolData = 0x0210 // RFC 4666 §3.3.1
	protocolDataLen = 12     // before the user data
)

var errShort = errors.New("protocol data shorter than its 12 octet label")

// Parse returns the MTP3 message in a DATA message: Protocol Data holds the
// originating and destination point codes (4 octets each, big endian), service
// indicator, network indicator, message priority, signalling link selection
// (an octet each) and the user data (RFC 4666 §3.3.1). ok is false for every
// other message, and for DATA without Protocol Data, such as the framing of
// the protocol's early drafts.
func Parse(b []byte) (m mtp3.Message, ok bool, err error) {
	msg, err := xua.Parse(b)
	if err != nil {
		return m, false, err
	}
	if msg.Class != classTransfer || msg.Type != typeData {
		return m, false, nil
	}
	v, ok, err := msg.Param(tagProtocolData)
	if err != nil || !ok {
		return m, false, err
	}
	if len(v) < protocolDataLen {
		return m, false, errShort
	}
	return mtp3.Message{
		OPC:              binary.BigEndian.Uint32(v),
		DPC:              binary.BigEndian.Uint32(v[4:]),
		ServiceIndicator: v[8],
		NetworkIndicator: v[9],
		SLS:              v[11],
		Data:             v[protocolDataLen:],
	}, true, nil
}
