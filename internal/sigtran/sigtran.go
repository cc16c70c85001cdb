// Package sigtran takes a captured frame through all layers, link to TCAP, and
// counts what it meets on the way. Frames come in, TCAP messages go out; each
// layer's own package says what it reads.
package sigtran

import (
	"errors"
	"net/netip"
	"time"

	"github.com/gopacket/gopacket/layers"

	"github.com/tcapflow/tcapflow/internal/sigtran/link"
	"github.com/tcapflow/tcapflow/internal/sigtran/m2pa"
	"github.com/tcapflow/tcapflow/internal/sigtran/m2ua"
	"github.com/tcapflow/tcapflow/internal/sigtran/m3ua"
	"github.com/tcapflow/tcapflow/internal/sigtran/mtp3"
	"github.com/tcapflow/tcapflow/internal/sigtran/sccp"
	"github.com/tcapflow/tcapflow/internal/sigtran/sctp"
	"github.com/tcapflow/tcapflow/internal/sigtran/tcap"
)

// Message is a TCAP message with all that was known about its way.
type Message struct {
	Time     time.Time // capture time of the frame that completed it
	Frame    uint64    // that frame's number, from 1
	Src, Dst netip.Addr
	Via      string // "m3ua", "m2pa", "m2ua", or "mtp" for a TDM link
	OPC, DPC uint32
	Called   sccp.Address
	Calling  sccp.Address
	TCAP     tcap.Message
	Err      error // why TCAP is incomplete, or nil
}

// Counters count frames, chunks and what could not be decoded.
type Counters struct {
	Packets     uint64    `json:"packets"`
	Unsupported uint64    `json:"unsupported_link"`       // frames of a link type that is not supported
	Fragments   uint64    `json:"ip_fragments"`           // IP fragments, passed over
	Chunks      uint64    `json:"sctp_chunks"`            // DATA chunks
	OtherUsers  uint64    `json:"other_sccp"`             // SCCP user data that is no ITU-T TCAP
	Segments    uint64    `json:"sccp_segments"`          // segments of XUDT, passed over
	Dropped     uint64    `json:"sctp_fragments_dropped"` // fragments given up to stay within bounds
	Malformed   Malformed `json:"malformed"`
}

// Malformed counts by layer what broke that layer's rules.
type Malformed struct {
	Link uint64 `json:"link"`
	SCTP uint64 `json:"sctp"`
	M3UA uint64 `json:"m3ua"`
	M2PA uint64 `json:"m2pa"`
	M2UA uint64 `json:"m2ua"`
	MTP3 uint64 `json:"mtp3"`
	SCCP uint64 `json:"sccp"`
	TCAP uint64 `json:"tcap"`
}

// Total is the sum over all layers.
func (m Malformed) Total() uint64 {
	return m.Link + m.SCTP + m.M3UA + m.M2PA + m.M2UA + m.MTP3 + m.SCCP + m.TCAP
}

// Decoder decodes the frames of one capture in order. It is not for
// concurrent use.
type Decoder struct {
	link      *link.Decoder
	fragments sctp.Reassembler
	chunks    []sctp.Data
	counters  Counters
	found     []Message
}

// NewDecoder returns a Decoder.
func NewDecoder() *Decoder { return &Decoder{link: link.NewDecoder()} }

// Counters returns the counts up to now.
func (d *Decoder) Counters() Counters {
	c := d.counters
	c.Dropped = d.fragments.Dropped()
	return c
}

// Decode returns the TCAP messages of one frame, in the order of its chunks.
// The slice is valid until the next call; nothing in it aliases the frame.
func (d *Decoder) Decode(t layers.LinkType, at time.Time, frame []byte) []Message {
	d.counters.Packets++
	d.found = d.found[:0]
	m := Message{Time: at, Frame: d.counters.Packets}
	if !link.Supported(t) {
		d.counters.Unsupported++
		return nil
	}
	p, err := d.link.Decode(t, frame)
	if err != nil {
		d.counters.Malformed.Link++
		return nil
	}
	switch p.Kind {
	case link.Fragment:
		d.counters.Fragments++
	case link.SCTP:
		m.Src, m.Dst = p.Src, p.Dst
		d.sctp(m, p.Payload)
	case link.MTP3:
		m.Via = "mtp"
		d.mtp3(m, p.Payload)
	case link.SCCP:
		m.Via = "mtp"
		d.sccp(m, p.Payload)
	}
	return d.found
}

func (d *Decoder) sctp(m Message, packet []byte) {
	h, chunks, err := sctp.Parse(packet, d.chunks[:0])
	d.chunks = chunks
	if err != nil {
		d.counters.Malformed.SCTP++
	}
	d.counters.Chunks += uint64(len(chunks))
	for _, c := range chunks {
		if !c.Begin || !c.End {
			var whole bool
			if c, whole = d.fragments.Add(sctp.Direction{Src: m.Src, Dst: m.Dst, Header: h}, c); !whole {
				continue
			}
		}
		d.adaptation(m, sctp.Protocol(h, c.PPID), c.Payload)
	}
}

// adaptation takes a user message through the layer that stands in for MTP2
// or MTP3.
func (d *Decoder) adaptation(m Message, protocol uint32, b []byte) {
	switch protocol {
	case sctp.PPIDM3UA:
		m.Via = "m3ua"
		msg, ok, err := m3ua.Parse(b)
		if d.check(err, &d.counters.Malformed.M3UA) && ok {
			d.user(m, msg)
		}
	case sctp.PPIDM2PA:
		m.Via = "m2pa"
		msu, ok, err := m2pa.Parse(b)
		if d.check(err, &d.counters.Malformed.M2PA) && ok {
			d.mtp3(m, msu)
		}
	case sctp.PPIDM2UA:
		m.Via = "m2ua"
		msu, ok, err := m2ua.Parse(b)
		if d.check(err, &d.counters.Malformed.M2UA) && ok {
			d.mtp3(m, msu)
		}
	}
}

// check counts an error and tells whether there was none.
func (d *Decoder) check(err error, malformed *uint64) bool {
	if err != nil {
		*malformed++
	}
	return err == nil
}

func (d *Decoder) mtp3(m Message, b []byte) {
	msg, err := mtp3.Parse(b)
	if d.check(err, &d.counters.Malformed.MTP3) {
		d.user(m, msg)
	}
}

func (d *Decoder) user(m Message, msg mtp3.Message) {
	if msg.ServiceIndicator == mtp3.SCCP {
		m.OPC, m.DPC = msg.OPC, msg.DPC
		d.sccp(m, msg.Data)
	}
}

func (d *Decoder) sccp(m Message, b []byte) {
	u, ok, err := sccp.Parse(b)
	if errors.Is(err, sccp.ErrSegmented) {
		d.counters.Segments++
		return
	}
	if !d.check(err, &d.counters.Malformed.SCCP) || !ok {
		return
	}
	if u.Called.SSN == sccp.SSNManagement || !tcap.Looks(u.Data) {
		d.counters.OtherUsers++
		return
	}
	m.Called, m.Calling = u.Called, u.Calling
	m.TCAP, ok, m.Err = tcap.Parse(u.Data)
	if m.Err != nil {
		d.counters.Malformed.TCAP++
	}
	if ok {
		d.found = append(d.found, m)
	}
}
