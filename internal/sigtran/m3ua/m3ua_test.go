package m3ua

import (
	"testing"

	"github.com/tcapflow/tcapflow/internal/sigtran/sigtrantest"
	"github.com/tcapflow/tcapflow/internal/sigtran/xua"
)

func TestParse(t *testing.T) {
	value := sigtrantest.ProtocolData(0x010203, 4, []byte("sccp"))[4:]
	m, err := Parse(value)
	if err != nil || m.OPC != 0x010203 || m.DPC != 4 || m.ServiceIndicator != 3 || m.NetworkIndicator != 2 ||
		m.SLS != 1 || string(m.Data) != "sccp" {
		t.Errorf("got %+v, %v", m, err)
	}
	if _, err := Parse(value[:11]); err != errShort {
		t.Errorf("error %v", err)
	}
}

func TestIsData(t *testing.T) {
	for m, want := range map[[2]byte]bool{{1, 1}: true, {1, 2}: false, {3, 1}: false} {
		if IsData(xua.Message{Class: m[0], Type: m[1]}) != want {
			t.Errorf("class %d, type %d", m[0], m[1])
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(sigtrantest.ProtocolData(1, 2, []byte("sccp")))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := Parse(b)
		if err == nil && len(m.Data) > len(b) {
			t.Errorf("got %+v, %v", m, err)
		}
	})
}
