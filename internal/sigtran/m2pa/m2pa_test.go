package m2pa

import (
	"testing"

	"github.com/tcapflow/tcapflow/internal/sigtran/sigtrantest"
)

func TestParse(t *testing.T) {
	data := sigtrantest.M2PA([]byte{0x83, 1, 2, 3, 4})
	for _, tt := range []struct {
		name string
		in   []byte
		ok   bool
		bad  bool
	}{
		{"user data", data, true, false},
		{"user data, chunk longer", append(data[:len(data):len(data)], 0, 0), true, false},
		{"acknowledgement only", []byte{1, 0, 11, 1, 0, 0, 0, 16, 0, 0, 0, 1, 0, 0, 0, 2}, false, false},
		{"link status", []byte{1, 0, 11, 2, 0, 0, 0, 20, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 1}, false, false},
		{"cut", data[:len(data)-1], false, true},
		{"cut in the header", data[:15], false, true},
		{"class of m3ua", append([]byte{1, 0, 1}, data[3:]...), false, true},
		{"length below the header", append([]byte{1, 0, 11, 1, 0, 0, 0, 8}, data[8:]...), false, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			msu, _, ok, err := Parse(tt.in, false)
			if ok != tt.ok || (err != nil) != tt.bad || ok && (len(msu) != 5 || msu[0] != 0x83) {
				t.Errorf("got %x, %t, %v", msu, ok, err)
			}
		})
	}
}

func TestRest(t *testing.T) {
	data := sigtrantest.M2PA([]byte{0x83, 1, 2, 3, 4})
	if _, rest, ok, err := Parse(append(data, "more"...), false); !ok || err != nil || string(rest) != "more" {
		t.Errorf("got %q, %t, %v", rest, ok, err)
	}
	if msu, _, ok, err := Parse(data[:len(data)-2], true); !ok || err != nil || len(msu) != 3 {
		t.Errorf("cut by the capture: %x, %t, %v", msu, ok, err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(sigtrantest.M2PA([]byte{0x83, 1, 2, 3, 4}), false)
	f.Fuzz(func(t *testing.T, b []byte, cut bool) {
		if msu, rest, ok, err := Parse(b, cut); ok && (err != nil || len(msu)+len(rest) > len(b)) {
			t.Errorf("got %x, %v", msu, err)
		}
	})
}
