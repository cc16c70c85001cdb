package sctp

import "hash/maphash"

// windowSize is how many TSNs back a chunk is known again. A sender may have no more
// outstanding than its peer's receive window holds, RFC 9260 §6.1 (256 KiB, say, of
// messages of a hundred octets), so time does not matter: a chunk that is sent again
// after minutes is within it.
const windowSize = 2048

// Window remembers which chunks of one direction of an association were there. It
// keeps a hash of the payload with each TSN, as there are captures, made from hex
// dumps, whose TSNs are all the same.
type Window struct {
	seen  [windowSize]uint16 // hash by TSN; 0: it was not there
	top   uint32             // the greatest TSN
	began bool
}

var seed = maphash.MakeSeed()

// Seen tells whether a chunk was there before, and remembers it. One that is far from
// all that were, as in a file that goes back to an earlier time, begins anew.
func (w *Window) Seen(tsn uint32, payload []byte) bool {
	hash := uint16(maphash.Bytes(seed, payload)) | 1
	ahead := int32(tsn - w.top) // serial number arithmetic, RFC 1982
	switch {
	case !w.began || ahead >= windowSize || ahead <= -windowSize:
		*w = Window{top: tsn, began: true}
	case ahead > 0:
		for t := w.top + 1; t != tsn; t++ {
			w.seen[t%windowSize] = 0
		}
		w.seen[tsn%windowSize] = 0
		w.top = tsn
	}
	known := w.seen[tsn%windowSize] == hash
	w.seen[tsn%windowSize] = hash
	return known
}
