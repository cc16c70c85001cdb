package sigtran

import (
	"hash/maphash"
	"net/netip"

	"github.com/tcapflow/tcapflow/internal/sigtran/sctp"
)

// maxAssociations bounds the directions of associations that are remembered at a
// time; each takes four kilobytes and more.
const maxAssociations = 4096

// association is what is remembered of one direction of an SCTP association.
type association struct {
	window    sctp.Window
	fragments sctp.Reassembler
	forms     forms
	key       uint64
	untagged  bool // the verification tag is 0
	used      bool // since the hand came by, see evict
}

// associations finds the direction that a packet belongs to.
type associations struct {
	tdm    association // what stands in for one on links without SCTP
	byKey  map[uint64]*association
	list   []*association
	hand   int
	last   *association
	budget sctp.Budget
	seed   maphash.Seed
}

func newAssociations() associations {
	return associations{byKey: make(map[uint64]*association), seed: maphash.MakeSeed()}
}

// get returns the direction. It is named by ports and verification tag, which is
// random for each direction (RFC 9260 §5.3.1), and not by addresses, because a
// multihomed sender may use another one for each packet. Only made-up traffic has
// the tag 0 on DATA: then addresses count, and TSNs do not, as nothing tells one
// association from the next.
func (a *associations) get(h sctp.Header, src, dst netip.Addr) *association {
	key := uint64(h.VerificationTag)<<32 | uint64(h.SrcPort)<<16 | uint64(h.DstPort)
	if h.VerificationTag == 0 {
		key ^= maphash.Comparable(a.seed, [2]netip.Addr{src, dst})
	}
	if a.last != nil && a.last.key == key {
		return a.last
	}
	at, ok := a.byKey[key]
	if !ok {
		at = a.add(key)
		at.untagged = h.VerificationTag == 0
	}
	at.used = true
	a.last = at
	return at
}

// add takes a new direction up, in the place of one that was not used of late if
// there are too many.
func (a *associations) add(key uint64) *association {
	if len(a.list) < maxAssociations {
		at := &association{key: key}
		a.list = append(a.list, at)
		a.byKey[key] = at
		return at
	}
	at := a.evict()
	delete(a.byKey, at.key)
	at.fragments.Close(&a.budget)
	*at = association{key: key}
	a.byKey[key] = at
	return at
}

// evict goes round until it finds one that was not used since it came by last.
func (a *associations) evict() *association {
	for {
		at := a.list[a.hand]
		a.hand = (a.hand + 1) % len(a.list)
		if !at.used {
			return at
		}
		at.used = false
	}
}

func (a *associations) close() {
	for _, at := range a.list {
		at.fragments.Close(&a.budget)
	}
}
