package tcap

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"

	build "github.com/tcapflow/tcapflow/internal/sigtran/sigtrantest"
)

// text shows a message in one line.
func text(m *Message) string {
	parts := []string{m.Kind.String()}
	if m.Package != 0 {
		parts = append(parts, PackageName(m.Package))
	}
	add := func(there bool, format string, v any) {
		if there {
			parts = append(parts, fmt.Sprintf(format, v))
		}
	}
	add(!m.OTID.IsZero(), "otid=%v", m.OTID)
	add(!m.DTID.IsZero(), "dtid=%v", m.DTID)
	add(!m.Context.IsZero(), "context=%v", m.Context)
	add(m.AbortCause >= 0, "cause=%d", m.AbortCause)
	add(m.AbortSource >= 0, "source=%d", m.AbortSource)
	for _, c := range m.Components[:m.Count] {
		parts = append(parts, componentText(c))
	}
	add(m.More > 0, "more=%d", m.More)
	return strings.Join(parts, " ")
}

func componentText(c Component) string {
	s := c.Kind.String()
	if c.HasInvokeID {
		s += fmt.Sprintf("#%d", c.InvokeID)
	}
	if c.HasLinkedID {
		s += fmt.Sprintf("^%d", c.LinkedID)
	}
	switch c.CodeKind {
	case Local:
		s += fmt.Sprintf(":%d", c.Code)
	case Global:
		s += ":" + c.GlobalCode.String()
	case National, Private:
		s += fmt.Sprintf(":%d.%d", c.Code>>8, c.Code&0xff)
	}
	if c.Problem != 0 {
		s += fmt.Sprintf("!%x", c.Problem)
	}
	return s
}

// ansiTID is the transaction ID element of T1.114.
func ansiTID(ids string) []byte { return build.TLV(0xc7, []byte(ids)) }

func TestParse(t *testing.T) {
	number := func(v byte) []byte { return build.TLV(2, []byte{v}) }
	ansiInvoke := build.TLV(0xe8, build.TLV(0xe9, build.TLV(0xcf, []byte{1}), build.TLV(0xd1, []byte{9, 15}), build.TLV(0xf2)))
	invokes := func(n int) (list []byte) {
		for range n {
			list = append(list, build.TLV(0xa1, number(1), number(2))...)
		}
		return list
	}
	for _, tt := range []struct {
		name string
		in   []byte
		want string
		err  string // a part of it
	}{
		{"begin", build.TLV(0x62, build.OTID("\x01"), build.Dialogue(0x60, 1), build.Invoke(1, 2)),
			"begin otid=01 context=0.4.0.0.1.0.1.3 invoke#1:2", ""},
		{"indefinite lengths", build.Indefinite(0x62, build.OTID("\x01"), build.Indefinite(0x6c, build.Indefinite(0xa1, number(1), number(2)))),
			"begin otid=01 invoke#1:2", ""},
		{"long form of length", append([]byte{0x62, 0x82, 0, 3}, build.OTID("\x01")...), "begin otid=01", ""},
		{"continue", build.TLV(0x65, build.OTID("ab"), build.DTID("cd")), "continue otid=6162 dtid=6364", ""},
		{"end", build.TLV(0x64, build.DTID("cd"), build.Result(1, 2)), "end dtid=6364 returnResultLast#1:2", ""},
		{"p-abort", build.TLV(0x67, build.DTID("cd"), build.TLV(0x4a, []byte{4})), "abort dtid=6364 cause=4", ""},
		{"u-abort", build.TLV(0x67, build.DTID("cd"), build.TLV(0x6b, build.TLV(0x28, build.TLV(0x06, []byte{0}),
			build.TLV(0xa0, build.TLV(0x64, build.TLV(0x80, []byte{0})))))), "abort dtid=6364 source=0", ""},
		{"unidirectional", build.TLV(0x61, build.Invoke(1, 2)), "unidirectional invoke#1:2", ""},
		{"linked invoke, global code, error, reject", build.TLV(0x61, build.TLV(0x6c,
			build.TLV(0xa1, build.TLV(2, []byte{0xff}), build.TLV(0x80, []byte{1}), build.TLV(6, []byte{0x2a, 0x03})),
			build.TLV(0xa3, number(1), number(27)),
			build.TLV(0xa4, build.TLV(5), build.TLV(0x81, []byte{2})))),
			"unidirectional invoke#-1^1:1.2.3 returnError#1:27 reject!8102", ""},
		{"many components", build.TLV(0x61, build.TLV(0x6c, invokes(MaxComponents+3))),
			"unidirectional" + strings.Repeat(" invoke#1:2", MaxComponents) + " more=3", ""},
		{"own length too long", append([]byte{0x62, 9}, build.OTID("\x01")...), "begin otid=01", "length runs past"},
		{"broken components", build.TLV(0x62, build.OTID("\x01"), build.TLV(0x6c, []byte{0xa1, 9})),
			"begin otid=01", "component portion"},
		{"second component broken", build.TLV(0x62, build.OTID("\x01"), build.TLV(0x6c, invokes(1), []byte{0xa1, 3, 2, 1, 1})),
			"begin otid=01 invoke#1:2 invoke#1", ""},
		{"octets after it", append(build.TLV(0x62, build.OTID("\x01")), 1, 2), "begin otid=01", ErrTrailing.Error()},

		{"query", build.TLV(0xe2, ansiTID("abcd"), ansiInvoke), "begin queryWithPermission otid=61626364 invoke#1:9.15", ""},
		{"conversation", build.TLV(0xe6, ansiTID("abcdefgh"), ansiInvoke),
			"continue conversationWithoutPermission otid=61626364 dtid=65666768 invoke#1:9.15", ""},
		{"response", build.TLV(0xe4, ansiTID("abcd"), build.TLV(0xe8,
			build.TLV(0xea, build.TLV(0xcf, []byte{1}), build.TLV(0xf2)),
			build.TLV(0xeb, build.TLV(0xcf, []byte{2}), build.TLV(0xd4, []byte{0x81})),
			build.TLV(0xec, build.TLV(0xcf, []byte{3}), build.TLV(0xd5, []byte{2, 1})))),
			"end response dtid=61626364 returnResultLast#1 returnError#2:0.129 reject#3!201", ""},
		{"ansi abort", build.TLV(0xf6, ansiTID("abcd"), build.TLV(0xd7, []byte{4})), "abort abort dtid=61626364 cause=4", ""},
		{"ansi unidirectional", build.TLV(0xe1, ansiTID(""), ansiInvoke), "unidirectional unidirectional invoke#1:9.15", ""},
		{"national code", build.TLV(0xe1, ansiTID(""), build.TLV(0xe8, build.TLV(0xed, build.TLV(0xcf, []byte{1, 2}), build.TLV(0xd0, []byte{1, 2})))),
			"unidirectional unidirectional invokeNotLast#1^2:1.2", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var m Message
			ok, err := m.Parse(tt.in)
			if got := text(&m); !ok || got != tt.want {
				t.Errorf("got %s, %t, want %s", got, ok, tt.want)
			}
			if (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
				t.Errorf("error %v, want %q", err, tt.err)
			}
			if n := testing.AllocsPerRun(10, func() { m.Parse(tt.in) }); tt.err == "" && n > 0 {
				t.Errorf("%v allocations", n)
			}
		})
	}
}

// TestCut has what a capture with a short snap length leaves of a message.
func TestCut(t *testing.T) {
	whole := build.TLV(0x62, build.OTID("abcd"), build.Dialogue(0x60, 1), build.Invoke(1, 2))
	for n := range whole {
		var m Message
		ok, err := m.Parse(whole[:n])
		if ok != (n >= 8) || err == nil {
			t.Errorf("%d octets: %s, %t, %v", n, text(&m), ok, err)
		}
		if n >= 8+32 && m.Context.IsZero() {
			t.Errorf("%d octets: %s", n, text(&m))
		}
	}
}

func TestParseErrors(t *testing.T) {
	for in, want := range map[string]string{
		"":                           "past its container",
		"62":                         "past its container",
		"30020500":                   "no message type",
		"6200":                       "no transaction ID",
		"6400":                       "no transaction ID",
		"620748050102030405":         "longer than 4 octets",
		"628548010000":               "longer than 4 octets",
		"62804801":                   "no transaction ID",
		"1f":                         "past its container",
		"4280":                       "indefinite length on a primitive",
		"1fffffffff":                 "tag number",
		"e205c70301020300":           "longer than 4 octets",
		"e200":                       "no transaction ID",
		strings.Repeat("6280", 1000): "too deep",
	} {
		b, err := hex.DecodeString(in)
		if err != nil {
			t.Fatal(err)
		}
		var m Message
		if ok, err := m.Parse(b); ok || err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.20s: %t, error %v, want %q", in, ok, err, want)
		}
	}
}

func TestOID(t *testing.T) {
	for in, want := range map[string]string{
		"\x2a\x03": "1.2.3", "\x04\x00\x00\x01\x00\x14\x03": "0.4.0.0.1.0.20.3", "\x88\x37": "2.999",
	} {
		if o, err := parseOID([]byte(in)); err != nil || o.String() != want {
			t.Errorf("%x: %s, %v", in, o, err)
		}
	}
	for _, in := range []string{"", "\x80", strings.Repeat("\x01", 17), "\xff\xff\xff\xff\xff\x01"} {
		if o, err := parseOID([]byte(in)); err == nil {
			t.Errorf("%x: %s", in, o)
		}
	}
}

func TestCauseNames(t *testing.T) {
	if AbortCauseName(0, 1) != "unrecognized transaction ID" || AbortCauseName(0xf6, 4) != "unassigned responding transaction ID" ||
		AbortCauseName(0, 99) != "" || AbortCauseName(0, -1) != "" {
		t.Error("a cause has another name")
	}
}

func FuzzParse(f *testing.F) {
	f.Add(build.TLV(0x62, build.OTID("\x01"), build.Dialogue(0x60, 1), build.Invoke(1, 2)))
	f.Add(build.Indefinite(0x65, build.OTID("\x01"), build.DTID("\x02"), build.Indefinite(0x6c, build.Indefinite(0xa2, build.TLV(2, []byte{1})))))
	f.Add(build.TLV(0xe6, ansiTID("abcdefgh"), build.TLV(0xe8, build.TLV(0xe9, build.TLV(0xcf, []byte{1}), build.TLV(0xd1, []byte{9, 15})))))
	f.Fuzz(func(t *testing.T, b []byte) {
		before := bytes.Clone(b)
		var m Message
		ok, err := m.Parse(b)
		if !ok && err == nil {
			t.Error("neither a message nor an error")
		}
		if ok && (m.Kind.String() == "" || m.Count > MaxComponents || m.More > 0 && m.Count < MaxComponents) {
			t.Errorf("got %+v", m)
		}
		for _, c := range m.Components[m.Count:] {
			if c != (Component{}) {
				t.Errorf("a component beyond the count: %+v", c)
			}
		}
		if !slices.Equal(b, before) {
			t.Error("input was changed")
		}
	})
}

func BenchmarkParse(b *testing.B) {
	in := build.TLV(0x62, build.OTID("\x01"), build.Dialogue(0x60, 1), build.Invoke(1, 2))
	b.ReportAllocs()
	var m Message
	for b.Loop() {
		m.Parse(in)
	}
}
