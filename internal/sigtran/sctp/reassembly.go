package sctp

import (
	"cmp"
	"slices"
)

// Bounds of what Reassemblers keep for hostile or lossy captures.
const (
	maxFragments = 256       // of one direction of an association
	maxMessage   = 64 * 1024 // octets of one user message
	maxHeld      = 64 << 20  // octets of all fragments
)

// Budget is shared by all Reassemblers: what they hold together, and what became of
// the fragments that they were given. The last fragment that comes counts as the
// message.
type Budget struct {
	held       int    // octets
	Joined     uint64 // fragments of messages that became whole
	Incomplete uint64 // of those that did not: lost, given up to stay within bounds, or too long

	Joins func(frame uint64) // if not nil, told the frames of a message that became whole
}

// Reassembler joins fragmented user messages (RFC 9260 §6.9, RFC 8260 §2.2) of one
// direction of an association, in whatever order they come. The zero value is ready
// for use.
type Reassembler struct {
	parts []Data // sorted by group and sequence
}

// Add takes a fragment, copies it, and returns the whole message once it is
// complete: the first fragment's fields with the joined payload. Fragments are
// expected once each: see Window.
func (r *Reassembler) Add(budget *Budget, d Data) (Data, bool) {
	at, known := slices.BinarySearchFunc(r.parts, d, compare)
	if known || d.Cut || budget.held+len(d.Payload) > maxHeld {
		budget.Incomplete++
		return Data{}, false
	}
	d.Payload = slices.Clone(d.Payload)
	r.parts = slices.Insert(r.parts, at, d)
	budget.held += len(d.Payload)

	first, last, ok := run(r.parts, at)
	if !ok {
		if len(r.parts) > maxFragments {
			r.remove(budget, 0, 1)
			budget.Incomplete++
		}
		return Data{}, false
	}
	message, ok := join(r.parts[first : last+1])
	if ok && budget.Joins != nil {
		for _, p := range r.parts[first : last+1] {
			budget.Joins(p.Frame)
		}
	}
	r.remove(budget, first, last+1)
	if !ok {
		budget.Incomplete += uint64(last + 1 - first)
		return Data{}, false
	}
	budget.Joined += uint64(last - first)
	return message, true
}

// Close gives up what is held.
func (r *Reassembler) Close(budget *Budget) {
	budget.Incomplete += uint64(len(r.parts))
	r.remove(budget, 0, len(r.parts))
}

// remove takes parts[from:to] out.
func (r *Reassembler) remove(budget *Budget, from, to int) {
	for _, p := range r.parts[from:to] {
		budget.held -= len(p.Payload)
	}
	r.parts = slices.Delete(r.parts, from, to)
}

// compare orders by TSN whatever the stream, for a message of DATA has consecutive
// ones, but I-DATA by message first.
func compare(a, b Data) int {
	if a.group&iDataGroup != 0 || b.group&iDataGroup != 0 {
		if c := cmp.Compare(a.group, b.group); c != 0 {
			return c
		}
	}
	return int(int32(a.seq - b.seq)) // serial number arithmetic, RFC 1982
}

// run looks for consecutive fragments around parts[at] that start with a first one
// and end with a last one, of one message or stream.
func run(parts []Data, at int) (first, last int, ok bool) {
	follows := func(i int) bool {
		return parts[i].seq == parts[i-1].seq+1 && parts[i].group == parts[i-1].group
	}
	for first = at; !parts[first].Begin; first-- {
		if first == 0 || !follows(first) {
			return 0, 0, false
		}
	}
	for last = at; !parts[last].End; last++ {
		if last+1 == len(parts) || !follows(last+1) {
			return 0, 0, false
		}
	}
	return first, last, true
}

// join puts fragments together; it is not done for a message that is longer than
// any of SS7 can be.
func join(parts []Data) (message Data, ok bool) {
	total := 0
	for _, p := range parts {
		total += len(p.Payload)
	}
	if total > maxMessage {
		return Data{}, false
	}
	message = parts[0]
	message.End = true
	message.Payload = make([]byte, 0, total)
	for _, p := range parts {
		message.Payload = append(message.Payload, p.Payload...)
	}
	return message, true
}
