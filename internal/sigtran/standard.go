package sigtran

import (
	"github.com/tcapflow/tcapflow/internal/sigtran/mtp3"
	"github.com/tcapflow/tcapflow/internal/sigtran/sccp"
)

// reading is an SCCP message as it reads in one standard.
type reading struct {
	unit     sccp.Unitdata
	standard mtp3.Standard
	ok       bool // it is connectionless
	err      error
}

// fit tells how well the standard fits the message. Messages of connections have no
// addresses that would tell.
func (r *reading) fit() sccp.Quality {
	switch {
	case r.err != nil:
		return sccp.Broken
	case !r.ok:
		return sccp.Odd
	}
	return r.unit.Quality
}

// forms is what one direction of an association has shown about its standard. A
// message that fits the current one is read in it; one that does not, in the one that
// it fits. After minLead such messages more of another than of the current one, that
// one becomes current: no single message decides for those that come.
type forms struct {
	current mtp3.Standard
	votes   [mtp3.Standards]int8
}

const (
	minLead  = 2
	maxVotes = 100 // so that a change of mind takes no longer than that
)

func (f *forms) vote(s mtp3.Standard) {
	if f.votes[s] < maxVotes {
		f.votes[s]++
	} else {
		for i := range f.votes {
			f.votes[i] /= 2
		}
	}
	if s != f.current && f.votes[s] >= f.votes[f.current]+minLead {
		f.current = s
	}
}

// bestAddresses reads an SCCP message in the standard that fits it best; of two that
// fit alike, the current one, else the first.
func (d *Decoder) bestAddresses(b []byte) reading {
	read := func(s mtp3.Standard) reading {
		r := reading{standard: s}
		r.unit, r.ok, r.err = sccp.Parse(b, s, d.cut)
		return r
	}
	if !d.options.Auto {
		return read(d.options.Standard)
	}
	f := &d.from.forms
	best := read(f.current)
	if best.fit() < sccp.Clean && best.err == nil && best.ok {
		for s := range mtp3.Standards {
			if r := read(s); s != f.current && r.fit() > best.fit() {
				best = r
			}
		}
	}
	if best.fit() == sccp.Clean {
		f.vote(best.standard)
	}
	return best
}

// bestReading does the same for a message with a routing label, whose length depends
// on the standard, too.
func (d *Decoder) bestReading(b []byte) (m mtp3.Message, best *reading, ok bool) {
	read := func(s mtp3.Standard) bool {
		msg, err := mtp3.Parse(b, s)
		if err != nil {
			return false
		}
		r := reading{standard: s}
		r.unit, r.ok, r.err = sccp.Parse(msg.Data, s, d.cut)
		if !ok || r.fit() > best.fit() {
			m, ok = msg, true
			d.best = r
			best = &d.best
		}
		return true
	}
	if !d.options.Auto {
		ok = read(d.options.Standard)
		return m, best, ok
	}
	f := &d.from.forms
	read(f.current)
	for s := mtp3.Standard(0); s < mtp3.Standards && (!ok || best.fit() < sccp.Clean); s++ {
		read(s)
	}
	if ok && best.fit() == sccp.Clean {
		f.vote(best.standard)
	}
	return m, best, ok
}
