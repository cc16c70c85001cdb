package dialogue

import (
	"github.com/tcapflow/tcapflow/internal/sigtran"
	"github.com/tcapflow/tcapflow/internal/sigtran/tcap"
)

// maxHops bounds how many dialogues share a side, and held messages too, so that
// made-up traffic cannot turn the search among them into the main work.
const maxHops = 32

// An entry is in the index up to four times: by each side's address and point code.
const (
	initiatorAddress = iota
	initiatorCode
	responderAddress
	responderCode
	roles
)

// entry is a dialogue in the table.
type entry struct {
	Record
	touched    int64 // table's clock at its last message
	prev, next uint32
	indexed    [roles]bool
	queue      uint8 // the list that it is in
}

// Queues: dialogues that wait for an answer, and those that have one, each by the time
// of their last message.
const (
	waiting = iota
	answered
	queues
)

const pageSize = 4096

// Table follows the dialogues of one capture. It is not for concurrent use. Entries
// are numbers from 1 on, in pages that are never moved.
type Table struct {
	options  Options
	pages    [][]entry
	free     []uint32
	used     uint32 // entries that were ever used
	open     int
	queues   [queues]queue
	index    index
	hash     hasher
	held     held
	now      int64
	counters Counters
	done     []Record
}

// NewTable returns an empty Table.
func NewTable(o Options) *Table { return &Table{options: o.withDefaults(), hash: newHasher()} }

// Watch sets Options.Watch, before there is any dialogue.
func (t *Table) Watch(w Watcher) { t.options.Watch = w }

// Counters returns the counts up to now.
func (t *Table) Counters() Counters { return t.counters }

// Len is the number of dialogues that are open.
func (t *Table) Len() int { return t.open }

// Advance takes the capture's clock and returns the dialogues
// whose time has run out by then. The slice is valid until the next call.
func (t *Table) Advance(now int64) []Record {
	t.done = t.done[:0]
	t.now = now
	t.expire(waiting, now-int64(t.options.AnswerTimeout))
	t.expire(answered, now-int64(t.options.IdleTimeout))
	for t.held.len() > 0 && t.held.slot(t.held.oldest).until <= now {
		if t.held.drop() {
			t.counters.Unmatched++
		}
	}
	return t.done
}

// Observe takes the next message and returns the dialogues that it finished.
// The slice is valid until the next call.
func (t *Table) Observe(m *sigtran.Message) []Record {
	t.done = t.done[:0]
	switch {
	case m.Returned():
		t.returned(m)
	case m.TCAP.Kind == tcap.Begin:
		t.begin(m)
	case m.TCAP.Kind != tcap.Unidirectional:
		t.follow(m)
	}
	return t.done
}

// Close returns the dialogues that are not over, unanswered ones first.
func (t *Table) Close() []Record {
	t.done = t.done[:0]
	for q := range t.queues {
		for t.queues[q].first != 0 {
			t.finish(t.queues[q].first, Open)
		}
	}
	for t.held.len() > 0 {
		if t.held.drop() {
			t.counters.Unmatched++
		}
	}
	return t.done
}

func (t *Table) entry(number uint32) *entry {
	return &t.pages[(number-1)/pageSize][(number-1)%pageSize]
}

// allocate returns a number for a new dialogue, after making room for it.
func (t *Table) allocate() uint32 {
	if t.open >= t.options.Max {
		t.evict(t.oldest())
	}
	t.open++
	if n := len(t.free); n > 0 {
		number := t.free[n-1]
		t.free = t.free[:n-1]
		return number
	}
	t.used++
	if int(t.used) > len(t.pages)*pageSize {
		t.pages = append(t.pages, make([]entry, pageSize))
	}
	return t.used
}

func (t *Table) begin(m *sigtran.Message) {
	hash := t.hash.byAddress(&m.Calling, m.OPC, m.TCAP.OTID)
	if t.again(m, hash) {
		return
	}
	number := t.allocate()
	e := t.entry(number)
	*e = entry{Record: recordOf(m)}
	t.joined(number, m.Frame)
	t.push(number, waiting)
	t.enter(number, initiatorAddress, hash)
	code := t.hash.byPointCode(m.OPC, m.TCAP.OTID)
	if m.OPC != 0 && !t.index.crowded(code) {
		t.enter(number, initiatorCode, code)
	}
	t.adopt(number, side{hash, code, m.OPC, m.TCAP.OTID}, true)
}

// side is one side of a dialogue, as held messages are looked for.
type side struct {
	byAddress, byCode uint32 // hashes
	pc                uint32
	tid               tcap.TID
}

// adopt gives a dialogue the held messages for one of its sides; over tells that one
// of them ended it.
func (t *Table) adopt(number uint32, to side, initiator bool) (over bool) {
	for !over {
		s, ok := t.held.take(to)
		if !ok {
			return false
		}
		t.counters.Early++
		over = t.attach(number, &s, initiator)
	}
	return true
}

func recordOf(m *sigtran.Message) Record {
	return Record{
		Begin: m.Time, Last: m.Time, BeginFrame: m.Frame, LastFrame: m.Frame, Messages: 1,
		Calling: m.Calling, Called: m.Called, OPC: m.OPC, DPC: m.DPC,
		OTID: m.TCAP.OTID, Context: m.TCAP.Context, Package: m.TCAP.Package, Cause: -1,
		Operation: firstCode(&m.TCAP, tcap.Invoke), Via: m.Via, Standard: m.Standard,
	}
}

func firstCode(m *tcap.Message, kind tcap.ComponentKind) Code {
	for i := range m.Count {
		c := &m.Components[i]
		if c.Kind == kind || c.Kind == tcap.InvokeNotLast && kind == tcap.Invoke {
			return Code{c.Code, c.CodeKind}
		}
	}
	return Code{}
}

// again looks for the same Begin on the same hop. While the first is new and not
// answered it is a copy, of another link with the same point codes or of a link
// without SCTP; TSNs have told copies of one link. Else its transaction ID was taken
// for another dialogue.
func (t *Table) again(m *sigtran.Message, hash uint32) bool {
	hops, last := 0, uint32(0)
	for node := t.index.first(hash); node != 0; node = t.index.after(node) {
		number, role := split(node)
		e := t.entry(number)
		if role != initiatorAddress || e.OTID != m.TCAP.OTID {
			continue
		}
		hops, last = hops+1, number
		if e.OPC != m.OPC || e.DPC != m.DPC || e.Calling.SSN != m.Calling.SSN {
			continue
		}
		if hold := int64(t.options.Hold); e.queue == waiting && t.now-e.touched < hold && m.Time-e.Begin < hold {
			t.counters.Repeated++
			t.joined(number, m.Frame)
			return true
		}
		t.finish(number, Replaced)
		return false
	}
	if hops >= maxHops {
		t.evict(last)
	}
	return false
}

func stepOf(m *sigtran.Message) step {
	s := step{
		at: m.Time, frame: m.Frame, called: m.Called, calling: m.Calling, opc: m.OPC, dpc: m.DPC,
		otid: m.TCAP.OTID, dtid: m.TCAP.DTID, cause: m.TCAP.AbortCause, kind: m.TCAP.Kind,
		err: firstCode(&m.TCAP, tcap.ReturnError),
	}
	if s.returned = m.Returned(); s.returned {
		s.cause = m.Cause
	}
	return s
}

// follow adds a message to the dialogue that its destination transaction ID names, or
// holds it.
func (t *Table) follow(m *sigtran.Message) {
	s := stepOf(m)
	byAddress := t.hash.byAddress(&s.called, s.dpc, s.dtid)
	byCode := t.hash.byPointCode(s.dpc, s.dtid)
	number, toInitiator, ok := t.find(&s, byAddress, byCode)
	if ok {
		t.attach(number, &s, toInitiator)
		return
	}
	if t.held.put(s, t.now+int64(t.options.Hold), byAddress, byCode) {
		t.counters.Unmatched++ // the oldest one, or this one
		t.counters.HeldDropped++
	}
}

// returned ends the dialogue of a message that SCCP brought back to its sender, whose
// transaction ID is the originating one. An End has none, and its dialogue is over.
func (t *Table) returned(m *sigtran.Message) {
	s := stepOf(m)
	s.dtid = m.TCAP.OTID
	number, toInitiator, ok := uint32(0), false, false
	if !s.dtid.IsZero() {
		byAddress, byCode := t.hash.byAddress(&s.called, s.dpc, s.dtid), t.hash.byPointCode(s.dpc, s.dtid)
		number, toInitiator, ok = t.find(&s, byAddress, byCode)
	}
	if !ok {
		t.counters.Unmatched++
		return
	}
	t.attach(number, &s, toInitiator)
}

// attach adds a message to a dialogue; over tells that it ended it.
func (t *Table) attach(number uint32, s *step, toInitiator bool) (over bool) {
	e := t.entry(number)
	t.counters.Followed++
	t.joined(number, s.frame)
	e.Messages++
	e.Last, e.LastFrame = max(e.Last, s.at), s.frame
	if e.Error.Kind == tcap.None {
		e.Error = s.err
	}
	if s.returned {
		e.Cause = s.cause
		t.finish(number, Undeliverable)
		return true
	}
	fresh := t.touch(number, s, toInitiator)
	switch s.kind {
	case tcap.End:
		t.finish(number, Ended)
		return true
	case tcap.Abort:
		e.Cause = s.cause
		t.finish(number, Aborted)
		return true
	}
	if fresh {
		e.DTID = s.otid
		return t.responder(number, s)
	}
	return false
}

// touch notes the time of a message; fresh tells that it is the first answer.
func (t *Table) touch(number uint32, s *step, toInitiator bool) (fresh bool) {
	e := t.entry(number)
	fresh = e.queue == waiting && toInitiator
	if fresh {
		e.Answer, e.AnswerFrame, e.AnswerKind = s.at, s.frame, s.kind
	}
	if fresh || e.queue == answered {
		t.unlink(number)
		t.push(number, answered)
	}
	return fresh
}

// responder enters the side that answered.
func (t *Table) responder(number uint32, s *step) (over bool) {
	hash := t.hash.byAddress(&s.calling, s.opc, s.otid)
	code := t.hash.byPointCode(s.opc, s.otid)
	if t.index.crowded(hash) {
		return false
	}
	t.enter(number, responderAddress, hash)
	if s.opc != 0 && !t.index.crowded(code) {
		t.enter(number, responderCode, code)
	}
	return t.adopt(number, side{hash, code, s.opc, s.otid}, false)
}

func (t *Table) expire(q int, latest int64) {
	for number := t.queues[q].first; number != 0; number = t.queues[q].first {
		if t.entry(number).touched > latest {
			return
		}
		t.finish(number, TimedOut)
	}
}

// oldest is the dialogue to give up first: the longest unanswered one, else
// the longest idle one.
func (t *Table) oldest() uint32 {
	if n := t.queues[waiting].first; n != 0 {
		return n
	}
	return t.queues[answered].first
}

func (t *Table) evict(number uint32) {
	t.counters.Evicted++
	t.finish(number, Evicted)
}

func (t *Table) finish(number uint32, o Outcome) {
	e := t.entry(number)
	for role, is := range e.indexed {
		if is {
			t.index.remove(node(number, role))
		}
	}
	t.unlink(number)
	if e.Answered() {
		t.counters.Answered++
	} else {
		t.counters.Unanswered++
	}
	if o == Undeliverable {
		t.counters.Undeliverable++
	}
	e.Outcome = o
	if t.options.Watch != nil {
		t.options.Watch.Over(number, &e.Record)
	}
	t.done = append(t.done, e.Record)
	t.free = append(t.free, number)
	t.open--
}

func (t *Table) joined(number uint32, frame uint64) {
	if t.options.Watch != nil {
		t.options.Watch.Joined(number, frame)
	}
}

// node is the number under which the index knows an entry in a role.
func node(number uint32, role int) uint32 { return (number-1)*roles + uint32(role) + 1 }

func split(node uint32) (number uint32, role int) { return (node-1)/roles + 1, int((node - 1) % roles) }

func (t *Table) enter(number uint32, role int, hash uint32) {
	t.index.add(node(number, role), hash)
	t.entry(number).indexed[role] = true
}
