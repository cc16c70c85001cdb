package dialogue

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tcapflow/tcapflow/internal/sigtran"
	"github.com/tcapflow/tcapflow/internal/sigtran/sccp"
	"github.com/tcapflow/tcapflow/internal/sigtran/tcap"
)

var start = time.Date(2024, 2, 29, 23, 59, 59, 0, time.UTC)

var (
	vlr   = sccp.Address{GT: "441122", SSN: 7}
	hlr   = sccp.Address{GT: "441354", SSN: 6}
	other = sccp.Address{GT: "449999", SSN: 6} // where the HLR's answers come from
	bare  = sccp.Address{SSN: 146}
)

// msg is a message, at milliseconds after start, from a point code to another.
func msg(ms int, kind tcap.Kind, calling, called sccp.Address, opc, dpc uint32, otid, dtid string) sigtran.Message {
	return sigtran.Message{
		Time: start.Add(time.Duration(ms) * time.Millisecond), Frame: uint64(ms),
		Calling: calling, Called: called, OPC: opc, DPC: dpc,
		TCAP: tcap.Message{Kind: kind, OTID: otid, DTID: dtid},
	}
}

// follow gives the records of a run in the order that they came, each as
// "begin frame-answer frame-last frame outcome".
func follow(table *Table, messages []sigtran.Message) []string {
	var got []string
	add := func(records []Record) {
		for _, r := range records {
			answer := uint64(0)
			if r.Answer != nil {
				answer = r.Answer.Frame
			}
			got = append(got, fmt.Sprintf("%d-%d-%d %s", r.Begin.Frame, answer, r.LastFrame, r.Outcome))
		}
	}
	for _, m := range messages {
		add(table.Advance(m.Time))
		add(table.Observe(m))
	}
	add(table.Close())
	return got
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
			msg(10_001, begin, vlr, hlr, 1, 2, "a", ""),
		}, []string{"1-0-1 replaced", "10001-0-10001 capture-end"}, Counters{Unanswered: 2}},
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
			if got := table.Counters(); got != tt.counters {
				t.Errorf("got %+v, want %+v", got, tt.counters)
			}
			if len(table.sides)+table.waiting.Len()+table.open.Len() != 0 {
				t.Error("the closed table is not empty")
			}
		})
	}
}

func TestLatency(t *testing.T) {
	table := NewTable(Options{})
	table.Observe(msg(1, tcap.Begin, vlr, hlr, 1, 2, "a", ""))
	got := table.Observe(msg(43, tcap.End, hlr, vlr, 2, 1, "", "a"))
	if len(got) != 1 || got[0].Latency() != 42*time.Millisecond {
		t.Errorf("got %+v", got)
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
		table.Observe(msg(1, tcap.Begin, vlr, hlr, hop, hop+1, "a", ""))
	}
	if n := table.Counters().Evicted; n != 3 {
		t.Errorf("%d evicted, want 3", n)
	}
}

// FuzzTable takes made-up runs: each octet is a message.
func FuzzTable(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3, 4})
	f.Add([]byte(strings.Repeat("\x00\x11\x22", 9)))
	kinds := []tcap.Kind{tcap.Begin, tcap.Continue, tcap.End, tcap.Abort}
	sides := []sccp.Address{vlr, hlr, bare, other}
	f.Fuzz(func(t *testing.T, run []byte) {
		table := NewTable(Options{Max: 4})
		var begins, records uint64
		for i, b := range run {
			m := msg(i*int(b)*100, kinds[b&3], sides[b>>2&3], sides[b>>4&3], uint32(b>>6), uint32(b>>5&3), string(b>>4&3), string(b>>2&3))
			if m.TCAP.Kind == tcap.Begin {
				begins++
			}
			records += uint64(len(table.Advance(m.Time)) + len(table.Observe(m)))
			if table.waiting.Len()+table.open.Len() > 4 {
				t.Fatal("more dialogues than Max")
			}
		}
		records += uint64(len(table.Close()))
		if c := table.Counters(); begins != records+c.Repeated || records != c.Answered+c.Unanswered {
			t.Errorf("%d begins, %d records, %+v", begins, records, c)
		}
		if len(table.sides) != 0 {
			t.Errorf("left behind: %v", table.sides)
		}
	})
}

func BenchmarkTable(b *testing.B) {
	table := NewTable(Options{})
	begin := msg(1, tcap.Begin, vlr, hlr, 1, 2, "a", "")
	end := msg(2, tcap.End, hlr, vlr, 2, 1, "", "a")
	b.ReportAllocs()
	for b.Loop() {
		table.Observe(begin)
		table.Observe(end)
	}
}
