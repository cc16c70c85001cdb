package elfcheck

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
)

// image is an ELF file seen as the kernel and the loader see it: by its segments.
type image struct {
	*elf.File
	loads []*elf.Prog // PT_LOAD, ascending and apart from each other
}

// dyn is one entry of the dynamic table.
type dyn struct {
	tag elf.DynTag
	val uint64
}

// maxPath is PATH_MAX of linux/limits.h. The kernel refuses a longer PT_INTERP (fs/binfmt_elf.c), and
// no library name or search path worth printing is longer.
const maxPath = 4096

const (
	// maxHeaders is the most program headers of 56 bytes that the kernel reads (fs/binfmt_elf.c: 64 KiB).
	maxHeaders = 64 << 10 / 56
	// maxDyn bounds the dynamic table, in entries; real ones have some thirty.
	maxDyn = 4096
)

// errDamaged starts what is said of a file that debug/elf cannot read; the cause is added to it.
var errDamaged = errors.New("a damaged ELF file")

// newImage parses the headers and refuses what is not there in full: debug/elf by itself accepts
// segments and sections that reach past the end of the file.
func newImage(r io.ReaderAt, size int64) (*image, error) {
	if err := notELF(r, size); err != nil {
		return nil, err
	}
	if err := checkNames(r); err != nil {
		return nil, err
	}
	file, err := elf.NewFile(r)
	switch {
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		return nil, fmt.Errorf("%w: cut short within its headers", errDamaged)
	case err != nil:
		return nil, fmt.Errorf("%w: %w", errDamaged, err)
	}
	if err := notProgram(file.Type); err != nil {
		return nil, err
	}
	if len(file.Progs) > maxHeaders {
		return nil, fmt.Errorf("%d program headers: the kernel refuses it", len(file.Progs))
	}
	img := &image{File: file}
	within := func(off, n uint64) bool { return off <= uint64(size) && n <= uint64(size)-off }
	for _, p := range file.Progs {
		if !within(p.Off, p.Filesz) {
			return nil, fmt.Errorf("%w: %s reaches past its end; it may be cut short", errDamaged, p.Type)
		}
		if p.Type == elf.PT_LOAD {
			img.loads = append(img.loads, p)
		}
	}
	for _, s := range file.Sections {
		if s.Type != elf.SHT_NULL && s.Type != elf.SHT_NOBITS && !within(s.Offset, s.FileSize) {
			return nil, fmt.Errorf("%w: section %q reaches past its end; it may be cut short", errDamaged, s.Name)
		}
	}
	return img, img.checkLoads()
}

// checkLoads demands what gABI promises of PT_LOAD: in ascending order. Where two overlap, the later
// one would hide bytes of the earlier one from the loader but not from us.
func (img *image) checkLoads() error {
	if len(img.loads) == 0 {
		return NotProgram("an ELF file without a loadable segment (debug information?)")
	}
	var end uint64
	for _, p := range img.loads {
		if p.Memsz < p.Filesz {
			return errors.New("a loadable segment is larger in the file than in memory: the kernel refuses it")
		}
		if p.Vaddr < end || p.Vaddr+p.Memsz < p.Vaddr {
			return errors.New("loadable segments overlap or are out of order")
		}
		end = p.Vaddr + p.Memsz
	}
	return nil
}

// at reads what the kernel maps from the file at an address, to the end of its segment. It is nil if
// nothing from the file is mapped there.
func (img *image) at(addr uint64) (r *io.SectionReader, off uint64) {
	for _, p := range img.loads {
		if d := addr - p.Vaddr; addr >= p.Vaddr && d < p.Filesz {
			return io.NewSectionReader(p, int64(d), int64(p.Filesz-d)), p.Off + d
		}
	}
	return nil, 0
}

// interp is the path in PT_INTERP, which the kernel reads by offset.
func (img *image) interp(p *elf.Prog) (string, error) {
	if p.Filesz < 2 || p.Filesz > maxPath {
		return "", fmt.Errorf("PT_INTERP of %d bytes: the kernel refuses it", p.Filesz)
	}
	path, ok := cString(p.Open())
	if !ok || path == "" {
		return "", errors.New("PT_INTERP holds no path")
	}
	return path, nil
}

// dynamic reads the table that PT_DYNAMIC points to; nil if there is none.
//
// A loader finds it by p_vaddr and reads up to DT_NULL, whatever p_offset, p_filesz and the section
// headers say (musl ldso/dynlink.c decode_vec, glibc elf/get-dynamic-info.h). So does this.
func (img *image) dynamic() ([]dyn, error) {
	var head *elf.Prog
	for _, p := range img.Progs {
		if p.Type != elf.PT_DYNAMIC {
			continue
		}
		if head != nil {
			return nil, errors.New("more than one PT_DYNAMIC: loaders differ in which they believe")
		}
		head = p
	}
	if head == nil {
		return nil, nil
	}
	r, off := img.at(head.Vaddr)
	if r == nil || off != head.Off {
		return nil, errors.New("PT_DYNAMIC's address and file offset disagree")
	}
	table := []dyn{}
	for len(table) < maxDyn {
		d, err := img.readDyn(r)
		if err != nil {
			break
		}
		if d.tag == elf.DT_NULL {
			return table, nil
		}
		table = append(table, d)
	}
	return nil, errors.New("the dynamic table has no end")
}

func (img *image) readDyn(r io.Reader) (dyn, error) {
	if img.Class == elf.ELFCLASS32 {
		var d elf.Dyn32
		err := binary.Read(r, img.ByteOrder, &d)
		return dyn{elf.DynTag(d.Tag), uint64(d.Val)}, err
	}
	var d elf.Dyn64
	err := binary.Read(r, img.ByteOrder, &d)
	return dyn{elf.DynTag(d.Tag), d.Val}, err
}

// names are the strings that entries with these tags point to. An entry whose string cannot be read
// still counts.
func (img *image) names(table []dyn, tags ...elf.DynTag) (names []string) {
	var strtab uint64
	for _, d := range table {
		if d.tag == elf.DT_STRTAB {
			strtab = d.val
		}
	}
	for _, d := range table {
		if !slices.Contains(tags, d.tag) {
			continue
		}
		name := "(unreadable name)"
		if r, _ := img.at(strtab + d.val); r != nil {
			if s, ok := cString(r); ok {
				name = s
			}
		}
		names = append(names, name)
	}
	return names
}

// cString reads up to a NUL, but no more than maxPath bytes.
func cString(r io.Reader) (string, bool) {
	b, err := io.ReadAll(io.LimitReader(r, maxPath))
	if err != nil {
		return "", false
	}
	s, _, ok := bytes.Cut(b, []byte{0})
	return string(s), ok
}

// stripped tells whether symbols and debug information are gone.
func (img *image) stripped() bool {
	return !slices.ContainsFunc(img.Sections, func(s *elf.Section) bool {
		return s.Type == elf.SHT_SYMTAB || holdsDWARF(s.Name)
	})
}

// sectionsLie tells how section headers, if any, put the dynamic table elsewhere than the segments.
// The loader does not care, but tools that read sections (scanners, package builders) would report
// another file than the one that runs.
func (img *image) sectionsLie() string {
	for _, s := range img.Sections {
		if s.Type != elf.SHT_DYNAMIC {
			continue
		}
		if !slices.ContainsFunc(img.Progs, func(p *elf.Prog) bool {
			return p.Type == elf.PT_DYNAMIC && p.Off == s.Offset && p.Vaddr == s.Addr
		}) {
			return fmt.Sprintf("section %s is not where PT_DYNAMIC is", printable(s.Name))
		}
	}
	return ""
}
