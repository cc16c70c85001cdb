package sccp

import (
	"bytes"
	"testing"

	"github.com/tcapflow/tcapflow/internal/sigtran/sigtrantest"
)

func TestParseAddress(t *testing.T) {
	for _, tt := range []struct {
		name string
		in   []byte
		want Address
	}{
		{"subsystem number", []byte{0x42, 6}, Address{SSN: 6, RouteOnSSN: true}},
		{"point code", []byte{0x43, 0x86, 0x03, 1}, Address{SSN: 1, PC: 902, RouteOnSSN: true}},
		{"point code has 14 bits", []byte{0x41, 0xff, 0xff}, Address{PC: 0x3fff, RouteOnSSN: true}},
		{"global title 1, odd", []byte{0x06, 8, 0x84, 0x21, 0x43, 0x05}, Address{GT: "12345", SSN: 8}},
		{"global title 2", []byte{0x0a, 8, 0x00, 0x21, 0x43}, Address{GT: "1234", SSN: 8}},
		{"global title 3, odd", []byte{0x0e, 8, 0x00, 0x11, 0x21, 0x03}, Address{GT: "123", SSN: 8}},
		{"global title 4, even", []byte{0x12, 8, 0x00, 0x12, 0x04, 0x21, 0xcb}, Address{GT: "12BC", SSN: 8}},
		{"global title 4, odd", []byte{0x12, 8, 0x00, 0x11, 0x04, 0x21, 0x03}, Address{GT: "123", SSN: 8}},
		{"bit for national use", []byte{0x92, 6, 0x00, 0x12, 0x04, 0x44}, Address{GT: "44", SSN: 6}},
		{"all of them", []byte{0x13, 1, 0, 8, 0x00, 0x12, 0x04, 0x21}, Address{GT: "12", SSN: 8, PC: 1}},
		{"reserved global title", []byte{0x3e, 8, 1, 2, 3}, Address{SSN: 8}},
		{"nothing", []byte{0}, Address{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got, err := parseAddress(tt.in); err != nil || got != tt.want {
				t.Errorf("got %+v, %v, want %+v", got, err, tt.want)
			}
			for n := range tt.in { // cut short: an error or fewer digits, no panic
				parseAddress(tt.in[:n])
			}
		})
	}
	for _, in := range [][]byte{{}, {0x01, 1}, {0x02}, {0x12, 8, 0, 0x12}} {
		if _, err := parseAddress(in); err != errAddress {
			t.Errorf("%x: error %v", in, err)
		}
	}
}

func TestParse(t *testing.T) {
	called, calling, data := sigtrantest.PC(1, 6), sigtrantest.PC(2, 7), []byte("data")
	udt := sigtrantest.UDT(called, calling, data)
	bad := func(at int, to byte) []byte {
		b := bytes.Clone(udt)
		b[at] = to
		return b
	}
	for _, tt := range []struct {
		name string
		in   []byte
		ok   bool
		err  error
	}{
		{"udt", udt, true, nil},
		{"xudt", sigtrantest.XUDT(called, calling, data, nil), true, nil},
		{"xudt, another parameter first", sigtrantest.XUDT(called, calling, data, []byte{0x12, 1, 0, 0x10, 4, 0x80, 0, 0, 0, 0}), true, nil},
		{"xudt, first segment", sigtrantest.XUDT(called, calling, data, []byte{0x10, 4, 0x82, 0, 0, 0, 0}), false, ErrSegmented},
		{"xudt, last segment", sigtrantest.XUDT(called, calling, data, []byte{0x10, 4, 0x00, 0, 0, 0, 0}), false, ErrSegmented},
		{"xudt, optional part cut", sigtrantest.XUDT(called, calling, data, []byte{0x10, 4}), false, errLength},
		{"connection request", []byte{1, 0, 0}, false, nil},
		{"empty", nil, false, errShort},
		{"cut in the fixed part", udt[:2], false, errShort},
		{"pointer 0", bad(2, 0), false, errPointer},
		{"pointer past the end", bad(4, 0xff), false, errPointer},
		{"length past the end", bad(5, 0xff), false, errLength},
		{"address cut", bad(5, 1), false, errAddress},
	} {
		t.Run(tt.name, func(t *testing.T) {
			u, ok, err := Parse(tt.in)
			if ok != tt.ok || err != tt.err {
				t.Errorf("got %+v, %t, %v", u, ok, err)
			}
			if ok && (string(u.Data) != "data" || u.Called.PC != 1 || u.Calling.SSN != 7) {
				t.Errorf("got %+v", u)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	called, calling := sigtrantest.GT("123", 6), sigtrantest.PC(2, 7)
	f.Add(sigtrantest.UDT(called, calling, []byte("data")))
	f.Add(sigtrantest.XUDT(called, calling, []byte("data"), []byte{0x10, 4, 0x80, 0, 0, 0, 0}))
	f.Fuzz(func(t *testing.T, b []byte) {
		u, ok, err := Parse(b)
		if ok && err != nil {
			t.Error("both a message and an error")
		}
		if len(u.Data) > 255 || len(u.Called.GT) > 2*255 {
			t.Errorf("got %+v", u)
		}
	})
}
