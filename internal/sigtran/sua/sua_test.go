package sua

import (
	"testing"

	"github.com/tcapflow/tcapflow/internal/sigtran/sccp"
	"github.com/tcapflow/tcapflow/internal/sigtran/sigtrantest"
	"github.com/tcapflow/tcapflow/internal/sigtran/xua"
)

var (
	hlr = sigtrantest.SUAAddress("491770000001", 200, 6)
	msc = sigtrantest.SUAAddress("491770000002", 100, 8)
)

func parse(t *testing.T, b []byte) (sccp.Unitdata, error) {
	t.Helper()
	m, _, err := xua.Parse(b, false)
	if err != nil || !Connectionless(m) {
		t.Fatalf("%v, connectionless %t", err, Connectionless(m))
	}
	return Parse(m, false)
}

func TestParse(t *testing.T) {
	for _, tt := range []struct {
		name  string
		in    []byte
		cause int16
	}{
		{"data", sigtrantest.SUA(hlr, msc, []byte("tcap")), -1},
		{"returned", sigtrantest.SUAReturn(1, hlr, msc, []byte("tcap")), 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			u, err := parse(t, tt.in)
			if err != nil || u.Cause != tt.cause || string(u.Data) != "tcap" || u.Called.GT() != "491770000001" ||
				u.Called.SSN != 6 || u.Called.PC != 200 || u.Calling.GT() != "491770000002" || u.Calling.Nature != 4 {
				t.Errorf("got %+v, %v", u, err)
			}
		})
	}
}

func TestBroken(t *testing.T) {
	for _, tt := range []struct {
		name string
		in   []byte
		err  error
	}{
		{"address short", sigtrantest.SUA([]byte{0, 1}, msc, []byte("x")), errAddress},
		{"no data", []byte{1, 0, 7, 1, 0, 0, 0, 8}, errNoData},
		{"cause short", []byte{1, 0, 7, 2, 0, 0, 0, 14, 1, 6, 0, 6, 0, 0}, errCause},
	} {
		if _, err := parse(t, tt.in); err != tt.err {
			t.Errorf("%s: error %v", tt.name, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(sigtrantest.SUA(hlr, msc, []byte("tcap")), false)
	f.Add(sigtrantest.SUAReturn(1, hlr, msc, []byte("tcap")), true)
	f.Fuzz(func(t *testing.T, b []byte, cut bool) {
		m, _, err := xua.Parse(b, cut)
		if err != nil || !Connectionless(m) {
			return
		}
		if u, err := Parse(m, cut); err == nil && len(u.Data)+len(u.Called.GT())/2 > len(b) {
			t.Errorf("got %+v", u)
		}
	})
}
