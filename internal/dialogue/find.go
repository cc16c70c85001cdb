package dialogue

// find looks for the dialogue of a message, first by address, then by point code.
func (t *Table) find(s *step, byAddress, byCode uint32) (number uint32, toInitiator, ok bool) {
	c := t.choose(byAddress, initiatorAddress, s)
	if c.rank >= hop || c.count == 1 {
		return c.number, c.toInitiator, true
	}
	if s.dpc == 0 {
		return 0, false, false
	}
	c = t.choose(byCode, initiatorCode, s)
	if c.equals != 1 {
		return 0, false, false
	}
	t.counters.ByPointCode++
	return c.number, c.toInitiator, true
}

// Ranks of a candidate: its point codes are those of another hop, the one of the
// initiator is that of the message, or both are.
const (
	otherHop = 1 + iota
	hop
	bothCodes
)

// candidate is the best one of those that share a side.
type candidate struct {
	number      uint32
	toInitiator bool
	rank        int
	equals      int // of this rank
	count       int // of all
}

// choose takes the dialogue on whose hop the message is: towards the initiator
// its destination is the point code that the Begin came from, towards the
// responder its origin is. Of equals, it is the oldest. role is the initiator's; the
// responder's is the same of the other side.
func (t *Table) choose(hash uint32, role int, s *step) (best candidate) {
	for node := t.index.first(hash); node != 0 && best.count < maxHops; node = t.index.after(node) {
		number, is := split(node)
		e := t.entry(number)
		near, far := s.dpc, s.opc // of the initiator, of the responder
		switch {
		case is == role && e.OTID == s.dtid:
		case is == role+responderAddress && e.DTID == s.dtid:
			near, far = far, near
		default:
			continue
		}
		best.count++
		rank := otherHop
		if e.OPC == near {
			rank = hop
			if e.DPC == far {
				rank = bothCodes
			}
		}
		switch {
		case rank > best.rank:
			best.rank, best.equals = rank, 0
			fallthrough
		case rank == best.rank: // chains begin with the newest
			best.number, best.toInitiator = number, is == role
			best.equals++
		}
	}
	return best
}
