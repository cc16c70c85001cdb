package m3ua

import (
	"testing"

	"github.com/tcapflow/tcapflow/internal/sigtran/sigtrantest"
)

func TestParse(t *testing.T) {
	data := sigtrantest.M3UA(0x010203, 4, []byte("sccp"))
	unpadded := sigtrantest.M3UA(0x010203, 4, []byte("s"))
	for _, tt := range []struct {
		name string
		in   []byte
		ok   bool
		bad  bool
	}{
		{"data", data, true, false},
		{"padding missing from the message", unpadded[:len(unpadded)-3], true, false},
		{"another message", []byte{1, 0, 3, 1, 0, 0, 0, 8}, false, false},
		{"no protocol data", []byte{1, 0, 1, 1, 0, 0, 0, 16, 0, 6, 0, 8, 0, 0, 0, 1}, false, false},
		{"protocol data too short", []byte{1, 0, 1, 1, 0, 0, 0, 12, 2, 16, 0, 4}, false, true},
		{"parameter length 0", []byte{1, 0, 1, 1, 0, 0, 0, 12, 2, 16, 0, 0}, false, true},
		{"parameter past the end", []byte{1, 0, 1, 1, 0, 0, 0, 12, 2, 16, 0, 99}, false, true},
		{"version 2", append([]byte{2}, data[1:]...), false, true},
		{"length past the end", []byte{1, 0, 1, 1, 0, 0, 1, 0}, false, true},
		{"length below the header", []byte{1, 0, 1, 1, 0, 0, 0, 7}, false, true},
		{"cut", data[:7], false, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m, ok, err := Parse(tt.in)
			if ok != tt.ok || (err != nil) != tt.bad {
				t.Fatalf("got %+v, %t, %v", m, ok, err)
			}
			if ok && (m.OPC != 0x010203 || m.DPC != 4 || m.ServiceIndicator != 3 || m.Data[0] != 0x73) {
				t.Errorf("got %+v", m)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	f.Add(sigtrantest.M3UA(1, 2, []byte("sccp")))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, ok, err := Parse(b)
		if ok && (err != nil || len(m.Data) > len(b)) {
			t.Errorf("got %+v, %v", m, err)
		}
	})
}
