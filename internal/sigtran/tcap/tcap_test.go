package tcap

import (
	"bytes"
	"encoding/hex"
	"reflect"
	"strings"
	"testing"

	build "github.com/tcapflow/tcapflow/internal/sigtran/sigtrantest"
)

func TestParse(t *testing.T) {
	one := []Component{{Kind: Invoke, InvokeID: 1, HasInvokeID: true, Code: 2, HasCode: true}}
	for _, tt := range []struct {
		name string
		in   []byte
		want Message
		err  string // a part of it
	}{
		{"begin", build.TLV(0x62, build.OTID("\x01"), build.Dialogue(0x60, 1), build.Invoke(1, 2)),
			Message{Kind: Begin, OTID: "\x01", ApplicationContext: "0.4.0.0.1.0.1.3", AbortCause: -1, Components: one}, ""},
		{"indefinite lengths", build.Indefinite(0x62, build.OTID("\x01"), build.Indefinite(0x6c, build.Indefinite(0xa1, build.TLV(2, []byte{1}), build.TLV(2, []byte{2})))),
			Message{Kind: Begin, OTID: "\x01", AbortCause: -1, Components: one}, ""},
		{"long form of length", append([]byte{0x62, 0x82, 0, 3}, build.OTID("\x01")...),
			Message{Kind: Begin, OTID: "\x01", AbortCause: -1}, ""},
		{"continue", build.TLV(0x65, build.OTID("ab"), build.DTID("cd")), Message{Kind: Continue, OTID: "ab", DTID: "cd", AbortCause: -1}, ""},
		{"end", build.TLV(0x64, build.DTID("cd"), build.Result(1, 2)), Message{Kind: End, DTID: "cd", AbortCause: -1,
			Components: []Component{{Kind: ReturnResultLast, InvokeID: 1, HasInvokeID: true, Code: 2, HasCode: true}}}, ""},
		{"abort", build.TLV(0x67, build.DTID("cd"), build.TLV(0x4a, []byte{4})), Message{Kind: Abort, DTID: "cd", AbortCause: 4}, ""},
		{"unidirectional", build.TLV(0x61, build.Invoke(1, 2)), Message{Kind: Unidirectional, AbortCause: -1, Components: one}, ""},
		{"linked invoke, global code, error, reject",
			build.TLV(0x61, build.TLV(0x6c,
				build.TLV(0xa1, build.TLV(2, []byte{0xff}), build.TLV(0x80, []byte{1}), build.TLV(6, []byte{0x2a, 0x03})),
				build.TLV(0xa3, build.TLV(2, []byte{1}), build.TLV(2, []byte{27})),
				build.TLV(0xa4, build.TLV(5), build.TLV(0x80, []byte{0})))),
			Message{Kind: Unidirectional, AbortCause: -1, Components: []Component{
				{Kind: Invoke, InvokeID: -1, HasInvokeID: true, GlobalCode: "1.2.3"},
				{Kind: ReturnError, InvokeID: 1, HasInvokeID: true, Code: 27, HasCode: true},
				{Kind: Reject}}}, ""},
		{"own length too long", append([]byte{0x62, 9}, build.OTID("\x01")...),
			Message{Kind: Begin, OTID: "\x01", AbortCause: -1}, "length runs past"},
		{"broken components", build.TLV(0x62, build.OTID("\x01"), build.TLV(0x6c, []byte{0xa1, 9})),
			Message{Kind: Begin, OTID: "\x01", AbortCause: -1}, "component portion"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, ok, err := Parse(tt.in)
			if !ok || !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %+v, %t, want %+v", got, ok, tt.want)
			}
			if (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
				t.Errorf("error %v, want %q", err, tt.err)
			}
		})
	}
}

func TestParseErrors(t *testing.T) {
	for in, want := range map[string]string{
		"":                           "past its container",
		"62":                         "past its container",
		"30020500":                   "no message type",
		"6200":                       "no originating transaction ID",
		"6400":                       "no destination transaction ID",
		"620748050102030405":         "5 octets",
		"628548010000":               "longer than 4 octets",
		"62804801":                   "past its container",
		"1f":                         "past its container",
		"4280":                       "indefinite length on a primitive",
		"1fffffffff":                 "tag number",
		strings.Repeat("6280", 1000): "too deep",
	} {
		b, err := hex.DecodeString(in)
		if err != nil {
			t.Fatal(err)
		}
		if _, ok, err := Parse(b); ok || err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.20s: %t, error %v, want %q", in, ok, err, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(build.TLV(0x62, build.OTID("\x01"), build.Dialogue(0x60, 1), build.Invoke(1, 2)))
	f.Add(build.Indefinite(0x65, build.OTID("\x01"), build.DTID("\x02"), build.Indefinite(0x6c, build.Indefinite(0xa2, build.TLV(2, []byte{1})))))
	f.Fuzz(func(t *testing.T, b []byte) {
		before := bytes.Clone(b)
		m, ok, err := Parse(b)
		if !ok && err == nil {
			t.Error("neither a message nor an error")
		}
		if ok && (m.Kind.String() == "" || len(m.OTID) > 4 || len(m.DTID) > 4) {
			t.Errorf("got %+v", m)
		}
		if !bytes.Equal(b, before) {
			t.Error("input was changed")
		}
	})
}

func BenchmarkParse(b *testing.B) {
	in := build.TLV(0x62, build.OTID("\x01"), build.Dialogue(0x60, 1), build.Invoke(1, 2))
	b.ReportAllocs()
	for b.Loop() {
		Parse(in)
	}
}
