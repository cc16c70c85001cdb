// Package dialogue follows TCAP dialogues: TCAP messages come in, in the order
// of capture, and a record comes out for every dialogue once it is over.
//
// A dialogue's side is known by its global title, subsystem number and
// transaction ID; where an address has no global title, by its point code
// (ITU-T Q.773 leaves transaction IDs to each side, so they are unique for one
// side only). The answering side may give another global title than the one
// that was called, and so only the side that a message is for is matched.
//
// A capture of several links holds the same message once for every hop. Each
// hop is a dialogue of its own: where several fit, the one whose originating
// point code the answer goes back to is taken.
//
// All times are capture times; the clock is never read.
package dialogue

import (
	"container/list"
	"time"

	"github.com/tcapflow/tcapflow/internal/sigtran"
	"github.com/tcapflow/tcapflow/internal/sigtran/sccp"
	"github.com/tcapflow/tcapflow/internal/sigtran/tcap"
)

// Options bound a Table. Zero values stand for the defaults.
type Options struct {
	AnswerTimeout time.Duration // a Begin without an answer; 60 s
	IdleTimeout   time.Duration // an answered dialogue without a message; 10 min
	Max           int           // dialogues that are followed at a time; 65536
}

// repetition is how long after a Begin the same one on the same hop is taken
// as a retransmission and not as a new dialogue.
const repetition = 10 * time.Second

// maxHops bounds how many dialogues share a side, so that made-up traffic
// cannot turn the search among them into the main work.
const maxHops = 32

// Outcome says how a dialogue was over.
type Outcome string

// The outcomes.
const (
	Ended    Outcome = "end"
	Aborted  Outcome = "abort"
	TimedOut Outcome = "timeout"     // no answer, or no further message
	Evicted  Outcome = "evicted"     // the table was full
	Replaced Outcome = "replaced"    // its transaction ID began another dialogue
	Open     Outcome = "capture-end" // it was not over when the capture was
)

// Record is one dialogue that is over.
type Record struct {
	Begin     sigtran.Message
	Answer    *sigtran.Message // first Continue, End or Abort for the Begin; nil: unanswered
	Last      time.Time        // of its last message
	LastFrame uint64           // of its last message
	Messages  int
	Outcome   Outcome
}

// Latency is the time from the Begin to its first answer; 0 without one.
func (r Record) Latency() time.Duration {
	if r.Answer == nil {
		return 0
	}
	return r.Answer.Time.Sub(r.Begin.Time)
}

// Counters count dialogues and what did not fit one.
type Counters struct {
	Answered   uint64 `json:"answered"`
	Unanswered uint64 `json:"unanswered"`
	Repeated   uint64 `json:"repeated_begins"`
	Unmatched  uint64 `json:"unmatched_messages"` // Continue, End, Abort without a dialogue
	Evicted    uint64 `json:"evicted"`
}

// side names a transaction by one of its two sides.
type side struct {
	gt  string
	pc  uint32 // only where there is no global title
	ssn byte
	tid string
}

func sideOf(a sccp.Address, pc uint32, tid string) side {
	s := side{gt: a.GT, ssn: a.SSN, tid: tid}
	if a.GT == "" {
		s.pc = pc
		if a.PC != 0 {
			s.pc = uint32(a.PC)
		}
	}
	return s
}

// entry is a dialogue in the table. It is indexed by its initiator, and once
// the answer gave an originating transaction ID by its responder too.
type entry struct {
	Record
	initiator side
	responder side
	answered  bool          // which of the two lists it is in
	queued    *list.Element // its place there
}

// Table follows the dialogues of one capture. It is not for concurrent use.
type Table struct {
	options  Options
	sides    map[side][]*entry
	waiting  *list.List // unanswered, by the time of their Begin
	open     *list.List // answered, by the time of their last message
	counters Counters
	done     []Record
}

// NewTable returns an empty Table.
func NewTable(o Options) *Table {
	if o.AnswerTimeout <= 0 {
		o.AnswerTimeout = time.Minute
	}
	if o.IdleTimeout <= 0 {
		o.IdleTimeout = 10 * time.Minute
	}
	if o.Max <= 0 {
		o.Max = 1 << 16
	}
	return &Table{options: o, sides: make(map[side][]*entry), waiting: list.New(), open: list.New()}
}

// Counters returns the counts up to now.
func (t *Table) Counters() Counters { return t.counters }

// Advance takes the capture time of the next packet and returns the dialogues
// whose time has run out by then. The slice is valid until the next call.
func (t *Table) Advance(now time.Time) []Record {
	t.done = t.done[:0]
	t.expire(t.waiting, now.Add(-t.options.AnswerTimeout))
	t.expire(t.open, now.Add(-t.options.IdleTimeout))
	return t.done
}

// Observe takes the next message and returns the dialogues that it finished.
// The slice is valid until the next call.
func (t *Table) Observe(m sigtran.Message) []Record {
	t.done = t.done[:0]
	switch m.TCAP.Kind {
	case tcap.Begin:
		t.begin(m)
	case tcap.Continue, tcap.End, tcap.Abort:
		t.follow(m)
	}
	return t.done
}

// Close returns the dialogues that are not over, unanswered ones first.
func (t *Table) Close() []Record {
	t.done = t.done[:0]
	for _, l := range []*list.List{t.waiting, t.open} {
		for l.Len() > 0 {
			t.finish(l.Front().Value.(*entry), Open)
		}
	}
	return t.done
}

func (t *Table) begin(m sigtran.Message) {
	s := sideOf(m.Calling, m.OPC, m.TCAP.OTID)
	for _, e := range t.sides[s] {
		if e.initiator != s || e.Begin.OPC != m.OPC || e.Begin.DPC != m.DPC {
			continue
		}
		if !e.answered && m.Time.Sub(e.Begin.Time) < repetition {
			t.counters.Repeated++
			return
		}
		t.finish(e, Replaced)
		break
	}
	if hops := t.sides[s]; len(hops) >= maxHops {
		t.evict(hops[0])
	} else if t.waiting.Len()+t.open.Len() >= t.options.Max {
		t.evict(t.oldest())
	}
	e := &entry{Record: Record{Begin: m, Last: m.Time, LastFrame: m.Frame, Messages: 1}, initiator: s}
	e.queued = t.waiting.PushBack(e)
	t.sides[s] = append(t.sides[s], e)
}

// follow adds a message to the dialogue that its destination transaction ID names.
func (t *Table) follow(m sigtran.Message) {
	to := sideOf(m.Called, m.DPC, m.TCAP.DTID)
	e := choose(t.sides[to], to, m)
	if e == nil {
		t.counters.Unmatched++
		return
	}
	e.Messages++
	e.Last, e.LastFrame = m.Time, m.Frame
	if !e.answered && e.initiator == to {
		t.answer(e, m)
	} else if e.answered {
		t.open.MoveToBack(e.queued)
	}
	switch m.TCAP.Kind {
	case tcap.End:
		t.finish(e, Ended)
	case tcap.Abort:
		t.finish(e, Aborted)
	}
}

func (t *Table) answer(e *entry, m sigtran.Message) {
	e.Answer = &m
	e.answered = true
	t.waiting.Remove(e.queued)
	e.queued = t.open.PushBack(e)
	if m.TCAP.Kind == tcap.Continue {
		e.responder = sideOf(m.Calling, m.OPC, m.TCAP.OTID)
		if e.responder != e.initiator && len(t.sides[e.responder]) < maxHops {
			t.sides[e.responder] = append(t.sides[e.responder], e)
		}
	}
}

// choose takes the dialogue on whose hop the message is: towards the initiator
// its destination is the point code that the Begin came from, towards the
// responder its origin is. Without such a one it takes the only one there is.
func choose(candidates []*entry, to side, m sigtran.Message) *entry {
	for _, e := range candidates {
		pc := m.OPC
		if e.initiator == to {
			pc = m.DPC
		}
		if e.Begin.OPC == pc {
			return e
		}
	}
	if len(candidates) == 1 {
		return candidates[0]
	}
	return nil
}

// expire finishes the dialogues of a list whose last message is no later.
func (t *Table) expire(l *list.List, latest time.Time) {
	for l.Len() > 0 {
		e := l.Front().Value.(*entry)
		if e.Last.After(latest) {
			return
		}
		t.finish(e, TimedOut)
	}
}

// oldest is the dialogue to give up first: the longest unanswered one, else
// the longest idle one.
func (t *Table) oldest() *entry {
	if e := t.waiting.Front(); e != nil {
		return e.Value.(*entry)
	}
	return t.open.Front().Value.(*entry)
}

func (t *Table) evict(e *entry) {
	t.counters.Evicted++
	t.finish(e, Evicted)
}

func (t *Table) finish(e *entry, o Outcome) {
	t.forget(e.initiator, e)
	if e.answered {
		t.counters.Answered++
		t.open.Remove(e.queued)
		t.forget(e.responder, e)
	} else {
		t.counters.Unanswered++
		t.waiting.Remove(e.queued)
	}
	e.Outcome = o
	t.done = append(t.done, e.Record)
}

func (t *Table) forget(s side, e *entry) {
	kept := t.sides[s][:0]
	for _, other := range t.sides[s] {
		if other != e {
			kept = append(kept, other)
		}
	}
	if len(kept) == 0 {
		delete(t.sides, s)
	} else {
		t.sides[s] = kept
	}
}
