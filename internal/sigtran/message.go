package sigtran

import (
	"github.com/tcapflow/tcapflow/internal/sigtran/mtp3"
	"github.com/tcapflow/tcapflow/internal/sigtran/sccp"
	"github.com/tcapflow/tcapflow/internal/sigtran/tcap"
)

// msu takes an MTP3 message with its label in front.
func (d *Decoder) msu(b []byte) {
	service, ok := mtp3.Service(b)
	if ok && service != mtp3.SCCP {
		d.other(service)
		return
	}
	r := d.read(b, true)
	if r.labelErr != nil {
		d.counters.MSU.Total++
		d.broken(&d.counters.MSU.Cut, &d.counters.Malformed.MTP3)
		return
	}
	d.label(&r.label)
	d.taken(r)
}

// user takes an MTP3 message whose label M3UA has decoded.
func (d *Decoder) user(m mtp3.Message) {
	if m.ServiceIndicator != mtp3.SCCP {
		d.other(m.ServiceIndicator)
		return
	}
	d.label(&m)
	d.sccp(m.Data)
}

func (d *Decoder) other(service byte) {
	d.counters.MSU.Total++
	d.counters.MSU.Other++
	d.counters.services[service&0x0f]++
}

func (d *Decoder) label(m *mtp3.Message) {
	d.counters.MSU.Total++
	d.counters.MSU.SCCP++
	d.way.OPC, d.way.DPC, d.way.SLS = m.OPC, m.DPC, m.SLS
}

// sccp takes an SCCP message.
func (d *Decoder) sccp(b []byte) { d.taken(d.read(b, false)) }

// taken goes on with an SCCP message that was read.
func (d *Decoder) taken(r *reading) {
	c := &d.counters.SCCP
	c.Total++
	switch {
	case r.err != nil:
		d.broken(&c.Cut, &d.counters.Malformed.SCCP)
		return
	case !r.ok:
		c.Connection++
		return
	}
	d.way.Standard = r.standard
	d.unitdata(&r.unit)
}

// unitdata takes a connectionless message, whole or a segment.
func (d *Decoder) unitdata(u *sccp.Unitdata) {
	c := &d.counters
	if u.Called.Unread || u.Calling.Unread {
		c.Unread++
	}
	d.way.Called, d.way.Calling, d.way.Cause = u.Called, u.Calling, u.Cause
	d.way.Partial, d.way.Segments = u.Cut, 0
	b := u.Data
	if !u.Segment.Whole() {
		if u.Cut {
			c.SCCP.Cut++
			return
		}
		way := d.way
		d.segments.Frame = d.way.Frame
		whole, n := d.segments.Add(u, d.way.OPC, d.now, func() any { return way })
		if n == 0 {
			d.waits()
			return
		}
		b, d.way.Segments = whole, uint8(n)
	}
	if u.Cause >= 0 {
		c.SCCP.Returned++
	} else {
		c.SCCP.Unitdata++
	}
	d.userData(b)
}

// lost takes up messages of which segments are missing.
func (d *Decoder) lost(list []sccp.Partial) {
	for _, p := range list {
		d.way = p.Tag.(Way)
		d.way.Partial = true
		d.counters.UserData.Partial++
		d.cut = true
		d.userData(p.Data)
	}
}

// userData takes the user data of SCCP to TCAP.
func (d *Decoder) userData(b []byte) {
	c := &d.counters.UserData
	c.Total++
	switch {
	case d.way.Called.SSN == sccp.SSNManagement:
		c.Management++
		return
	case !tcap.Looks(b):
		if d.way.Partial && len(b) == 0 {
			c.Cut++
		} else {
			c.Other++
		}
		return
	}
	m := d.message()
	m.Way = d.way
	if d.batch != nil {
		d.batch.octets = append(d.batch.octets, b...)
		d.batch.ends = append(d.batch.ends, len(d.batch.octets))
		return
	}
	if !d.content.read(m, b) {
		d.found = d.found[:len(d.found)-1]
	}
}
