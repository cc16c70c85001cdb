package sccp

import (
	"bytes"
	"slices"
	"testing"

	"github.com/tcapflow/tcapflow/internal/sigtran/mtp3"
	build "github.com/tcapflow/tcapflow/internal/sigtran/sigtrantest"
)

// show is an address as text: standard parts only.
type show struct {
	gt      string
	ssn     byte
	pc      uint32
	onSSN   bool
	quality Quality
}

func TestParseAddress(t *testing.T) {
	const itu, ansi, china, japan = mtp3.ITU, mtp3.ANSI, mtp3.China, mtp3.Japan
	for _, tt := range []struct {
		name     string
		standard mtp3.Standard
		in       []byte
		want     show
	}{
		{"subsystem number", itu, []byte{0x42, 6}, show{ssn: 6, onSSN: true, quality: Clean}},
		{"point code", itu, []byte{0x43, 0x86, 0x03, 1}, show{ssn: 1, pc: 902, onSSN: true, quality: Clean}},
		{"no subsystem number", itu, []byte{0x41, 1, 0}, show{pc: 1, onSSN: true, quality: Odd}},
		{"point code has 14 bits", itu, []byte{0x43, 0xff, 0xff, 8}, show{ssn: 8, pc: 0x3fff, onSSN: true, quality: Odd}},
		{"global title 1, odd", itu, []byte{0x06, 8, 0x84, 0x21, 0x43, 0x05}, show{gt: "12345", ssn: 8, quality: Clean}},
		{"global title 2", itu, []byte{0x0a, 8, 0x00, 0x21, 0x43}, show{gt: "1234", ssn: 8, quality: Clean}},
		{"global title 3, odd", itu, []byte{0x0e, 8, 0x00, 0x11, 0x21, 0x03}, show{gt: "123", ssn: 8, quality: Clean}},
		{"global title 4, even", itu, []byte{0x12, 8, 0x00, 0x12, 0x04, 0x21, 0xcb}, show{gt: "12BC", ssn: 8, quality: Odd}},
		{"end of address", itu, []byte{0x12, 8, 0x00, 0x12, 0x04, 0x21, 0xf3}, show{gt: "123F", ssn: 8, quality: Clean}},
		{"global title 4, odd", itu, []byte{0x12, 8, 0x00, 0x11, 0x04, 0x21, 0x03}, show{gt: "123", ssn: 8, quality: Clean}},
		{"filler is no digit", itu, []byte{0x12, 8, 0x00, 0x11, 0x04, 0x21, 0xf3}, show{gt: "123", ssn: 8, quality: Clean}},
		{"bit for national use", itu, []byte{0x92, 6, 0x00, 0x12, 0x04, 0x44}, show{gt: "44", ssn: 6, quality: Odd}},
		{"all of them", itu, []byte{0x13, 1, 0, 8, 0x00, 0x12, 0x04, 0x21}, show{gt: "12", ssn: 8, pc: 1, quality: Clean}},
		{"reserved global title", itu, []byte{0x3e, 8, 1, 2, 3}, show{ssn: 8, quality: Odd}},
		{"nothing", itu, []byte{0}, show{quality: Clean}},
		{"octets too many", itu, []byte{0x43, 1, 0, 8, 9}, show{ssn: 8, pc: 1, onSSN: true, quality: Broken}},

		{"ansi", ansi, build.ANSIPC(0x010203, 6), show{ssn: 6, pc: 0x010203, onSSN: true, quality: Clean}},
		{"ansi, global title 2", ansi, build.ANSIGT("3035551234", 9, 6), show{gt: "3035551234", ssn: 6, quality: Clean}},
		{"ansi, global title 1", ansi, []byte{0x85, 6, 9, 0x11, 0x21, 0x03}, show{gt: "123", ssn: 6, quality: Clean}},
		{"ansi, global title 4", ansi, []byte{0x91, 6, 0x00, 0x12, 0x04, 0x44}, show{ssn: 6, quality: Broken}},
		{"ansi, itu's bit", ansi, []byte{0x43, 6, 1, 0, 0}, show{ssn: 6, pc: 1, onSSN: true, quality: Odd}},
		{"ansi's as itu's", itu, build.ANSIPC(0x010203, 6), show{ssn: 2, pc: 0x306, onSSN: true, quality: Broken}},
		{"itu's as ansi's", ansi, build.PC(902, 8), show{quality: Broken}},

		{"china", china, build.ChinaPC(0x010203, 8), show{ssn: 8, pc: 0x010203, onSSN: true, quality: Clean}},
		{"china's as itu's", itu, build.ChinaPC(0x010203, 8), show{ssn: 1, pc: 0x203, onSSN: true, quality: Broken}},
		{"itu's as china's", china, build.PC(902, 8), show{quality: Broken}},
		{"japan", japan, []byte{0x43, 0xfe, 0xff, 8}, show{ssn: 8, pc: 0xfffe, onSSN: true, quality: Clean}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var a Address
			q := a.parse(tt.in, tt.standard)
			if q != tt.want.quality {
				t.Errorf("quality %d, want %d", q, tt.want.quality)
			}
			got := show{a.GT(), a.SSN, a.PC, a.RouteOnSSN, q}
			if q != Broken && got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
			for n := range tt.in { // cut short: broken or fewer digits, no panic
				a.parse(tt.in[:n], tt.standard)
			}
		})
	}
	for _, in := range [][]byte{{}, {0x01, 1}, {0x02}, {0x12, 8, 0, 0x12}} {
		var a Address
		if q := a.parse(in, mtp3.ITU); q != Broken || a != (Address{Unread: true}) {
			t.Errorf("%x: quality %d, %+v", in, q, a)
		}
	}
}

func TestLongTitle(t *testing.T) {
	var a, b Address
	if a.SetDigits(bytes.Repeat([]byte{0x21}, 20), 40); !a.Truncated || len(a.GT()) != maxDigits {
		t.Errorf("got %+v", a)
	}
	b.SetDigits([]byte{0x21, 0x03}, 3)
	c := b
	if c.SetDigits([]byte{0x21, 0xf3}, 3); c != b {
		t.Errorf("%+v and %+v differ by a filler", b, c)
	}
}

func TestHasPrefix(t *testing.T) {
	var a Address
	a.SetDigits([]byte{0x94, 0x71, 0x0c}, 5)
	for prefix, want := range map[string]bool{"": true, "49": true, "4917C": true, "4917C0": false, "5": false, "491": true, "492": false} {
		if a.HasPrefix(prefix) != want {
			t.Errorf("%s begins with %s: not %t", a.GT(), prefix, want)
		}
	}
}

func TestParse(t *testing.T) {
	called, calling, data := build.PC(1, 6), build.PC(2, 7), []byte("data")
	udt := build.UDT(called, calling, data)
	ludt := build.LUDT(called, calling, data)
	bad := func(at int, to byte) []byte {
		b := bytes.Clone(udt)
		b[at] = to
		return b
	}
	segmented := func(optional ...byte) []byte { return build.XUDT(called, calling, data, optional) }
	for _, tt := range []struct {
		name  string
		in    []byte
		ok    bool
		cause int16
		whole bool
		err   error
	}{
		{"udt", udt, true, -1, true, nil},
		{"udts", build.UDTS(1, called, calling, data), true, 1, true, nil},
		{"xudt", build.XUDT(called, calling, data, nil), true, -1, true, nil},
		{"xudts", build.XUDTS(2, called, calling, data), true, 2, true, nil},
		{"ludt", ludt, true, -1, true, nil},
		{"ludts", append([]byte{0x14, 3}, ludt[2:]...), true, 3, true, nil},
		{"xudt, another parameter first", segmented(0x12, 1, 0, 0x10, 4, 0x80, 0, 0, 0, 0), true, -1, true, nil},
		{"xudt, first segment", segmented(build.Segmentation(true, 2, 5)...), true, -1, false, nil},
		{"xudt, last segment", segmented(build.Segmentation(false, 0, 5)...), true, -1, false, nil},
		{"xudt, optional part cut", segmented(0x10, 4), false, 0, false, errLength},
		{"connection request", []byte{1, 0, 0}, false, 0, false, nil},
		{"type 0", []byte{0, 0, 0}, false, 0, false, errType},
		{"type of nothing", []byte{99, 0, 0}, false, 0, false, errType},
		{"empty", nil, false, 0, false, errShort},
		{"cut in the fixed part", udt[:2], false, 0, false, errShort},
		{"pointer 0", bad(2, 0), false, 0, false, errPointer},
		{"pointer past the end", bad(4, 0xff), false, 0, false, errPointer},
		{"length past the end", bad(5, 0xff), false, 0, false, errLength},
		{"ludt, length past the end", ludt[:len(ludt)-1], false, 0, false, errLength},
	} {
		t.Run(tt.name, func(t *testing.T) {
			u := Unitdata{Segment: Segment{Present: true}} // of a message before
			ok, err := u.Parse(tt.in, mtp3.ITU, false)
			if ok != tt.ok || err != tt.err {
				t.Fatalf("got %+v, %t, %v", u, ok, err)
			}
			if !ok {
				return
			}
			if string(u.Data) != "data" || u.Called.PC != 1 || u.Calling.SSN != 7 || u.Quality != Clean {
				t.Errorf("got %+v", u)
			}
			if u.Cause != tt.cause || u.Segment.Whole() != tt.whole {
				t.Errorf("cause %d, segment %+v", u.Cause, u.Segment)
			}
		})
	}
}

func TestCut(t *testing.T) {
	udt := build.UDT(build.PC(1, 6), build.PC(2, 7), []byte("data"))
	var u Unitdata
	if ok, err := u.Parse(udt[:len(udt)-2], mtp3.ITU, true); !ok || err != nil || string(u.Data) != "da" || !u.Cut {
		t.Errorf("got %+v, %t, %v", u, ok, err)
	}
	if _, err := u.Parse(udt[:9], mtp3.ITU, true); err != errLength && err != errPointer {
		t.Errorf("cut in an address: %v", err)
	}
	odd := bytes.Replace(udt, []byte{4, 0x43}, []byte{4, 0x42}, 1)
	if ok, err := u.Parse(odd, mtp3.ITU, false); !ok || err != nil ||
		!u.Called.Unread || u.Calling.Unread || u.Quality != Broken {
		t.Errorf("an address of no form: %+v, %t, %v", u, ok, err)
	}
}

func segment(first bool, remaining byte, reference uint32, data string) *Unitdata {
	return &Unitdata{Segment: Segment{true, first, remaining, reference}, Data: []byte(data)}
}

func TestSegments(t *testing.T) {
	a, b, c := segment(true, 2, 1, "a"), segment(false, 1, 1, "b"), segment(false, 0, 1, "c")
	for _, tt := range []struct {
		name  string
		parts []*Unitdata
		whole []string
		lost  []string
		want  SegmentCounters
	}{
		{"in order", []*Unitdata{a, b, c}, []string{"abc"}, nil, SegmentCounters{Joined: 2}},
		{"backwards", []*Unitdata{c, b, a}, []string{"abc"}, nil, SegmentCounters{Joined: 2}},
		{"repeated", []*Unitdata{a, b, b, c}, []string{"abc"}, nil, SegmentCounters{Joined: 2, Incomplete: 1}},
		{"two messages", []*Unitdata{a, segment(true, 1, 2, "x"), b, segment(false, 0, 2, "y"), c},
			[]string{"xy", "abc"}, nil, SegmentCounters{Joined: 3}},
		{"last one missing", []*Unitdata{a, b}, nil, []string{"ab"}, SegmentCounters{Incomplete: 2}},
		{"middle one missing", []*Unitdata{a, c}, nil, []string{"a"}, SegmentCounters{Incomplete: 2}},
		{"first one missing", []*Unitdata{b, c}, nil, nil, SegmentCounters{Incomplete: 2}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var s Segments
			var whole, lost []string
			for i, u := range tt.parts {
				if data, n := s.Add(u, 7, 0, func() any { return i }); n > 0 {
					whole = append(whole, string(data))
				}
			}
			if len(s.Lost(segmentedLife)) > 0 {
				t.Error("given up too soon")
			}
			for _, p := range s.Lost(segmentedLife + 1) {
				lost = append(lost, string(p.Data))
				if p.Tag != 0 {
					t.Errorf("tag %v", p.Tag)
				}
			}
			if !slices.Equal(whole, tt.whole) || !slices.Equal(lost, tt.lost) || s.Counters != tt.want || s.held != 0 {
				t.Errorf("got %q, lost %q, %+v, %d octets held", whole, lost, s.Counters, s.held)
			}
		})
	}
}

func TestSegmentBounds(t *testing.T) {
	var s Segments
	for i := range uint32(5000) {
		u := segment(true, 9, i, string(make([]byte, 4000)))
		s.Add(u, 7, 0, func() any { return nil })
		if len(s.open) > maxSegmented || s.held > maxHeldOctets {
			t.Fatalf("%d messages, %d octets", len(s.open), s.held)
		}
	}
	if s.Close(); s.Counters.Incomplete != 5000 || s.held != 0 {
		t.Errorf("%+v, %d octets held", s.Counters, s.held)
	}
}

func FuzzParse(f *testing.F) {
	called, calling := build.GT("123", 6), build.PC(2, 7)
	f.Add(build.UDT(called, calling, []byte("data")))
	f.Add(build.XUDT(called, calling, []byte("data"), []byte{0x10, 4, 0x80, 0, 0, 0, 0}))
	f.Add(build.LUDT(called, calling, []byte("data")))
	f.Add(build.UDT(build.ANSIPC(1, 6), build.ANSIGT("1234", 1, 7), []byte("data")))
	f.Add(build.XUDT(called, build.ChinaPC(1, 6), []byte("data"), build.Segmentation(true, 1, 7)))
	var segments Segments
	f.Fuzz(func(t *testing.T, b []byte) {
		for s := range mtp3.Standards {
			for _, cut := range []bool{false, true} {
				var u Unitdata
				ok, err := u.Parse(b, s, cut)
				if ok && err != nil {
					t.Error("both a message and an error")
				}
				if len(u.Data) > len(b) || len(u.Called.GT()) > maxDigits {
					t.Errorf("got %+v", u)
				}
				if ok && !u.Segment.Whole() {
					segments.Add(&u, 1, int64(len(b)), func() any { return nil })
				}
			}
		}
		if segments.held > maxHeldOctets || len(segments.open) > maxSegmented {
			t.Errorf("%d octets, %d messages", segments.held, len(segments.open))
		}
	})
}
