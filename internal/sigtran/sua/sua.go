// Package sua reads the connectionless messages of the SCCP user adaptation layer
// (RFC 3868): CLDT, which carries user data, and CLDR, which brings it back.
package sua

import (
	"encoding/binary"
	"errors"

	"github.com/tcapflow/tcapflow/internal/sigtran/sccp"
	"github.com/tcapflow/tcapflow/internal/sigtran/xua"
)

const (
	classConnectionless = 7 // RFC 3868 §3.1.2
	typeCLDT            = 1 // RFC 3868 §3.1.3
	typeCLDR            = 2
)

// Parameters, RFC 3868 §3.10.
const (
	tagSource       = 0x0102
	tagDestination  = 0x0103
	tagCause        = 0x0106
	tagData         = 0x010b
	tagSegmentation = 0x0117
	tagGlobalTitle  = 0x8001
	tagPointCode    = 0x8002
	tagSSN          = 0x8003
)

var (
	errAddress = errors.New("address parameter shorter than its fields")
	errCause   = errors.New("cause parameter shorter than its field")
	errNoData  = errors.New("connectionless message without user data")
)

// Connectionless tells whether a message is CLDT or CLDR.
func Connectionless(m xua.Message) bool {
	return m.Class == classConnectionless && (m.Type == typeCLDT || m.Type == typeCLDR)
}

// Parse reads a connectionless message. If it is cut, so may be the data.
func Parse(m xua.Message, cut bool) (u sccp.Unitdata, err error) {
	u.Cause, u.Quality, u.Cut = -1, sccp.Clean, cut
	for {
		tag, v, ok, err := m.Params.Next()
		if err == nil && ok {
			err = param(&u, tag, v)
		}
		if err != nil {
			return u, err
		}
		if !ok {
			break
		}
	}
	if u.Data == nil {
		return u, errNoData
	}
	if m.Type == typeCLDT {
		u.Cause = -1
	}
	return u, nil
}

// param takes one parameter.
func param(u *sccp.Unitdata, tag uint16, v []byte) error {
	switch tag {
	case tagSource:
		return address(&u.Calling, v)
	case tagDestination:
		return address(&u.Called, v)
	case tagCause: // reserved (2 octets), type, value: RFC 3868 §3.10.6
		if len(v) < 4 {
			return errCause
		}
		u.Cause = int16(v[3])
	case tagSegmentation:
		if len(v) == 4 {
			u.Segment = sccp.SegmentOf(v)
		}
	case tagData:
		u.Data = v
	}
	return nil
}

// address reads a source or destination address: routing indicator and address
// indicator (2 octets each), then parameters (RFC 3868 §3.10.2). Routing indicator 1
// is for the global title.
func address(a *sccp.Address, v []byte) error {
	if len(v) < 4 {
		return errAddress
	}
	a.RouteOnSSN = binary.BigEndian.Uint16(v) != 1
	params := xua.ParamsOf(v[4:])
	for {
		tag, v, ok, err := params.Next()
		if err != nil || !ok {
			return err
		}
		switch {
		case tag == tagPointCode && len(v) >= 4:
			a.PC = binary.BigEndian.Uint32(v)
		case tag == tagSSN && len(v) >= 4: // reserved (3 octets) in front
			a.SSN = v[3]
		case tag == tagGlobalTitle && len(v) >= 8:
			title(a, v)
		}
	}
}

// title reads a global title: reserved (3 octets), indicator, number of digits,
// translation type, numbering plan, nature of address, digits (RFC 3868 §3.10.2.3).
func title(a *sccp.Address, v []byte) {
	a.GTI, a.TT, a.Plan, a.Nature = v[3], v[5], v[6], v[7]
	a.SetDigits(v[8:], int(v[4]))
}
