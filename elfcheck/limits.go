package elfcheck

import (
	"debug/elf"
	"encoding/binary"
	"fmt"
	"io"
)

// maxNames bounds the names of all sections together, in bytes; those of a program take some hundred.
const maxNames = 16 << 20

// checkNames refuses a file whose section names would fill the memory: debug/elf copies each from the string
// table up to its zero, so that 60,000 sections may name the same megabyte. What it cannot make sense of it
// leaves to debug/elf.
func checkNames(r io.ReaderAt) error {
	head := make([]byte, 64)
	if n, _ := r.ReadAt(head, 0); n < 52 {
		return nil
	}
	s := sectionTable{r: r, order: binary.ByteOrder(binary.LittleEndian)}
	if elf.Data(head[elf.EI_DATA]) == elf.ELFDATA2MSB {
		s.order = binary.BigEndian
	}
	var number, names uint64
	if elf.Class(head[elf.EI_CLASS]) == elf.ELFCLASS64 {
		s.wide, s.offset, s.entry = true, s.order.Uint64(head[40:]), uint64(s.order.Uint16(head[58:]))
		number, names = uint64(s.order.Uint16(head[60:])), uint64(s.order.Uint16(head[62:]))
	} else {
		s.offset, s.entry = uint64(s.order.Uint32(head[32:])), uint64(s.order.Uint16(head[46:]))
		number, names = uint64(s.order.Uint16(head[48:])), uint64(s.order.Uint16(head[50:]))
	}
	if s.offset == 0 {
		return nil
	}
	// More than fit into the header stand in the first section (gABI "Sections").
	size, link := s.sizeAndLink(0)
	if number == 0 {
		number = size
	}
	if elf.SectionIndex(names) == elf.SHN_XINDEX {
		names = link
	}
	if size, _ = s.sizeAndLink(names); number > 0 && size > maxNames/number {
		return fmt.Errorf("%w: %d sections with names of up to %d bytes", errDamaged, number, size)
	}
	return nil
}

// sectionTable reads section headers by their place in the file.
type sectionTable struct {
	r             io.ReaderAt
	order         binary.ByteOrder
	wide          bool // ELFCLASS64
	offset, entry uint64
}

// sizeAndLink are sh_size and sh_link of a section; zero where there is none.
func (s sectionTable) sizeAndLink(index uint64) (size, link uint64) {
	at := s.offset + index*s.entry
	header := make([]byte, 64)
	if n, _ := s.r.ReadAt(header, int64(at)); n < 40 || int64(at) < 0 {
		return 0, 0
	}
	if s.wide {
		return s.order.Uint64(header[32:]), uint64(s.order.Uint32(header[40:]))
	}
	return uint64(s.order.Uint32(header[20:])), uint64(s.order.Uint32(header[24:]))
}
