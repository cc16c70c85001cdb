package elfcheck

import (
	"debug/elf"
	"fmt"
	"strings"
)

// place is where in a file some bytes stand.
type place struct {
	name  string // the file, section .rodata
	paths bool   // a table of source paths that a compiler or linker wrote
}

// place is the section at an offset of the file, or else the segment: section headers can be stripped.
func (img *image) place(off int64) place {
	within := func(start, size uint64) bool { return uint64(off) >= start && uint64(off)-start < size }
	for _, s := range img.Sections {
		if s.Type != elf.SHT_NULL && s.Type != elf.SHT_NOBITS && within(s.Offset, s.FileSize) {
			return place{"the file, section " + printable(s.Name), holdsPaths(s.Name)}
		}
	}
	for i, p := range img.Progs {
		if p.Type == elf.PT_LOAD && within(p.Off, p.Filesz) {
			return place{fmt.Sprintf("the file, segment %d (%s)", i, p.Flags), false}
		}
	}
	return place{"the file", false}
}

// holdsPaths tells by its name that a section has Go's table of functions and files, or DWARF.
func holdsPaths(section string) bool {
	return strings.HasSuffix(section, ".gopclntab") || holdsDWARF(section)
}

func holdsDWARF(section string) bool {
	return strings.HasPrefix(section, ".debug_") || strings.HasPrefix(section, ".zdebug_")
}
