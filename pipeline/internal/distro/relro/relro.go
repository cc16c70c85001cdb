// Package relro looks whether the tables of addresses of a running program are
// read-only, as its PT_GNU_RELRO asks. An ELF header only says so: it is start-up code
// that calls mprotect(2), and that of a static program may leave it out.
//
// In: the program's ELF file, and the text of /proc/PID/maps, proc(5). It is of no
// matter who runs the program: qemu-user maps it as the kernel does, and protects its
// pages by those of its own process.
package relro

import (
	"bufio"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// mapping is a line of /proc/PID/maps.
type mapping struct {
	start, end uint64 // addresses; end is that of the first byte behind it
	offset     uint64 // in the file, bytes
	mode       string // r--p
	path       string // empty: anonymous memory
}

// Check returns an error unless all pages of the program's PT_GNU_RELRO are mapped
// read-only and private. path is the program's in maps, page the size of a page in bytes.
func Check(program *elf.File, path string, maps io.Reader, page uint64) error {
	mappings, err := parse(maps)
	if err != nil {
		return err
	}
	base, err := loadedAt(program, path, mappings, page)
	if err != nil {
		return err
	}
	for _, segment := range program.Progs {
		if segment.Type != elf.PT_GNU_RELRO {
			continue
		}
		// As ld.so does, _dl_protect_relro: a page at the end that holds other data, too, stays writable.
		start := (base + segment.Vaddr) &^ (page - 1)
		end := (base + segment.Vaddr + segment.Memsz) &^ (page - 1)
		if start >= end {
			return fmt.Errorf("PT_GNU_RELRO of %s has no whole page: %d bytes at %#x",
				path, segment.Memsz, segment.Vaddr)
		}
		return readOnly(mappings, start, end)
	}
	return fmt.Errorf("%s has no PT_GNU_RELRO", path)
}

// loadedAt is what has to be added to an address in the file.
func loadedAt(program *elf.File, path string, mappings []mapping, page uint64) (uint64, error) {
	if program.Type == elf.ET_EXEC {
		return 0, nil
	}
	for _, m := range mappings {
		if m.path != path || m.offset != 0 {
			continue
		}
		for _, segment := range program.Progs {
			if segment.Type == elf.PT_LOAD && segment.Off&^(page-1) == 0 {
				return m.start - segment.Vaddr&^(page-1), nil
			}
		}
	}
	return 0, fmt.Errorf("the beginning of %s is not mapped", path)
}

// readOnly checks that mappings cover an address range without a gap, each with r--p.
func readOnly(mappings []mapping, start, end uint64) error {
	at := start
	for _, m := range mappings {
		switch {
		case m.end <= at:
			continue
		case m.start > at:
			return fmt.Errorf("PT_GNU_RELRO is at %#x-%#x, and nothing is mapped at %#x", start, end, at)
		case m.mode != "r--p":
			return fmt.Errorf("PT_GNU_RELRO is at %#x-%#x, and %#x-%#x is mapped %s, not r--p: "+
				"the tables of addresses are not protected while the program runs",
				start, end, m.start, m.end, m.mode)
		}
		if at = m.end; at >= end {
			return nil
		}
	}
	return fmt.Errorf("PT_GNU_RELRO is at %#x-%#x, and nothing is mapped at %#x", start, end, at)
}

// parse reads lines such as
//
//	7f6c1c200000-7f6c1c228000 r--p 00000000 00:2f 1234   /usr/bin/program
//
// The path may hold blanks.
func parse(maps io.Reader) ([]mapping, error) {
	var out []mapping
	lines := bufio.NewScanner(maps)
	for lines.Scan() {
		m, err := parseLine(lines.Text())
		if err != nil {
			return nil, fmt.Errorf("maps: %w in line %.80q", err, lines.Text())
		}
		out = append(out, m)
	}
	return out, lines.Err()
}

func parseLine(line string) (m mapping, err error) {
	var fields [5]string // addresses, mode, offset, device, inode
	rest := line
	for i := range fields {
		fields[i], rest, _ = strings.Cut(strings.TrimLeft(rest, " "), " ")
	}
	start, end, _ := strings.Cut(fields[0], "-")
	m.mode, m.path = fields[1], strings.TrimLeft(rest, " ")
	var errs [3]error
	m.start, errs[0] = strconv.ParseUint(start, 16, 64)
	m.end, errs[1] = strconv.ParseUint(end, 16, 64)
	m.offset, errs[2] = strconv.ParseUint(fields[2], 16, 64)
	return m, errors.Join(errs[:]...)
}
