package mtp3

import (
	"testing"

	"github.com/tcapflow/tcapflow/internal/sigtran/sigtrantest"
)

func TestParse(t *testing.T) {
	data := []byte("x")
	for _, tt := range []struct {
		standard Standard
		in       []byte
		opc, dpc uint32
	}{
		{ITU, sigtrantest.MTP3(902, 16383, data), 902, 16383},
		{ANSI, sigtrantest.MTP3Wide(0x010203, 0xfffefd, data), 0x010203, 0xfffefd},
		{China, sigtrantest.MTP3Wide(0x010203, 0xfffefd, data), 0x010203, 0xfffefd},
		{Japan, sigtrantest.MTP3Japan(0x0102, 0xfffe, data), 0x0102, 0xfffe},
	} {
		t.Run(tt.standard.String(), func(t *testing.T) {
			want := Message{tt.opc, tt.dpc, SCCP, 2, 5, data}
			m, err := Parse(tt.in, tt.standard)
			if err != nil || m.OPC != want.OPC || m.DPC != want.DPC || m.ServiceIndicator != want.ServiceIndicator ||
				m.NetworkIndicator != want.NetworkIndicator || m.SLS != want.SLS || string(m.Data) != "x" {
				t.Errorf("got %+v, %v", m, err)
			}
			if _, err := Parse(tt.in[:len(tt.in)-2], tt.standard); err != errShort {
				t.Errorf("error %v", err)
			}
			if s, ok := ParseStandard(tt.standard.String()); !ok || s != tt.standard {
				t.Errorf("the name reads as %v, %t", s, ok)
			}
		})
	}
	if _, ok := ParseStandard("auto"); ok {
		t.Error("auto is a standard")
	}
}

func TestService(t *testing.T) {
	if s, ok := Service([]byte{0x83}); !ok || s != SCCP {
		t.Errorf("got %d, %t", s, ok)
	}
	if _, ok := Service(nil); ok {
		t.Error("nothing has a service indicator")
	}
}

func FuzzParse(f *testing.F) {
	f.Add(sigtrantest.MTP3(1, 2, []byte("sccp")))
	f.Fuzz(func(t *testing.T, b []byte) {
		limits := [Standards]uint32{0x3fff, 0xffffff, 0xffffff, 0xffff}
		for s := range Standards {
			m, err := Parse(b, s)
			if err == nil && (m.OPC > limits[s] || m.DPC > limits[s] || s != ANSI && m.SLS > 15) {
				t.Errorf("%s: got %+v", s, m)
			}
		}
	})
}
