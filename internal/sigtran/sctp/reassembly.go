package sctp

import (
	"net/netip"
	"slices"
)

// Bounds of what a Reassembler keeps for hostile or lossy captures.
const (
	maxAssociations = 1024
	maxFragments    = 64        // for each direction of an association
	maxMessage      = 64 * 1024 // octets of one user message
	maxHeld         = 64 << 20  // octets of all fragments
)

// Direction names one direction of an association.
type Direction struct {
	Src, Dst netip.Addr
	Header
}

// key leaves the addresses out, because a multihomed sender may use another one
// for each fragment; the verification tag is random for each association
// (RFC 9260 §5.3.1). Only made-up traffic has the tag 0 on DATA.
func (d Direction) key() Direction {
	if d.VerificationTag != 0 {
		d.Src, d.Dst = netip.Addr{}, netip.Addr{}
	}
	return d
}

// Reassembler joins fragmented user messages (RFC 9260 §6.9), in whatever
// order the fragments come. The zero value is ready for use.
type Reassembler struct {
	parts   map[Direction][]Data // sorted by TSN
	order   []Direction          // oldest first
	held    int                  // octets
	dropped uint64
}

// Dropped counts the fragments that were given up to stay within bounds.
func (r *Reassembler) Dropped() uint64 { return r.dropped }

// Add takes a fragment, copies it, and returns the whole message once it is
// complete: the first fragment's fields with the joined payload. A fragment
// that is there already is ignored.
func (r *Reassembler) Add(from Direction, d Data) (Data, bool) {
	key := from.key()
	parts := r.open(key)
	at, known := slices.BinarySearchFunc(parts, d.TSN, func(p Data, tsn uint32) int {
		return int(int32(p.TSN - tsn)) // serial number arithmetic, RFC 1982
	})
	if known {
		return Data{}, false
	}
	d.Payload = slices.Clone(d.Payload)
	parts = slices.Insert(parts, at, d)
	r.held += len(d.Payload)

	message, first, last, ok := join(parts, at)
	if ok {
		parts = r.remove(parts, first, last+1)
	} else if len(parts) > maxFragments {
		parts = r.remove(parts, 0, 1)
		r.dropped++
	}
	r.parts[key] = parts
	for r.held > maxHeld {
		r.forgetOldest()
	}
	return message, ok
}

// open returns the fragments of a direction, and makes room if it is new.
func (r *Reassembler) open(key Direction) []Data {
	if parts, ok := r.parts[key]; ok {
		return parts
	}
	if r.parts == nil {
		r.parts = make(map[Direction][]Data)
	}
	if len(r.order) == maxAssociations {
		r.forgetOldest()
	}
	r.order = append(r.order, key)
	r.parts[key] = nil
	return nil
}

func (r *Reassembler) forgetOldest() {
	oldest := r.order[0]
	r.order = slices.Delete(r.order, 0, 1)
	r.dropped += uint64(len(r.parts[oldest]))
	r.remove(r.parts[oldest], 0, len(r.parts[oldest]))
	delete(r.parts, oldest)
}

// remove takes parts[from:to] out.
func (r *Reassembler) remove(parts []Data, from, to int) []Data {
	for _, p := range parts[from:to] {
		r.held -= len(p.Payload)
	}
	return slices.Delete(parts, from, to)
}

// join looks for a run of consecutive TSNs around parts[at] that starts with a
// first fragment and ends with a last one, on one stream.
func join(parts []Data, at int) (message Data, first, last int, ok bool) {
	follows := func(i int) bool {
		return parts[i].TSN == parts[i-1].TSN+1 && parts[i].Stream == parts[i-1].Stream
	}
	for first = at; !parts[first].Begin; first-- {
		if first == 0 || !follows(first) {
			return Data{}, 0, 0, false
		}
	}
	for last = at; !parts[last].End; last++ {
		if last+1 == len(parts) || !follows(last+1) {
			return Data{}, 0, 0, false
		}
	}
	message = parts[first]
	message.End = true
	for _, p := range parts[first+1 : last+1] {
		message.Payload = append(message.Payload, p.Payload...)
	}
	if len(message.Payload) > maxMessage {
		message.Payload = message.Payload[:maxMessage]
	}
	return message, first, last, true
}
