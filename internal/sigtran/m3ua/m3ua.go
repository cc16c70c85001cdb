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
	classTransfer   = 1  // RFC 4666 §3.1.2
	typeData        = 1  // RFC 4666 §3.1.2.1
	protocolDataLen = 12 // before the user data
)

// TagProtocolData is the parameter that holds an MTP3 message, RFC 4666 §3.3.1.
const TagProtocolData = 0x0210

var errShort = errors.New("protocol data shorter than its 12 octet label")

// IsData tells whether a message is DATA. Management and the rest carry no MTP3
// message.
func IsData(m xua.Message) bool { return m.Class == classTransfer && m.Type == typeData }

// Parse reads Protocol Data: the originating and destination point codes (4 octets
// each, big endian), service indicator, network indicator, message priority,
// signalling link selection (an octet each) and the user data (RFC 4666 §3.3.1).
func Parse(v []byte) (mtp3.Message, error) {
	if len(v) < protocolDataLen {
		return mtp3.Message{}, errShort
	}
	return mtp3.Message{
		OPC:              binary.BigEndian.Uint32(v),
		DPC:              binary.BigEndian.Uint32(v[4:]),
		ServiceIndicator: v[8],
		NetworkIndicator: v[9],
		SLS:              v[11],
		Data:             v[protocolDataLen:],
	}, nil
}
