// Package sigtran takes captured frames through all layers, link to TCAP, and
// counts what it meets on the way. Frames come in, TCAP messages go out; each
// layer's own package says what it reads.
//
// Nothing vanishes: whatever enters a layer ends in one of that layer's counters,
// see Counters.Balance.
package sigtran

import (
	"net/netip"

	"github.com/tcapflow/tcapflow/internal/sigtran/link"
	"github.com/tcapflow/tcapflow/internal/sigtran/mtp3"
	"github.com/tcapflow/tcapflow/internal/sigtran/sccp"
	"github.com/tcapflow/tcapflow/internal/sigtran/sctp"
	"github.com/tcapflow/tcapflow/internal/sigtran/subscriber"
	"github.com/tcapflow/tcapflow/internal/sigtran/tcap"
)

// Via tells what carried MTP3 or SCCP.
type Via byte

// The carriers. MTP is a TDM link.
const (
	MTP Via = iota
	M3UA
	M2PA
	M2UA
	SUA
)

var viaNames = [...]string{"mtp", "m3ua", "m2pa", "m2ua", "sua"}

func (v Via) String() string { return viaNames[v] }

// Way is how a message came.
type Way struct {
	Time     int64      // capture time of the frame that completed it, nanoseconds since 1970 UTC
	Frame    uint64     // that frame's number in the capture, from 1
	Src, Dst netip.Addr // innermost IP addresses; not valid on a TDM link
	SrcPort  uint16     // SCTP
	DstPort  uint16     // SCTP
	TSN      uint32     // SCTP; the first one of a message in fragments
	Stream   uint16     // SCTP
	Via      Via
	Standard mtp3.Standard // in which point codes and addresses were read
	SLS      byte
	OPC, DPC uint32
	Called   sccp.Address
	Calling  sccp.Address
	Cause    int16 // return cause (ITU-T Q.713 §3.12), or -1: the message was not returned
	Segments uint8 // of SCCP, 0 for a message in one piece
	Partial  bool  // segments are missing, or the capture cut the packet: TCAP goes as far as it goes
}

// Message is a TCAP message with all that was known about its way.
type Message struct {
	Way
	TCAP       tcap.Message
	Subscriber subscriber.Numbers // if Options.Subscribers
	Err        error              // why TCAP is incomplete, or nil
}

// Returned tells that SCCP brought the message back to its sender: its addresses are
// then those of the way back.
func (m *Message) Returned() bool { return m.Cause >= 0 }

// Options of a Decoder.
type Options struct {
	// Standard fixes the form of labels and addresses; without it (Auto), each
	// direction of an association decides for itself by what fits.
	Standard mtp3.Standard
	Auto     bool
	// Ports are further SCTP ports of adaptation layers, by the layer's payload
	// protocol identifier, for senders that leave that at 0 or have one of their own.
	Ports map[uint16]uint32
	// Subscribers has numbers of subscribers looked for in the parameters of operations.
	Subscribers bool
	// Trace, if not nil, is told of messages that come in several frames.
	Trace Trace
}

// Decoder decodes the frames of one capture in order. It is not for
// concurrent use.
type Decoder struct {
	options      Options
	link         link.Decoder
	associations associations
	chunks       sctp.Chunks
	segments     sccp.Segments
	counters     Counters
	found        []Message
	content      *content
	batch        *Batch // of DecodeTo, or nil

	// The frame that is being decoded.
	way      Way
	now      int64
	from     *association
	readings [2]reading // see read
	cut      bool
}

// NewDecoder returns a Decoder.
func NewDecoder(o Options) *Decoder {
	d := &Decoder{options: o, associations: newAssociations()}
	d.content = &content{subscribers: o.Subscribers}
	if o.Trace != nil {
		d.trace(o.Trace)
	}
	return d
}

// Counters returns the counts up to now.
func (d *Decoder) Counters() Counters {
	c := d.counters
	c.Frames.Fragments = d.link.Fragments()
	c.Data.FragmentsJoined = d.associations.budget.Joined
	c.Data.FragmentsIncomplete = d.associations.budget.Incomplete
	c.SCCP.Segments = d.segments.Counters
	d.content.addTo(&c)
	return c
}

// Packets is the number of frames up to now.
func (d *Decoder) Packets() uint64 { return d.counters.Packets }

// Decode returns the TCAP messages of one frame, in the order of its chunks, after
// those that are given up in its time because segments of them did not come. at is
// the capture time in nanoseconds, and now the capture's clock, by which what waits is
// given up; cut says that the capture kept only the beginning of the frame.
// The slice is valid until the next call; nothing in it aliases the frame.
func (d *Decoder) Decode(t link.Type, at, now int64, frame []byte, cut bool) []Message {
	d.found = d.found[:0]
	d.decode(Frame{t, at, now, frame, cut})
	return d.found
}

// Frame is a frame to decode; its fields are the arguments of Decode.
type Frame struct {
	Link    link.Type
	At, Now int64
	Data    []byte
	Cut     bool
}

func (d *Decoder) decode(f Frame) {
	d.counters.Packets++
	d.now = f.Now
	d.lost(d.segments.Lost(f.Now))
	d.way = Way{Time: f.At, Frame: d.counters.Packets, Cause: -1}
	d.from = &d.associations.tdm
	d.link.Frame = d.way.Frame
	p, err := d.link.Decode(f.Link, f.Now, f.Data, f.Cut)
	d.cut = p.Cut
	if f.Cut {
		d.counters.CutPackets++
	}
	if err != nil {
		d.broken(&d.counters.Frames.Cut, &d.counters.Malformed.Link)
		return
	}
	d.frame(p)
}

// broken counts what could not be read: as cut if the capture did that, else as
// malformed.
func (d *Decoder) broken(cut, malformed *uint64) {
	if d.cut {
		*cut++
	} else {
		*malformed++
	}
}

func (d *Decoder) frame(p link.Packet) {
	f := &d.counters.Frames
	switch p.Kind {
	case link.ToSCTP:
		f.SCTP++
		d.way.Src, d.way.Dst = p.Src, p.Dst
		d.sctp(p.Payload)
	case link.ToMTP3:
		f.SS7++
		d.msu(p.Payload)
	case link.ToSCCP:
		f.SS7++
		d.sccp(p.Payload)
	case link.FillIn:
		f.FillIn++
	case link.Unsupported:
		f.Unsupported++
	case link.Other:
		f.Other++
	case link.Fragment:
		if p.Cut {
			f.Cut++
		}
		d.waits()
	}
}

// Close returns the messages of which segments are still missing, and gives up all
// fragments.
func (d *Decoder) Close() []Message {
	d.found = d.found[:0]
	d.lost(d.segments.Close())
	d.link.Close()
	d.associations.close()
	return d.found
}

// message makes room for one more.
func (d *Decoder) message() *Message {
	if n := len(d.found); n < cap(d.found) {
		d.found = d.found[:n+1]
	} else {
		d.found = append(d.found, Message{})
	}
	return &d.found[len(d.found)-1]
}
