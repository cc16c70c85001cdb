package sigtran

import (
	"fmt"

	"github.com/tcapflow/tcapflow/internal/sigtran/link"
	"github.com/tcapflow/tcapflow/internal/sigtran/sccp"
)

// Counters count what was met, layer by layer: whatever enters a layer is counted
// once. The comment of each layer says what its counters add up to.
type Counters struct {
	Packets    uint64     `json:"packets"`
	Frames     Frames     `json:"frames"`
	CutPackets uint64     `json:"cut_packets"`         // of Packets, those that the capture kept in part
	Chunks     uint64     `json:"sctp_chunks"`         // DATA and I-DATA
	Control    uint64     `json:"sctp_control_chunks"` // all others
	CutSCTP    uint64     `json:"sctp_cut"`            // packets whose list of chunks was cut
	Data       Data       `json:"sctp_data"`
	Adaptation Adaptation `json:"adaptation"`
	MSU        MSU        `json:"mtp3"`
	SCCP       SCCP       `json:"sccp"`
	UserData   UserData   `json:"user_data"`
	Unread     uint64     `json:"addresses_unread"` // messages with an address in the form of no standard
	Malformed  Malformed  `json:"malformed"`

	services    [16]uint64 // messages by service indicator, but for SCCP
	lastUnknown unknown
}

// unknown is a port pair of a chunk whose protocol is not known.
type unknown struct{ dst, src uint16 }

// Frames are packets by what they held. They and Malformed.Link add up to Packets.
type Frames struct {
	SCTP        uint64                `json:"sctp"`
	SS7         uint64                `json:"ss7"` // on a TDM link
	FillIn      uint64                `json:"fill_in"`
	Other       uint64                `json:"other"` // neither SCTP nor SS7
	Fragments   link.FragmentCounters `json:"ip_fragments"`
	Unsupported uint64                `json:"unsupported_link"`
	Cut         uint64                `json:"cut"` // by the capture, before that could be told
}

// Data is DATA and I-DATA chunks by the protocol of their user message. They add up
// to Chunks.
type Data struct {
	M3UA                uint64 `json:"m3ua"`
	M2PA                uint64 `json:"m2pa"`
	M2UA                uint64 `json:"m2ua"`
	SUA                 uint64 `json:"sua"`
	Unknown             uint64 `json:"unknown_protocol"`
	Duplicates          uint64 `json:"duplicates"` // sent or captured again
	FragmentsJoined     uint64 `json:"fragments_joined"`
	FragmentsIncomplete uint64 `json:"fragments_incomplete"`
}

// Adaptation is messages of M3UA, M2PA, M2UA and SUA. Data, Control, Cut and the
// malformed ones add up to Total, and there is at least one in each user message.
type Adaptation struct {
	Total            uint64 `json:"total"`
	Data             uint64 `json:"data"`    // with something for MTP3's or SCCP's users
	Control          uint64 `json:"control"` // management, link status, acknowledgements
	Cut              uint64 `json:"cut"`
	MoreProtocolData uint64 `json:"more_protocol_data"` // beyond the one that is allowed; they are read
	Trailing         uint64 `json:"trailing_octets"`    // chunks with octets after their last message
}

// MSU is MTP3 messages. SCCP, Other, Cut and the malformed ones add up to Total.
type MSU struct {
	Total uint64 `json:"total"`
	SCCP  uint64 `json:"sccp"`
	Other uint64 `json:"other_service"` // ISUP, network management, ...
	Cut   uint64 `json:"cut"`
}

// SCCP is SCCP messages: those of MSU.SCCP, of SUA and of links of SCCP. All its
// counters and the malformed ones add up to Total.
type SCCP struct {
	Total      uint64               `json:"total"`
	Unitdata   uint64               `json:"unitdata"`
	Returned   uint64               `json:"returned"`   // UDTS, XUDTS, LUDTS, CLDR
	Connection uint64               `json:"connection"` // of connections
	Segments   sccp.SegmentCounters `json:"segments"`
	Cut        uint64               `json:"cut"`
}

// UserData is user data of SCCP's connectionless messages: SCCP.Unitdata and
// SCCP.Returned, and Partial ones of which segments are missing. TCAP, Returned,
// Management, Other, Cut and Broken add up to Total.
type UserData struct {
	Total      uint64 `json:"total"`
	Partial    uint64 `json:"partial"`
	TCAP       uint64 `json:"tcap"`
	Returned   uint64 `json:"tcap_returned"`
	Management uint64 `json:"management"`
	Other      uint64 `json:"other_user"`
	Cut        uint64 `json:"cut"`
	Broken     uint64 `json:"broken"` // no TCAP message could be made of it
	Trailing   uint64 `json:"trailing_octets"`
}

// Malformed counts by layer what broke that layer's rules. TCAP counts messages that
// could be read in part, too.
type Malformed struct {
	Link uint64 `json:"link"`
	SCTP uint64 `json:"sctp"`
	M3UA uint64 `json:"m3ua"`
	M2PA uint64 `json:"m2pa"`
	M2UA uint64 `json:"m2ua"`
	SUA  uint64 `json:"sua"`
	MTP3 uint64 `json:"mtp3"`
	SCCP uint64 `json:"sccp"`
	TCAP uint64 `json:"tcap"`
}

// Total is the sum over all layers.
func (m Malformed) Total() uint64 {
	return m.Link + m.SCTP + m.adaptation() + m.MTP3 + m.SCCP + m.TCAP
}

func (m Malformed) adaptation() uint64 { return m.M3UA + m.M2PA + m.M2UA + m.SUA }

// Balance tells whether all that came in was counted. It holds for a Decoder that is
// closed; before, fragments and segments may be waiting.
func (c *Counters) Balance() error {
	f, d, a, s, u := c.Frames, c.Data, c.Adaptation, c.SCCP, c.UserData
	carried := d.M3UA + d.M2PA + d.M2UA + d.SUA
	waited := f.Fragments.Joined + f.Fragments.Incomplete
	for _, layer := range []struct {
		name    string
		in, out uint64
	}{
		{"frames", c.Packets, f.SCTP + f.SS7 + f.FillIn + f.Other + waited +
			f.Unsupported + f.Cut + c.Malformed.Link},
		{"chunks", c.Chunks, carried + d.Unknown + d.Duplicates + d.FragmentsJoined + d.FragmentsIncomplete},
		{"adaptation", a.Total, a.Data + a.Control + a.Cut + c.Malformed.adaptation()},
		{"mtp3", c.MSU.Total, c.MSU.SCCP + c.MSU.Other + c.MSU.Cut + c.Malformed.MTP3},
		{"sccp", s.Total, s.Unitdata + s.Returned + s.Connection + s.Segments.Joined + s.Segments.Incomplete +
			s.Cut + c.Malformed.SCCP},
		{"user data, in", s.Unitdata + s.Returned + u.Partial, u.Total},
		{"user data", u.Total, u.TCAP + u.Returned + u.Management + u.Other + u.Cut + u.Broken},
	} {
		if layer.in != layer.out {
			return fmt.Errorf("%s: %d came in, %d were counted: %+v", layer.name, layer.in, layer.out, *c)
		}
	}
	if a.Total < carried || c.MSU.SCCP > s.Total {
		return fmt.Errorf("messages vanish between layers: %+v", *c)
	}
	return nil
}
