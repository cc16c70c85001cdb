package sigtran

import (
	"github.com/tcapflow/tcapflow/internal/sigtran/mtp3"
	"github.com/tcapflow/tcapflow/internal/sigtran/sccp"
)

// reading is an MTP3 or SCCP message as it reads in one standard.
type reading struct {
	label    mtp3.Message // of a message that has one
	unit     sccp.Unitdata
	standard mtp3.Standard
	ok       bool  // it is connectionless
	labelErr error // the label could not be read
	err      error // the SCCP message could not
}

// take reads a message, whose label comes first if it has one.
func (r *reading) take(b []byte, labelled bool, s mtp3.Standard, cut bool) {
	r.standard, r.ok, r.labelErr, r.err = s, false, nil, nil
	if labelled {
		if r.label, r.labelErr = mtp3.Parse(b, s); r.labelErr != nil {
			return
		}
		b = r.label.Data
	}
	r.ok, r.err = r.unit.Parse(b, s, cut)
}

// fit tells how well the standard fits the message. Messages of connections have no
// addresses that would tell.
func (r *reading) fit() sccp.Quality {
	switch {
	case r.labelErr != nil, r.err != nil:
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

// read reads a message in the standard that fits it best; of two that fit alike, the
// current one, else the first. The result is valid until the next call.
func (d *Decoder) read(b []byte, labelled bool) *reading {
	best, other := &d.readings[0], &d.readings[1]
	if !d.options.Auto {
		best.take(b, labelled, d.options.Standard, d.cut)
		return best
	}
	f := &d.from.forms
	best.take(b, labelled, f.current, d.cut)
	if d.tells(best, labelled) {
		for s := range mtp3.Standards {
			if s == f.current {
				continue
			}
			other.take(b, labelled, s, d.cut)
			if other.fit() > best.fit() {
				best, other = other, best
			}
		}
	}
	if best.fit() == sccp.Clean {
		f.vote(best.standard)
	}
	return best
}

// tells says whether another standard is worth a try: this one does not fit, and what
// does not is a label or an address.
func (d *Decoder) tells(r *reading, labelled bool) bool {
	return r.fit() < sccp.Clean && (labelled || r.err == nil && r.ok)
}
