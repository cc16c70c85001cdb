package export

import (
	"strings"
	"testing"

	"github.com/tcapflow/tcapflow/internal/sigtran"
	"github.com/tcapflow/tcapflow/internal/sigtran/tcap"
)

// step is a message between two nodes that have a title, a subsystem and a point code.
func step(frame uint64, kind tcap.Kind, opc, dpc uint32, otid, dtid string) *sigtran.Message {
	m := &sigtran.Message{Way: sigtran.Way{Frame: frame, Time: int64(frame) * 1e6, OPC: opc, DPC: dpc, Cause: -1}}
	m.TCAP = tcap.Message{Kind: kind, OTID: tcap.TIDOf([]byte(otid)), DTID: tcap.TIDOf([]byte(dtid)), AbortCause: -1}
	m.Calling.SetDigits([]byte{0x94, byte(opc)}, 4)
	m.Called.SetDigits([]byte{0x94, byte(dpc)}, 4)
	m.Calling.SSN, m.Called.SSN = 8, 6
	return m
}

func TestLadders(t *testing.T) {
	abort := step(9, tcap.Abort, 2, 1, "", "a")
	abort.TCAP.AbortCause = 1
	back := step(5, tcap.Begin, 2, 1, "a", "")
	back.Cause = 3
	for _, tt := range []struct {
		name, want string
		messages   []*sigtran.Message
		frames     string // of each ladder
	}{
		{"both ways", "61", []*sigtran.Message{
			step(1, tcap.Begin, 1, 2, "a", ""), step(2, tcap.Continue, 2, 1, "b", "a"), step(3, tcap.Continue, 1, 2, "a", "b"),
			step(4, tcap.End, 2, 1, "", "a")}, "1 2 3 4"},
		{"used again", "61", []*sigtran.Message{
			step(1, tcap.Begin, 1, 2, "a", ""), step(2, tcap.End, 2, 1, "", "a"), step(3, tcap.Begin, 1, 2, "a", ""), abort}, "1 2|3 9"},
		{"another node's", "61", []*sigtran.Message{
			step(1, tcap.Begin, 1, 2, "a", ""), step(2, tcap.Begin, 7, 8, "a", ""), step(3, tcap.End, 8, 7, "", "a")}, "1|2 3"},
		{"another transaction", "61", []*sigtran.Message{
			step(1, tcap.Begin, 1, 2, "b", ""), step(2, tcap.Begin, 1, 2, "a", "")}, "2"},
		{"by title", "4910", []*sigtran.Message{step(1, tcap.Begin, 1, 2, "a", ""), step(2, tcap.Begin, 3, 4, "b", "")}, "1"},
		{"brought back", "61", []*sigtran.Message{step(1, tcap.Begin, 1, 2, "a", ""), back}, "1 5"},
		{"nothing", "77", []*sigtran.Message{step(1, tcap.Begin, 1, 2, "a", "")}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := NewLadders(tt.want)
			for _, m := range tt.messages {
				l.Add(m)
			}
			if got := framesOf(l); got != tt.frames {
				t.Errorf("got %q, want %q", got, tt.frames)
			}
		})
	}
}

// framesOf draws ladders and takes the numbers of the frames.
func framesOf(l *Ladders) string {
	var b strings.Builder
	l.Draw(&b)
	var ladders []string
	for part := range strings.SplitSeq(b.String(), "\n\n") {
		var frames []string
		for row := range strings.Lines(part) {
			if _, n, ok := strings.Cut(row, "  frame "); ok {
				frames = append(frames, strings.TrimSpace(n))
			}
		}
		ladders = append(ladders, strings.Join(frames, " "))
	}
	return strings.Join(ladders, "|")
}

func TestArrow(t *testing.T) {
	d := ladder{points: []string{"1", "2", "3"}}
	for _, tt := range []struct {
		from, to int
		want     string
	}{
		{0, 1, "|----- begin ---->|                 |"},
		{2, 1, "|                 |<---- begin -----|"},
		{0, 2, "|-------------- begin ------------->|"},
		{1, 1, "|                 |                 | begin"},
	} {
		if got := d.arrow(rung{from: tt.from, to: tt.to, label: "begin"}); got != tt.want {
			t.Errorf("from %d to %d:\n%s, want\n%s", tt.from, tt.to, got, tt.want)
		}
	}
}

func TestLadderBounds(t *testing.T) {
	l := NewLadders("61")
	for i := range uint64(3 * maxRungs) {
		l.Add(step(i, tcap.Continue, 1, 2, "a", "b"))
	}
	for i := range uint32(3 * maxLadders) {
		l.Add(step(1, tcap.Begin, 100+2*i, 101+2*i, "a", ""))
	}
	if len(l.list) != maxLadders || len(l.list[0].rungs) != maxRungs || l.dropped != 2*maxRungs+2*maxLadders+1 {
		t.Errorf("%d ladders, the first has %d rungs, %d dropped", len(l.list), len(l.list[0].rungs), l.dropped)
	}
}
