package xua

import (
	"fmt"
	"slices"
	"testing"

	"github.com/tcapflow/tcapflow/internal/sigtran/sigtrantest"
)

// params reads them all, as "tag:length", up to an error.
func params(p Params) (list []string, err error) {
	for {
		tag, v, ok, err := p.Next()
		if err != nil || !ok {
			return list, err
		}
		list = append(list, fmt.Sprintf("%x:%d", tag, len(v)))
	}
}

func TestParse(t *testing.T) {
	data := sigtrantest.M3UA(1, 2, []byte("s")) // 21 octets in the last parameter, padded by 3
	unpadded := slices.Clone(data[:len(data)-3])
	short := slices.Clone(data)
	short[7] -= 3
	whole := []string{"6:4", "210:13"}
	for _, tt := range []struct {
		name   string
		in     []byte
		cut    bool
		params []string
		rest   int
		err    error
	}{
		{"padded", data, false, whole, 0, nil},
		{"padding missing", unpadded, false, whole, 0, nil},
		{"padding not in the length", short, false, whole, 0, nil},
		{"neither", short[:len(short)-3], false, whole, 0, nil},
		{"two messages", append(slices.Clone(data), unpadded...), false, whole, len(unpadded), nil},
		{"version 2", append([]byte{2}, data[1:]...), false, nil, 0, errVersion},
		{"length past the end", data[:len(data)-4], false, nil, 0, errLength},
		{"the same, cut by the capture", data[:len(data)-4], true, []string{"6:4", "210:12"}, 0, nil},
		{"length below the header", []byte{1, 0, 1, 1, 0, 0, 0, 7}, false, nil, 0, errLength},
		{"short", data[:7], false, nil, 0, errShort},
		{"parameter length 0", []byte{1, 0, 1, 1, 0, 0, 0, 12, 2, 16, 0, 0}, false, nil, 0, errParameter},
		{"parameter past the end", []byte{1, 0, 1, 1, 0, 0, 0, 12, 2, 16, 0, 99}, false, nil, 0, errParameter},
		{"parameter header short", []byte{1, 0, 1, 1, 0, 0, 0, 10, 2, 16}, false, nil, 0, errParameter},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m, rest, err := Parse(tt.in, tt.cut)
			var got []string
			if err == nil {
				got, err = params(m.Params)
			}
			if err != tt.err || !slices.Equal(got, tt.params) || len(rest) != tt.rest {
				t.Errorf("got %q, %d octets more, %v", got, len(rest), err)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	f.Add(sigtrantest.M3UA(1, 2, []byte("sccp")), false)
	f.Fuzz(func(t *testing.T, b []byte, cut bool) {
		m, rest, err := Parse(b, cut)
		if err != nil {
			return
		}
		list, _ := params(m.Params)
		if len(list)*paramHeaderLen+len(rest)+headerLen > len(b) {
			t.Errorf("%d parameters and %d octets more in %d", len(list), len(rest), len(b))
		}
	})
}
