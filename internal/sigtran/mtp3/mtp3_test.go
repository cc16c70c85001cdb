package mtp3

import (
	"testing"

	"github.com/tcapflow/tcapflow/internal/sigtran/sigtrantest"
)

func TestParse(t *testing.T) {
	m, err := Parse(sigtrantest.MTP3(902, 16383, []byte("x")))
	if err != nil || m.OPC != 902 || m.DPC != 16383 || m.SLS != 5 || m.ServiceIndicator != SCCP ||
		m.NetworkIndicator != 2 || string(m.Data) != "x" {
		t.Errorf("got %+v, %v", m, err)
	}
	if _, err := Parse([]byte{3, 0, 0, 0}); err != errShort {
		t.Errorf("error %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(sigtrantest.MTP3(1, 2, []byte("sccp")))
	f.Fuzz(func(t *testing.T, b []byte) {
		if m, err := Parse(b); err == nil && (m.OPC > 0x3fff || m.DPC > 0x3fff || m.SLS > 15) {
			t.Errorf("got %+v", m)
		}
	})
}
