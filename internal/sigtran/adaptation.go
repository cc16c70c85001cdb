package sigtran

import (
	"github.com/tcapflow/tcapflow/internal/sigtran/m2pa"
	"github.com/tcapflow/tcapflow/internal/sigtran/m2ua"
	"github.com/tcapflow/tcapflow/internal/sigtran/m3ua"
	"github.com/tcapflow/tcapflow/internal/sigtran/sctp"
	"github.com/tcapflow/tcapflow/internal/sigtran/sua"
	"github.com/tcapflow/tcapflow/internal/sigtran/xua"
)

// sctp takes the user messages out of an SCTP packet.
func (d *Decoder) sctp(packet []byte) {
	err := d.chunks.Parse(packet, d.cut)
	if err != nil {
		d.broken(&d.counters.CutSCTP, &d.counters.Malformed.SCTP)
	}
	d.counters.Control += uint64(d.chunks.Control)
	if len(d.chunks.Data) == 0 {
		return
	}
	d.counters.Chunks += uint64(len(d.chunks.Data))
	d.way.SrcPort, d.way.DstPort = d.chunks.SrcPort, d.chunks.DstPort
	d.from = d.associations.get(d.chunks.Header, d.way.Src, d.way.Dst)
	for _, c := range d.chunks.Data {
		d.chunk(c)
	}
}

func (d *Decoder) chunk(c sctp.Data) {
	if !d.from.untagged && d.from.window.Seen(c.TSN, c.Payload) {
		d.counters.Data.Duplicates++
		return
	}
	if !c.Begin || !c.End {
		c.Frame = d.way.Frame
		var whole bool
		if c, whole = d.from.fragments.Add(&d.associations.budget, c); !whole {
			d.waits()
			return
		}
	}
	d.cut = c.Cut
	d.way.TSN, d.way.Stream = c.TSN, c.Stream
	d.adaptation(d.protocol(c.PPID), c.Payload)
}

// protocol is sctp.Protocol, and where that knows none what the user said of the ports.
func (d *Decoder) protocol(ppid uint32) uint32 {
	h := d.chunks.Header
	if p := sctp.Protocol(h, ppid); p != 0 || len(d.options.Ports) == 0 {
		return p
	}
	if p := d.options.Ports[h.DstPort]; p != 0 {
		return p
	}
	return d.options.Ports[h.SrcPort]
}

// adaptation takes a user message through the layer that stands in for MTP2, MTP3
// or SCCP.
func (d *Decoder) adaptation(protocol uint32, b []byte) {
	c := &d.counters
	switch protocol {
	case sctp.PPIDM3UA:
		c.Data.M3UA++
		d.way.Via = M3UA
		d.xua(b, &c.Malformed.M3UA, (*Decoder).m3ua)
	case sctp.PPIDM2UA:
		c.Data.M2UA++
		d.way.Via = M2UA
		d.xua(b, &c.Malformed.M2UA, (*Decoder).m2ua)
	case sctp.PPIDSUA:
		c.Data.SUA++
		d.way.Via = SUA
		d.xua(b, &c.Malformed.SUA, (*Decoder).sua)
	case sctp.PPIDM2PA:
		c.Data.M2PA++
		d.way.Via = M2PA
		d.m2pa(b)
	default:
		c.Data.Unknown++
		c.lastUnknown = unknown{d.chunks.DstPort, d.chunks.SrcPort}
	}
}

// outcome is what an adaptation layer message was.
type outcome byte

const (
	control outcome = iota // it carries nothing of a user
	data
	broken
)

// xua reads the messages of a chunk: one, but some senders bundle several.
func (d *Decoder) xua(b []byte, malformed *uint64, read func(*Decoder, xua.Message) outcome) {
	c := &d.counters.Adaptation
	for {
		c.Total++
		m, rest, err := xua.Parse(b, d.cut)
		result := broken
		if err == nil {
			result = read(d, m)
		}
		switch result {
		case control:
			c.Control++
		case data:
			c.Data++
		case broken:
			d.broken(&c.Cut, malformed)
			return
		}
		const commonHeader = 8
		if len(rest) < commonHeader {
			d.trailing(rest)
			return
		}
		b = rest
	}
}

// trailing counts a chunk that has more than padding after its last message.
func (d *Decoder) trailing(rest []byte) {
	if len(rest) > 3 {
		d.counters.Adaptation.Trailing++
	}
}

// m3ua reads a message of M3UA. DATA has one Protocol Data (RFC 4666 §3.3.1); if it
// has more, each is read, and those beyond the first are counted.
func (d *Decoder) m3ua(m xua.Message) outcome {
	if !m3ua.IsData(m) {
		return control
	}
	result := control // DATA without any, such as the framing of the protocol's early drafts
	for {
		tag, v, ok, err := m.Params.Next()
		if err != nil {
			return broken
		}
		if !ok {
			return result
		}
		if tag != m3ua.TagProtocolData {
			continue
		}
		msg, err := m3ua.Parse(v)
		if err != nil {
			return broken
		}
		if result == data {
			d.counters.Adaptation.MoreProtocolData++
		}
		result = data
		d.user(msg)
	}
}

func (d *Decoder) m2ua(m xua.Message) outcome {
	if !m2ua.IsData(m) {
		return control
	}
	result := control
	for {
		tag, v, more, err := m.Params.Next()
		if err != nil {
			return broken
		}
		if !more {
			return result
		}
		msu, ok, err := m2ua.Parse(tag, v)
		if err != nil {
			return broken
		}
		if !ok {
			continue
		}
		if result == data {
			d.counters.Adaptation.MoreProtocolData++
		}
		result = data
		d.msu(msu)
	}
}

func (d *Decoder) sua(m xua.Message) outcome {
	if !sua.Connectionless(m) {
		return control
	}
	u, err := sua.Parse(m, d.cut)
	if err != nil {
		return broken
	}
	d.way.OPC, d.way.DPC, d.way.SLS = u.Calling.PC, u.Called.PC, 0
	d.counters.SCCP.Total++
	d.unitdata(&u)
	return data
}

func (d *Decoder) m2pa(b []byte) {
	c := &d.counters.Adaptation
	c.Total++
	msu, rest, ok, err := m2pa.Parse(b, d.cut)
	switch {
	case err != nil:
		d.broken(&c.Cut, &d.counters.Malformed.M2PA)
		return
	case ok:
		c.Data++
		d.msu(msu)
	default:
		c.Control++
	}
	d.trailing(rest)
}
