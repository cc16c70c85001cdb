package sctp

import (
	"net/netip"
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
			_, chunks, err := Parse(tt.packet, nil)
			var got []string
			for _, c := range chunks {
				got = append(got, string(c.Payload))
			}
			if err != tt.err || !slices.Equal(got, tt.payloads) {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
}

func TestReassembler(t *testing.T) {
	part := func(tsn uint32, stream uint16, flags byte, s string) Data {
		return Data{TSN: tsn, Stream: stream, Begin: flags&flagBegin != 0, End: flags&flagEnd != 0, Payload: []byte(s)}
	}
	const max = ^uint32(0)
	for _, tt := range []struct {
		name  string
		parts []Data
		want  []string
	}{
		{"in order", []Data{part(1, 0, 2, "a"), part(2, 0, 0, "b"), part(3, 0, 1, "c")}, []string{"abc"}},
		{"backwards", []Data{part(3, 0, 1, "c"), part(2, 0, 0, "b"), part(1, 0, 2, "a")}, []string{"abc"}},
		{"sequence numbers wrap", []Data{part(0, 0, 1, "b"), part(max, 0, 2, "a")}, []string{"ab"}},
		{"repeated", []Data{part(1, 0, 2, "a"), part(1, 0, 2, "a"), part(2, 0, 1, "b")}, []string{"ab"}},
		{"gap", []Data{part(1, 0, 2, "a"), part(3, 0, 1, "c")}, nil},
		{"streams differ", []Data{part(1, 0, 2, "a"), part(2, 9, 1, "b")}, nil},
		{"two messages", []Data{part(4, 0, 1, "d"), part(1, 0, 2, "a"), part(2, 0, 1, "b"), part(3, 0, 2, "c")}, []string{"ab", "cd"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var r Reassembler
			var got []string
			for _, p := range tt.parts {
				if m, ok := r.Add(Direction{Header: Header{VerificationTag: 7}}, p); ok {
					got = append(got, string(m.Payload))
				}
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestReassemblerBounds(t *testing.T) {
	var r Reassembler
	for tsn := range uint32(maxFragments + 5) {
		r.Add(Direction{}, Data{TSN: 2 * tsn})
	}
	if r.Dropped() != 5 {
		t.Errorf("%d fragments dropped, want 5", r.Dropped())
	}
	for i := range uint32(maxAssociations) {
		r.Add(Direction{Src: netip.IPv4Unspecified(), Header: Header{VerificationTag: i + 1}}, Data{})
	}
	if r.Dropped() != 5+maxFragments || len(r.parts) != maxAssociations {
		t.Errorf("%d fragments dropped, %d directions", r.Dropped(), len(r.parts))
	}
}

// TestReassemblerHeld keeps the octets that are held within bounds.
func TestReassemblerHeld(t *testing.T) {
	var r Reassembler
	big := make([]byte, 60_000)
	for i := range uint32(2000) {
		r.Add(Direction{Header: Header{VerificationTag: 1 + i%100}}, Data{TSN: 2 * i, Payload: big})
	}
	held := 0
	for _, parts := range r.parts {
		for _, p := range parts {
			held += len(p.Payload)
		}
	}
	if held != r.held || held > maxHeld || r.Dropped() == 0 {
		t.Errorf("%d octets held, %d counted, %d fragments dropped", held, r.held, r.Dropped())
	}
}

func FuzzParse(f *testing.F) {
	f.Add(sigtrantest.SCTP(sigtrantest.Chunk(1, 3, 2, []byte("abc")), sigtrantest.Chunk(2, 3, 1, []byte("d"))))
	f.Fuzz(func(t *testing.T, b []byte) {
		var r Reassembler
		h, chunks, _ := Parse(b, nil)
		total := 0
		for _, c := range chunks {
			total += len(c.Payload)
			if m, ok := r.Add(Direction{Header: h}, c); ok && len(m.Payload) > len(b) {
				t.Errorf("message of %d octets from a packet of %d", len(m.Payload), len(b))
			}
		}
		if total > len(b) {
			t.Errorf("payloads of %d octets in a packet of %d", total, len(b))
		}
	})
}
