package elfcheck

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"strings"
	"testing"
)

// namedBy gives a tiny file n sections that share a name of size bytes, the last of which has the names.
func namedBy(t tiny, n, size int) []byte {
	b := t.bytes()
	order, names := t.order(), uint64(len(b))
	b = append(append(b, bytes.Repeat([]byte{'a'}, size-1)...), 0)
	shoff := uint64(len(b))
	var header any = elf.Section64{Type: uint32(elf.SHT_STRTAB), Off: names, Size: uint64(size)}
	if t.class == elf.ELFCLASS32 {
		header = elf.Section32{Type: uint32(elf.SHT_STRTAB), Off: uint32(names), Size: uint32(size)}
	}
	b = append(b, bytes.Repeat(encode(order, header), n)...)
	if t.class == elf.ELFCLASS64 {
		order.PutUint64(b[40:], shoff)
		putAll(order, b[58:], 64, n, n-1)
	} else {
		order.PutUint32(b[32:], uint32(shoff))
		putAll(order, b[46:], 40, n, n-1)
	}
	return b
}

func putAll(order binary.ByteOrder, b []byte, values ...int) {
	for i, v := range values {
		order.PutUint16(b[2*i:], uint16(v))
	}
}

// 60,000 sections that share a name of a megabyte would take 60 GB.
func TestSectionNamesBounded(t *testing.T) {
	big := tiny64
	big.data = elf.ELFDATA2MSB
	for name, file := range map[string]tiny{"64": tiny64, "64-big": big, "32": tiny32} {
		b := namedBy(file, 60000, 1<<20)
		_, err := InspectReader(bytes.NewReader(b), int64(len(b)))
		if err == nil || !strings.Contains(err.Error(), "60000 sections with names") {
			t.Errorf("%s: %v", name, err)
		}
		b = namedBy(file, 3, 100)
		if _, err := InspectReader(bytes.NewReader(b), int64(len(b))); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		// The same, counted in the first section.
		b = namedBy(file, 60000, 1<<20)
		counted(file, b)
		if _, err := InspectReader(bytes.NewReader(b), int64(len(b))); err == nil {
			t.Errorf("%s, counted in the first section: no error", name)
		}
	}
}

// counted moves the number of sections and the index of the names from the header into the first section.
func counted(t tiny, b []byte) {
	order := t.order()
	if t.class == elf.ELFCLASS64 {
		first := b[order.Uint64(b[40:]):]
		order.PutUint64(first[32:], uint64(order.Uint16(b[60:])))
		order.PutUint32(first[40:], uint32(order.Uint16(b[62:])))
		putAll(order, b[60:], 0, int(elf.SHN_XINDEX))
		return
	}
	first := b[order.Uint32(b[32:]):]
	order.PutUint32(first[20:], uint32(order.Uint16(b[48:])))
	order.PutUint32(first[24:], uint32(order.Uint16(b[50:])))
	putAll(order, b[48:], 0, int(elf.SHN_XINDEX))
}
