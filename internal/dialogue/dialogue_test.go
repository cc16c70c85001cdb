package dialogue

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/tcapflow/tcapflow/internal/sigtran"
	"github.com/tcapflow/tcapflow/internal/sigtran/sccp"
	"github.com/tcapflow/tcapflow/internal/sigtran/tcap"
)

var start = time.Date(2024, 2, 29, 23, 59, 59, 0, time.UTC)

// gt is an address with a global title.
func gt(digits string, ssn byte) (a sccp.Address) {
	a.SSN, a.GTI = ssn, 4
	a.SetDigits([]byte(digits), 2*len(digits))
	return a
}

var (
	vlr   = gt("\x44\x11\x22", 7)
	hlr   = gt("\x44\x13\x54", 6)
	other = gt("\x44\x99\x99", 6) // where the HLR's answers come from
	bare  = sccp.Address{SSN: 146}
)

// msg is a message, at milliseconds after start, from a point code to another.
func msg(ms int, kind tcap.Kind, calling, called sccp.Address, opc, dpc uint32, otid, dtid string) sigtran.Message {
	m := sigtran.Message{Way: sigtran.Way{
		Time: start.Add(time.Duration(ms) * time.Millisecond).UnixNano(), Frame: uint64(ms),
		Calling: calling, Called: called, OPC: opc, DPC: dpc, Cause: -1,
	}}
	m.TCAP = tcap.Message{Kind: kind, OTID: tcap.TIDOf([]byte(otid)), DTID: tcap.TIDOf([]byte(dtid)), AbortCause: -1}
	return m
}

// back is the message that SCCP brings back to its sender, for cause 1.
func back(ms int, kind tcap.Kind, sender, receiver sccp.Address, opc, dpc uint32, otid, dtid string) sigtran.Message {
	m := msg(ms, kind, receiver, sender, opc, dpc, otid, dtid)
	m.Cause = 1
	return m
}

// follow gives the records of a run in the order that they came, each as
// "begin frame-answer frame-last frame outcome".
func follow(table *Table, messages []sigtran.Message) []string {
	var got []string
	add := func(records []Record) {
		for _, r := range records {
			got = append(got, fmt.Sprintf("%d-%d-%d %s", r.BeginFrame, r.AnswerFrame, r.LastFrame, r.Outcome))
		}
	}
	for i := range messages {
		add(table.Advance(messages[i].Time))
		add(table.Observe(&messages[i]))
	}
	add(table.Close())
	return got
}

// empty tells whether nothing is left behind in a table.
func empty(table *Table) bool {
	return table.open == 0 && table.index.count == 0 && table.held.len() == 0 &&
		table.held.byAddr.count+table.held.byCode.count == 0 && table.queues == [queues]queue{}
}

func TestTable(t *testing.T) {
	const begin, cont, end, abort = tcap.Begin, tcap.Continue, tcap.End, tcap.Abort
	for _, tt := range []struct {
		name     string
		messages []sigtran.Message
		want     []string
		counters Counters
	}{
		{"begin, end", []sigtran.Message{
			msg(1, begin, vlr, hlr, 1, 2, "a", ""),
			msg(2, end, hlr, vlr, 2, 1, "", "a"),
		}, []string{"1-2-2 end"}, Counters{Answered: 1}},
		{"both sides go on, the answer from another title", []sigtran.Message{
			msg(1, begin, vlr, hlr, 1, 2, "a", ""),
			msg(2, cont, other, vlr, 2, 1, "b", "a"),
			msg(3, cont, vlr, other, 1, 2, "a", "b"),
			msg(4, abort, other, vlr, 2, 1, "", "a"),
		}, []string{"1-2-4 abort"}, Counters{Answered: 1}},
		{"same transaction ID on two sides", []sigtran.Message{
			msg(1, begin, vlr, hlr, 1, 2, "a", ""),
			msg(2, begin, hlr, vlr, 2, 1, "a", ""),
			msg(3, end, vlr, hlr, 1, 2, "", "a"),
			msg(4, end, hlr, vlr, 2, 1, "", "a"),
		}, []string{"2-3-3 end", "1-4-4 end"}, Counters{Answered: 2}},
		{"no global titles: point codes tell", []sigtran.Message{
			msg(1, begin, bare, bare, 1, 9, "a", ""),
			msg(2, begin, bare, bare, 2, 9, "a", ""),
			msg(3, end, bare, bare, 9, 2, "", "a"),
		}, []string{"2-3-3 end", "1-0-1 capture-end"}, Counters{Answered: 1, Unanswered: 1}},
		{"an address's own point code goes first", []sigtran.Message{
			msg(1, begin, sccp.Address{SSN: 146, PC: 5}, bare, 1, 9, "a", ""),
			msg(2, end, bare, sccp.Address{SSN: 146, PC: 5}, 9, 3, "", "a"),
		}, []string{"1-2-2 end"}, Counters{Answered: 1}},
		{"two hops", []sigtran.Message{
			msg(1, begin, vlr, hlr, 1, 2, "a", ""),
			msg(2, begin, vlr, hlr, 2, 3, "a", ""),
			msg(3, end, hlr, vlr, 3, 2, "", "a"),
			msg(4, end, hlr, vlr, 2, 1, "", "a"),
		}, []string{"2-3-3 end", "1-4-4 end"}, Counters{Answered: 2}},
		{"two hops, the answer on neither", []sigtran.Message{
			msg(1, begin, vlr, hlr, 1, 2, "a", ""),
			msg(2, begin, vlr, hlr, 2, 3, "a", ""),
			msg(3, end, hlr, vlr, 8, 9, "", "a"),
		}, []string{"1-0-1 capture-end", "2-0-2 capture-end"}, Counters{Unanswered: 2, Unmatched: 1}},
		{"begin repeated", []sigtran.Message{
			msg(1, begin, vlr, hlr, 1, 2, "a", ""),
			msg(2, begin, vlr, hlr, 1, 2, "a", ""),
			msg(3, end, hlr, vlr, 2, 1, "", "a"),
		}, []string{"1-3-3 end"}, Counters{Answered: 1, Repeated: 1}},
		{"transaction ID used again", []sigtran.Message{
			msg(1, begin, vlr, hlr, 1, 2, "a", ""),
			msg(2001, begin, vlr, hlr, 1, 2, "a", ""),
		}, []string{"1-0-1 replaced", "2001-0-2001 capture-end"}, Counters{Unanswered: 2}},
		{"transaction ID used again after an answer", []sigtran.Message{
			msg(1, begin, vlr, hlr, 1, 2, "a", ""),
			msg(2, end, hlr, vlr, 2, 1, "", "a"),
			msg(3, begin, vlr, hlr, 1, 2, "a", ""),
			msg(4, end, hlr, vlr, 2, 1, "", "a"),
		}, []string{"1-2-2 end", "3-4-4 end"}, Counters{Answered: 2}},
		{"end before begin", []sigtran.Message{
			msg(2, end, hlr, vlr, 2, 1, "", "a"),
			msg(1, begin, vlr, hlr, 1, 2, "a", ""),
		}, []string{"1-2-2 end"}, Counters{Answered: 1, Early: 1}},
		{"all backwards", []sigtran.Message{
			msg(4, end, hlr, vlr, 2, 1, "", "a"),
			msg(3, cont, vlr, hlr, 1, 2, "a", "b"),
			msg(2, cont, hlr, vlr, 2, 1, "b", "a"),
			msg(1, begin, vlr, hlr, 1, 2, "a", ""),
		}, []string{"1-4-4 end"}, Counters{Answered: 1, Early: 1, Unmatched: 2}},
		{"a continue before the answer that it follows", []sigtran.Message{
			msg(1, begin, vlr, hlr, 1, 2, "a", ""),
			msg(3, cont, vlr, hlr, 1, 2, "a", "b"),
			msg(2, cont, hlr, vlr, 2, 1, "b", "a"),
			msg(4, end, hlr, vlr, 2, 1, "", "a"),
		}, []string{"1-2-4 end"}, Counters{Answered: 1, Early: 1}},
		{"held for two seconds, no longer", []sigtran.Message{
			msg(1, end, hlr, vlr, 2, 1, "", "a"),
			msg(2001, begin, vlr, hlr, 1, 2, "a", ""),
		}, []string{"2001-0-2001 capture-end"}, Counters{Unanswered: 1, Unmatched: 1}},
		{"held for the hop that it is on", []sigtran.Message{
			msg(1, end, hlr, vlr, 3, 2, "", "a"),
			msg(2, begin, vlr, hlr, 1, 2, "a", ""),
			msg(3, begin, vlr, hlr, 2, 3, "a", ""),
		}, []string{"3-1-1 end", "2-0-2 capture-end"}, Counters{Answered: 1, Unanswered: 1, Early: 1}},
		{"the initiator's title translated", []sigtran.Message{
			msg(1, begin, vlr, hlr, 1, 2, "a", ""),
			msg(2, end, hlr, other, 2, 1, "", "a"),
		}, []string{"1-2-2 end"}, Counters{Answered: 1, ByPointCode: 1}},
		{"its subsystem changed, and early", []sigtran.Message{
			msg(2, end, hlr, gt("\x44\x11\x22", 8), 2, 1, "", "a"),
			msg(1, begin, vlr, hlr, 1, 2, "a", ""),
		}, []string{"1-2-2 end"}, Counters{Answered: 1, Early: 1}},
		{"translated, but two fit", []sigtran.Message{
			msg(1, begin, vlr, hlr, 1, 2, "a", ""),
			msg(2, begin, gt("\x44\x11\x33", 7), hlr, 1, 2, "a", ""),
			msg(3, end, hlr, other, 2, 1, "", "a"),
		}, []string{"1-0-1 capture-end", "2-0-2 capture-end"}, Counters{Unanswered: 2, Unmatched: 1}},
		{"translated, without point codes", []sigtran.Message{
			msg(1, begin, vlr, hlr, 0, 0, "a", ""),
			msg(2, end, hlr, other, 0, 0, "", "a"),
		}, []string{"1-0-1 capture-end"}, Counters{Unanswered: 1, Unmatched: 1}},
		{"begin brought back", []sigtran.Message{
			msg(1, begin, vlr, hlr, 1, 2, "a", ""),
			back(2, begin, vlr, hlr, 2, 1, "a", ""),
		}, []string{"1-0-2 undeliverable"}, Counters{Unanswered: 1, Undeliverable: 1}},
		{"continue brought back", []sigtran.Message{
			msg(1, begin, vlr, hlr, 1, 2, "a", ""),
			msg(2, cont, hlr, vlr, 2, 1, "b", "a"),
			msg(3, cont, vlr, hlr, 1, 2, "a", "b"),
			back(4, cont, vlr, hlr, 2, 1, "a", "b"),
		}, []string{"1-2-4 undeliverable"}, Counters{Answered: 1, Undeliverable: 1}},
		{"end brought back, the dialogue is over", []sigtran.Message{
			msg(1, begin, vlr, hlr, 1, 2, "a", ""),
			msg(2, end, hlr, vlr, 2, 1, "", "a"),
			back(3, end, hlr, vlr, 1, 2, "", "a"),
		}, []string{"1-2-2 end"}, Counters{Answered: 1, Unmatched: 1}},
		{"unanswered for a minute", []sigtran.Message{
			msg(1, begin, vlr, hlr, 1, 2, "a", ""),
			msg(60_001, end, hlr, vlr, 2, 1, "", "a"),
		}, []string{"1-0-1 timeout"}, Counters{Unanswered: 1, Unmatched: 1}},
		{"idle for ten minutes", []sigtran.Message{
			msg(1, begin, vlr, hlr, 1, 2, "a", ""),
			msg(2, cont, hlr, vlr, 2, 1, "b", "a"),
			msg(599_000, cont, vlr, hlr, 1, 2, "a", "b"),
			msg(1_198_000, cont, vlr, hlr, 1, 2, "a", "b"),
			msg(1_798_000, begin, vlr, hlr, 1, 2, "z", ""),
		}, []string{"1-2-1198000 timeout", "1798000-0-1798000 capture-end"}, Counters{Answered: 1, Unanswered: 1}},
		{"unidirectional", []sigtran.Message{msg(1, tcap.Unidirectional, vlr, hlr, 1, 2, "", "")}, nil, Counters{}},
		{"no begin", []sigtran.Message{msg(1, end, hlr, vlr, 2, 1, "", "a")}, nil, Counters{Unmatched: 1}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			table := NewTable(Options{})
			if got := follow(table, tt.messages); !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			got := table.Counters()
			if n := steps(tt.messages); got.Followed+got.Unmatched != n {
				t.Errorf("%d messages followed, %d did not, of %d", got.Followed, got.Unmatched, n)
			}
			got.Followed = 0
			if got != tt.counters {
				t.Errorf("got %+v, want %+v", got, tt.counters)
			}
			if !empty(table) {
				t.Error("the closed table is not empty")
			}
		})
	}
}

// steps counts what follows a Begin.
func steps(messages []sigtran.Message) (n uint64) {
	for _, m := range messages {
		if m.Returned() || m.TCAP.Kind != tcap.Begin && m.TCAP.Kind != tcap.Unidirectional {
			n++
		}
	}
	return n
}

func TestLatency(t *testing.T) {
	for begin, want := range map[int]time.Duration{1: 42 * time.Millisecond, 50: 0} {
		table := NewTable(Options{})
		m, end := msg(begin, tcap.Begin, vlr, hlr, 1, 2, "a", ""), msg(43, tcap.End, hlr, vlr, 2, 1, "", "a")
		table.Observe(&m)
		got := table.Observe(&end)
		if len(got) != 1 || got[0].Latency() != want || got[0].Duration() != want {
			t.Errorf("got %+v", got)
		}
	}
}

// TestBounds fills the table: the unanswered go first, then the longest idle;
// and one side's hops have a bound of their own.
func TestBounds(t *testing.T) {
	table := NewTable(Options{Max: 2})
	got := follow(table, []sigtran.Message{
		msg(1, tcap.Begin, vlr, hlr, 1, 2, "a", ""),
		msg(2, tcap.Continue, hlr, vlr, 2, 1, "x", "a"),
		msg(3, tcap.Begin, vlr, hlr, 1, 2, "b", ""),
		msg(4, tcap.Begin, vlr, hlr, 1, 2, "c", ""),
		msg(5, tcap.Continue, hlr, vlr, 2, 1, "y", "c"),
		msg(6, tcap.Begin, vlr, hlr, 1, 2, "d", ""),
	})
	want := []string{"3-0-3 evicted", "1-2-2 evicted", "6-0-6 capture-end", "4-5-5 capture-end"}
	if !slices.Equal(got, want) || table.Counters().Evicted != 2 {
		t.Errorf("got %q, want %q; %+v", got, want, table.Counters())
	}

	table = NewTable(Options{})
	for hop := range uint32(maxHops + 3) {
		m := msg(1, tcap.Begin, vlr, hlr, hop+1, hop+2, "a", "")
		table.Observe(&m)
	}
	if n := table.Counters().Evicted; n != 3 {
		t.Errorf("%d evicted, want 3", n)
	}
}

// TestRecord holds what a record tells.
func TestRecord(t *testing.T) {
	m := msg(1, tcap.Begin, vlr, hlr, 1, 2, "a", "")
	m.TCAP.Count = 1
	m.TCAP.Components[0] = tcap.Component{Kind: tcap.Invoke, Code: 45, CodeKind: tcap.Local}
	answer := msg(2, tcap.Continue, other, vlr, 2, 1, "b", "a")
	answer.TCAP.Count = 1
	answer.TCAP.Components[0] = tcap.Component{Kind: tcap.ReturnError, Code: 27, CodeKind: tcap.Local}
	abort := msg(3, tcap.Abort, vlr, other, 1, 2, "", "b")
	abort.TCAP.AbortCause = 4
	table := NewTable(Options{})
	table.Observe(&m)
	table.Observe(&answer)
	got := table.Observe(&abort)
	if len(got) != 1 {
		t.Fatalf("got %+v", got)
	}
	r := got[0]
	if r.Operation != (Code{45, tcap.Local}) || r.Error != (Code{27, tcap.Local}) || r.Cause != 4 || r.Messages != 3 ||
		r.AnswerKind != tcap.Continue || r.DTID.String() != "62" || r.Called != hlr || r.Calling != vlr {
		t.Errorf("got %+v", r)
	}
}

// TestHeldBound gives up the oldest, and takes the newest still.
func TestHeldBound(t *testing.T) {
	table := NewTable(Options{})
	id := func(i int) string { return string([]byte{byte(i >> 24), byte(i >> 16), byte(i >> 8), byte(i)}) }
	const n = maxHeld + 100
	for i := range n {
		m := msg(1, tcap.End, hlr, vlr, 2, 1, "", id(i))
		table.Observe(&m)
	}
	if c := table.Counters(); c.HeldDropped != 100 || c.Unmatched != 100 || table.held.len() != maxHeld {
		t.Errorf("%+v, %d held", c, table.held.len())
	}
	for _, i := range []int{n - 1, 100, 99} {
		m := msg(1, tcap.Begin, vlr, hlr, 1, 2, id(i), "")
		if got := table.Observe(&m); len(got) == 1 != (i >= 100) {
			t.Errorf("message %d: got %+v", i, got)
		}
	}
	if table.Close(); !empty(table) {
		t.Error("the closed table is not empty")
	}
}

// TestCrowd has many dialogues and messages of one side: they take no more time for
// it, and leave nothing behind.
func TestCrowd(t *testing.T) {
	table := NewTable(Options{})
	longest := func(x *index) (most int) {
		for _, node := range x.buckets {
			n := 0
			for ; node != 0; node = x.next[node] {
				n++
			}
			most = max(most, n)
		}
		return most
	}
	for i := range 5000 {
		title := gt(string([]byte{0x44, byte(i), byte(i >> 8)}), 7)
		held := msg(1, tcap.Continue, hlr, gt("\x49\x11", 7), 2, 9, "b", "z")
		begin := msg(1, tcap.Begin, title, hlr, 1, 2, "a", "")
		answer := msg(1, tcap.Continue, hlr, title, 2, 1, "b", "a")
		table.Observe(&held)
		table.Observe(&begin)
		table.Observe(&answer)
	}
	if n := max(longest(&table.index), longest(&table.held.byAddr), longest(&table.held.byCode)); n > 3*maxHops {
		t.Errorf("a chain of %d", n)
	}
	c := table.Counters()
	if c.HeldDropped != 5000-maxHops || table.Len() != 5000 {
		t.Errorf("%+v, %d open", c, table.Len())
	}
	if table.Close(); !empty(table) {
		t.Error("something is left behind")
	}
}

// TestMany opens and ends many dialogues, and tells what one takes.
func TestMany(t *testing.T) {
	const n = 1 << 18
	table := NewTable(Options{})
	id := func(i int) string { return string([]byte{byte(i >> 24), byte(i >> 16), byte(i >> 8), byte(i)}) }
	for i := range n {
		m := msg(1, tcap.Begin, vlr, hlr, 1, 2, id(i), "")
		table.Observe(&m)
	}
	octets := len(table.pages)*pageSize*int(unsafe.Sizeof(entry{})) +
		4*(cap(table.index.buckets)+cap(table.index.next)+cap(table.index.hash)+cap(table.free))
	t.Logf("%d octets for a dialogue", octets/n)
	if table.Len() != n || octets/n > 320 {
		t.Errorf("%d open, %d octets each", table.Len(), octets/n)
	}
	for i := range n {
		m := msg(2, tcap.End, hlr, vlr, 2, 1, "", id(i))
		if len(table.Observe(&m)) != 1 {
			t.Fatalf("dialogue %d did not end", i)
		}
	}
	if !empty(table) {
		t.Error("something is left behind")
	}
}

// FuzzTable takes made-up runs: each two octets are a message.
func FuzzTable(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3, 4, 5})
	f.Add([]byte(strings.Repeat("\x00\x11\x22", 10)))
	kinds := []tcap.Kind{tcap.Begin, tcap.Continue, tcap.End, tcap.Abort}
	sides := []sccp.Address{vlr, hlr, bare, other}
	f.Fuzz(func(t *testing.T, run []byte) {
		table := NewTable(Options{Max: 4})
		var begins, records, followers uint64
		for i := 0; i+1 < len(run); i += 2 {
			b, c := run[i], run[i+1]
			m := msg(i*int(b)*50, kinds[b&3], sides[b>>2&3], sides[b>>4&3], uint32(b>>6), uint32(c&3), string(c>>2&3), string(c>>4&3))
			if c>>6 == 3 {
				m.Cause = 1
			}
			if m.TCAP.Kind == tcap.Begin && !m.Returned() {
				begins++
			} else {
				followers++
			}
			records += uint64(len(table.Advance(m.Time)) + len(table.Observe(&m)))
			if table.Len() > 4 {
				t.Fatal("more dialogues than Max")
			}
		}
		records += uint64(len(table.Close()))
		c := table.Counters()
		if begins != records+c.Repeated || records != c.Answered+c.Unanswered || followers != c.Followed+c.Unmatched {
			t.Errorf("%d begins, %d others, %d records, %+v", begins, followers, records, c)
		}
		if !empty(table) {
			t.Error("something is left behind")
		}
	})
}

func BenchmarkTable(b *testing.B) {
	table := NewTable(Options{})
	begin := msg(1, tcap.Begin, vlr, hlr, 1, 2, "a", "")
	end := msg(2, tcap.End, hlr, vlr, 2, 1, "", "a")
	b.ReportAllocs()
	for b.Loop() {
		table.Observe(&begin)
		table.Observe(&end)
	}
}
