package m2ua

import (
	"testing"

	"github.com/tcapflow/tcapflow/internal/sigtran/sigtrantest"
)

func TestParse(t *testing.T) {
	data := sigtrantest.M2UA([]byte{0x83, 1, 2, 3, 4})
	ttc := sigtrantest.M2UA([]byte{63, 0x83, 1, 2, 3, 4})
	ttc[9] = 0x01 // protocol data 2
	for _, tt := range []struct {
		name string
		in   []byte
		ok   bool
		bad  bool
	}{
		{"protocol data 1", data, true, false},
		{"protocol data 2", ttc, true, false},
		{"another message", []byte{1, 0, 6, 2, 0, 0, 0, 8}, false, false},
		{"protocol data 2, empty", []byte{1, 0, 6, 1, 0, 0, 0, 12, 3, 1, 0, 4}, false, true},
		{"cut", data[:7], false, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			msu, ok, err := Parse(tt.in)
			if ok != tt.ok || (err != nil) != tt.bad || ok && (len(msu) != 5 || msu[0] != 0x83) {
				t.Errorf("got %x, %t, %v", msu, ok, err)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	f.Add(sigtrantest.M2UA([]byte{0x83, 1, 2, 3, 4}))
	f.Fuzz(func(t *testing.T, b []byte) {
		if msu, ok, err := Parse(b); ok && (err != nil || len(msu) > len(b)) {
			t.Errorf("got %x, %v", msu, err)
		}
	})
}
