package elfcheck

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"slices"
	"testing"
)

// access is the code of a Go function of linux/386 that looks for g at an offset from the thread pointer.
func access(register byte, offset int32) []byte {
	code := []byte{opCall, 1, 2, 3, 4, opMovImm, 0xc0 | register}
	code = binary.LittleEndian.AppendUint32(code, uint32(offset))
	return append(code, prefixGS, opMovLoad, register<<3|register)
}

func TestOffsetsOfG(t *testing.T) {
	long := make([]byte, scanChunk-5) // the access lies across two chunks
	for _, test := range []struct {
		name string
		code []byte
		want []int32
	}{
		{"none", make([]byte, 100), nil},
		{"ecx", access(1, -4), []int32{-4}},
		{"across chunks", slices.Concat(long, access(3, -328)), []int32{-328}},
		{"the same twice", slices.Concat(access(1, -8), long, access(2, -8)), []int32{-8}},
		{"two places", slices.Concat(access(1, -8), access(1, -6)), []int32{-8, -6}},
		{"cut short", access(1, -4)[:13], nil},
		{"C: the thread pointer", []byte{opCall, 1, 2, 3, 4, prefixGS, 0xa1, 0, 0, 0, 0, prefixGS, opMovLoad, 9}, nil},
		{"C: no call before", slices.Concat([]byte{0x90, 0, 0, 0, 0}, access(1, -3)[5:]), nil},
		{"C: into another register", append(access(1, -3)[:13], 0x11), nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			img := &image{File: &elf.File{FileHeader: elf.FileHeader{ByteOrder: binary.LittleEndian}}}
			var f Facts
			if err := img.offsetsOfG(bytes.NewReader(test.code), &f); err != nil || !slices.Equal(f.GOffsets, test.want) {
				t.Errorf("%v (%v), want %v", f.GOffsets, err, test.want)
			}
		})
	}
}

func TestTLS(t *testing.T) {
	const class32, class64 = "ELFCLASS32", "ELFCLASS64"
	for _, test := range []struct {
		name        string
		class       string
		size, align uint64
		g           []int32
		want        string
	}{
		{"no segment", class64, 0, 0, nil, ""},
		{"Go alone", class64, 8, 8, nil, ""},
		{"too small for g", class64, 4, 8, nil, "tls"},
		{"not aligned for g", class64, 16, 1, nil, "tls"},
		{"no power of two", class64, 24, 24, nil, "tls"},
		{"386: g alone", class32, 4, 4, []int32{-4}, ""},
		{"386: g in the thread pointer", class32, 4, 4, []int32{-2}, "tls"},
		{"386: g in its neighbour", class32, 326, 4, []int32{-326}, "tls"},
		{"386: size rounded up", class32, 326, 4, []int32{-328}, ""},
		{"386: below the segment", class32, 326, 4, []int32{-332}, "tls"},
		{"386: above the thread pointer", class32, 326, 4, []int32{4}, "tls"},
		{"386: in two places", class32, 32, 4, []int32{-4, -8}, "tls tls"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var r findings
			f := Facts{Class: test.class, TLSSize: test.size, TLSAlign: test.align, GOffsets: test.g, Go: &GoFacts{}}
			Want{}.checkTLS(f, &r)
			if got := rules(r); got != test.want {
				t.Errorf("findings %q, want %q", got, test.want)
			}
		})
	}
}
