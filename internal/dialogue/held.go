package dialogue

import (
	"github.com/tcapflow/tcapflow/internal/sigtran/sccp"
	"github.com/tcapflow/tcapflow/internal/sigtran/tcap"
)

// maxHeld bounds the messages that are held; of more, the oldest are given up. At
// 32,768 unmatched messages a second, a rate that a capture of one direction of a busy
// node has, that is all of them for two seconds.
const maxHeld = 1 << 16

// step is what the table keeps of a message that follows a Begin.
type step struct {
	at         int64 // capture time
	frame      uint64
	called     sccp.Address // the side that it is for
	calling    sccp.Address
	opc, dpc   uint32
	otid, dtid tcap.TID
	cause      int16
	kind       tcap.Kind
	returned   bool
	err        Code
}

// held keeps the messages that came before what they follow, oldest first. Their
// numbers go on; the ring holds those from oldest on.
type held struct {
	ring   []heldStep
	byAddr index
	byCode index
	oldest uint32
	end    uint32 // number of the next one
}

type heldStep struct {
	step
	until int64 // of the table's clock
	taken bool
	coded bool // it is in byCode
}

func (h *held) len() int { return int(h.end - h.oldest) }

func (h *held) slot(number uint32) *heldStep { return &h.ring[number%uint32(len(h.ring))] }

// node is the number of a step's place in the ring, as the indexes know it.
func (h *held) node(number uint32) uint32 { return number%uint32(len(h.ring)) + 1 }

// put holds a message; dropped tells that the oldest one had to go for it, or that it
// is not held itself: too many are for the same side.
func (h *held) put(s step, until int64, byAddress, byCode uint32) (dropped bool) {
	if h.byAddr.crowded(byAddress) || s.dpc != 0 && h.byCode.crowded(byCode) {
		return true
	}
	if h.len() == len(h.ring) {
		dropped = h.makeRoom()
	}
	number := h.end
	h.end++
	*h.slot(number) = heldStep{step: s, until: until, coded: s.dpc != 0}
	h.byAddr.add(h.node(number), byAddress)
	if s.dpc != 0 {
		h.byCode.add(h.node(number), byCode)
	}
	return dropped
}

// makeRoom lets the ring grow up to its bound, then drops the oldest; dropped tells
// that this was a message that nobody took.
func (h *held) makeRoom() (dropped bool) {
	if len(h.ring) == maxHeld {
		return h.drop()
	}
	bigger := held{ring: make([]heldStep, max(256, 2*len(h.ring)))}
	for h.len() > 0 {
		s := *h.slot(h.oldest)
		node := h.node(h.oldest)
		number := bigger.end
		bigger.end++
		*bigger.slot(number) = s
		if !s.taken {
			bigger.byAddr.add(bigger.node(number), h.byAddr.hash[node])
			if s.coded {
				bigger.byCode.add(bigger.node(number), h.byCode.hash[node])
			}
		}
		h.oldest++
	}
	*h = bigger
	return false
}

// drop takes the oldest one out; lost tells that nobody took it.
func (h *held) drop() (lost bool) {
	number := h.oldest
	h.oldest++
	if h.slot(number).taken {
		return false
	}
	h.unindex(number)
	return true
}

func (h *held) unindex(number uint32) {
	h.byAddr.remove(h.node(number))
	if h.slot(number).coded {
		h.byCode.remove(h.node(number))
	}
}

// take returns the oldest message that is for a side: of the hashes one fits, so does
// the transaction ID, and the point code is that of the side where both have one.
func (h *held) take(to side) (s step, ok bool) {
	if h.len() == 0 {
		return s, false
	}
	found := h.end
	look := func(x *index, hash uint32) {
		for node := x.first(hash); node != 0; node = x.after(node) {
			number := h.number(node)
			c := h.slot(number)
			fits := c.dtid == to.tid && (c.dpc == to.pc || c.dpc == 0 || to.pc == 0)
			if fits && number-h.oldest < found-h.oldest {
				found = number
			}
		}
	}
	look(&h.byAddr, to.byAddress)
	if to.pc != 0 {
		look(&h.byCode, to.byCode)
	}
	if found == h.end {
		return s, false
	}
	h.unindex(found)
	h.slot(found).taken = true
	return h.slot(found).step, true
}

// number is the inverse of node, for those that are held.
func (h *held) number(node uint32) uint32 {
	size := uint32(len(h.ring))
	return h.oldest + (node-1-h.oldest%size+size)%size
}
