package sctp

import (
	"slices"
	"testing"

	"github.com/tcapflow/tcapflow/internal/sigtran/sigtrantest"
)

func TestParse(t *testing.T) {
	heartbeat := []byte{4, 0, 0, 6, 'h', 'b', 0, 0}
	a := sigtrantest.Chunk(1, PPIDM3UA, 3, []byte("abc"))
	b := sigtrantest.Chunk(2, PPIDM2PA, 2, []byte("defgh"))
	for _, tt := range []struct {
		name     string
		packet   []byte
		payloads []string
		err      error
	}{
		{"bundled, other chunks between", sigtrantest.SCTP(heartbeat, a, heartbeat, b), []string{"abc", "defgh"}, nil},
		{"last padding missing", sigtrantest.SCTP(a, b[:len(b)-3]), []string{"abc", "defgh"}, nil},
		{"second chunk cut", sigtrantest.SCTP(a, b[:len(b)-4]), []string{"abc"}, errChunkLength},
		{"chunk header cut", sigtrantest.SCTP(a, []byte{0, 3, 0}), []string{"abc"}, errShortChunk},
		{"length 0", sigtrantest.SCTP(a, []byte{0, 3, 0, 0}), []string{"abc"}, errShortChunk},
		{"DATA shorter than its header", sigtrantest.SCTP([]byte{0, 3, 0, 4}), nil, errShortChunk},
		{"header cut", []byte{1, 2, 3}, nil, errShortHeader},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var chunks Chunks
			err := chunks.Parse(tt.packet, false)
			var got []string
			for _, c := range chunks.Data {
				got = append(got, string(c.Payload))
			}
			if err != tt.err || !slices.Equal(got, tt.payloads) {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
}

func TestParseKinds(t *testing.T) {
	heartbeat := []byte{4, 0, 0, 4}
	packet := sigtrantest.SCTP(heartbeat,
		sigtrantest.IData(5, 9, PPIDSUA, 2, []byte("ab")), sigtrantest.IData(6, 9, 1, 1, []byte("c")), heartbeat)
	var c Chunks
	if err := c.Parse(packet, false); err != nil || c.Control != 2 || len(c.Data) != 2 {
		t.Fatalf("got %+v, %v", c, err)
	}
	if d := c.Data[0]; d.TSN != 5 || d.PPID != PPIDSUA || d.seq != 0 || string(d.Payload) != "ab" || !d.Begin || d.End {
		t.Errorf("got %+v", d)
	}
	if d := c.Data[1]; d.seq != 1 || d.PPID != 0 || d.group != c.Data[0].group {
		t.Errorf("got %+v", d)
	}
	if err := c.Parse(packet[:len(packet)-8], true); err != nil || len(c.Data) != 2 || !c.Data[1].Cut {
		t.Errorf("cut: %+v, %v", c, err)
	}
}

func TestProtocol(t *testing.T) {
	for _, tt := range []struct {
		port uint16
		ppid uint32
		want uint32
	}{
		{9, PPIDM3UA, PPIDM3UA}, {9, PPIDM3UA << 24, PPIDM3UA}, {9, 46, 0}, {9, 46 << 24, 0}, {9, 0, 0},
		{PortM3UA, 0, PPIDM3UA}, {PortM2PA, 0, PPIDM2PA}, {PortM2UA, 0, PPIDM2UA}, {PortSUA, 0, PPIDSUA}, {PortM3UA, 46, 0},
	} {
		for _, h := range []Header{{SrcPort: tt.port}, {DstPort: tt.port}} {
			if got := Protocol(h, tt.ppid); got != tt.want {
				t.Errorf("port %d, identifier %#x: got %d, want %d", tt.port, tt.ppid, got, tt.want)
			}
		}
	}
}

func TestWindow(t *testing.T) {
	const max = ^uint32(0)
	for _, tt := range []struct {
		name string
		tsns []uint32
		seen []bool
	}{
		{"each once", []uint32{1, 2, 3}, []bool{false, false, false}},
		{"again", []uint32{1, 2, 1, 2, 3}, []bool{false, false, true, true, false}},
		{"filling a gap", []uint32{1, 5, 3, 3}, []bool{false, false, false, true}},
		{"wrap", []uint32{max, 0, max, 0}, []bool{false, false, true, true}},
		{"still known", []uint32{1, windowSize, 1}, []bool{false, false, true}},
		{"too far ahead", []uint32{1, 1 + windowSize, 1}, []bool{false, false, false}},
		{"a step clears what it passes", []uint32{1, windowSize, windowSize + 5, windowSize + 1}, []bool{false, false, false, false}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var w Window
			for i, tsn := range tt.tsns {
				if got := w.Seen(tsn, []byte("x")); got != tt.seen[i] {
					t.Errorf("step %d: got %t", i, got)
				}
			}
		})
	}
	var w Window
	if w.Seen(1, []byte("one")); w.Seen(1, []byte("another")) {
		t.Error("another payload is taken for the same chunk")
	}
}

func TestReassembler(t *testing.T) {
	part := func(tsn uint32, stream uint16, flags byte, s string) Data {
		return Data{seq: tsn, group: uint64(stream), Begin: flags&flagBegin != 0, End: flags&flagEnd != 0, Payload: []byte(s)}
	}
	message := func(number, fragment uint32, flags byte, s string) Data {
		d := part(fragment, 0, flags, s)
		d.group = 1<<63 | uint64(number)
		return d
	}
	const max = ^uint32(0)
	for _, tt := range []struct {
		name               string
		parts              []Data
		want               []string
		joined, incomplete uint64
	}{
		{"in order", []Data{part(1, 0, 2, "a"), part(2, 0, 0, "b"), part(3, 0, 1, "c")}, []string{"abc"}, 2, 0},
		{"backwards", []Data{part(3, 0, 1, "c"), part(2, 0, 0, "b"), part(1, 0, 2, "a")}, []string{"abc"}, 2, 0},
		{"sequence numbers wrap", []Data{part(0, 0, 1, "b"), part(max, 0, 2, "a")}, []string{"ab"}, 1, 0},
		{"repeated", []Data{part(1, 0, 2, "a"), part(1, 0, 2, "a"), part(2, 0, 1, "b")}, []string{"ab"}, 1, 1},
		{"gap", []Data{part(1, 0, 2, "a"), part(3, 0, 1, "c")}, nil, 0, 2},
		{"streams differ", []Data{part(1, 0, 2, "a"), part(2, 9, 1, "b")}, nil, 0, 2},
		{"cut", []Data{part(1, 0, 2, "a"), {seq: 2, End: true, Cut: true}}, nil, 0, 2},
		{"two messages", []Data{part(4, 0, 1, "d"), part(1, 0, 2, "a"), part(2, 0, 1, "b"), part(3, 0, 2, "c")},
			[]string{"ab", "cd"}, 2, 0},
		{"interleaved messages", []Data{message(7, 0, 2, "a"), message(8, 0, 2, "c"), message(7, 1, 1, "b"), message(8, 1, 1, "d")},
			[]string{"ab", "cd"}, 2, 0},
		{"too long", []Data{part(1, 0, 2, string(make([]byte, 60_000))), part(2, 0, 1, string(make([]byte, 60_000)))}, nil, 0, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var r Reassembler
			var budget Budget
			var got []string
			for _, p := range tt.parts {
				if m, ok := r.Add(&budget, p); ok {
					got = append(got, string(m.Payload))
				}
			}
			r.Close(&budget)
			if !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if budget.held != 0 || budget.Joined != tt.joined || budget.Incomplete != tt.incomplete {
				t.Errorf("got %+v", budget)
			}
		})
	}
}

func TestReassemblerBounds(t *testing.T) {
	var r Reassembler
	var budget Budget
	for tsn := range uint32(maxFragments + 5) {
		r.Add(&budget, Data{seq: 2 * tsn})
	}
	if budget.Incomplete != 5 || len(r.parts) != maxFragments {
		t.Errorf("%d given up, %d held", budget.Incomplete, len(r.parts))
	}
	many := make([]Reassembler, 100)
	big := make([]byte, 60_000)
	for i := range uint32(5000) {
		many[i%100].Add(&budget, Data{seq: 2 * i, Payload: big})
	}
	if budget.held > maxHeld || budget.Incomplete == 5 {
		t.Errorf("%d octets held, %d given up", budget.held, budget.Incomplete)
	}
	for i := range many {
		many[i].Close(&budget)
	}
	if budget.held != 0 {
		t.Errorf("%d octets held by nobody", budget.held)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(sigtrantest.SCTP(sigtrantest.Chunk(1, 3, 2, []byte("abc")), sigtrantest.Chunk(2, 3, 1, []byte("d"))))
	f.Add(sigtrantest.SCTP(sigtrantest.IData(1, 7, 3, 2, []byte("abc")), sigtrantest.IData(2, 7, 1, 1, []byte("d"))))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, cut := range []bool{false, true} {
			var c Chunks
			var r Reassembler
			var w Window
			var budget Budget
			c.Parse(b, cut)
			total := 0
			for _, d := range c.Data {
				total += len(d.Payload)
				if w.Seen(d.TSN, d.Payload) {
					continue
				}
				if m, ok := r.Add(&budget, d); ok && len(m.Payload) > len(b) {
					t.Errorf("message of %d octets from a packet of %d", len(m.Payload), len(b))
				}
			}
			if r.Close(&budget); total > len(b) || budget.held != 0 {
				t.Errorf("payloads of %d octets in a packet of %d, %d held", total, len(b), budget.held)
			}
		}
	})
}
