package m2ua

import (
	"testing"

	"github.com/tcapflow/tcapflow/internal/sigtran/xua"
)

func TestParse(t *testing.T) {
	for _, tt := range []struct {
		name string
		tag  uint16
		in   string
		want string
		ok   bool
		err  error
	}{
		{"protocol data 1", TagProtocolData1, "msu", "msu", true, nil},
		{"protocol data 2", TagProtocolData2, "\x3fmsu", "msu", true, nil},
		{"protocol data 2, empty", TagProtocolData2, "", "", true, errShort},
		{"another", 1, "interface", "", false, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			msu, ok, err := Parse(tt.tag, []byte(tt.in))
			if string(msu) != tt.want || ok != tt.ok || err != tt.err {
				t.Errorf("got %q, %t, %v", msu, ok, err)
			}
		})
	}
}

func TestIsData(t *testing.T) {
	for m, want := range map[[2]byte]bool{{6, 1}: true, {6, 2}: false, {1, 1}: false} {
		if IsData(xua.Message{Class: m[0], Type: m[1]}) != want {
			t.Errorf("class %d, type %d", m[0], m[1])
		}
	}
}
