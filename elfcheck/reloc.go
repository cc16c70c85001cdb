package elfcheck

import (
	"bufio"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/bits"
	"slices"
	"strings"
)

// Relocations are the places of a program that must be filled in before it can run, by what fills them in.
//
// A static program has no loader: its own start-up code does it. musl's (ldso/dlstart.c, which is in
// rcrt1.o) walks DT_REL, DT_RELA and, since 1.2.4, DT_RELR; it takes what is RELATIVE, skips all else, and
// never looks at DT_JMPREL.
type Relocations struct {
	Relative uint64            `json:"relative"`         // filled in by start-up code: RELATIVE, and DT_RELR
	Others   map[string]uint64 `json:"others,omitempty"` // left for a loader: number by type of debug/elf
}

// maxRelocationTypes bounds the names that a file can make us keep; no machine has so many dynamic types.
const maxRelocationTypes = 64

// relocationNames are how a machine numbers its relocations. Type 0 is NONE everywhere: nothing to do.
type relocationNames struct {
	relative uint32
	name     func(uint32) string
}

func numbered[T interface {
	~int
	String() string
}](relative T) relocationNames {
	return relocationNames{uint32(relative), func(n uint32) string { return T(n).String() }}
}

// relocationsOf has the machines that musl and Go share and whose entries are plain words (MIPS's are not).
var relocationsOf = map[elf.Machine]relocationNames{
	elf.EM_X86_64:    numbered(elf.R_X86_64_RELATIVE),
	elf.EM_386:       numbered(elf.R_386_RELATIVE),
	elf.EM_AARCH64:   numbered(elf.R_AARCH64_RELATIVE),
	elf.EM_ARM:       numbered(elf.R_ARM_RELATIVE),
	elf.EM_RISCV:     numbered(elf.R_RISCV_RELATIVE),
	elf.EM_PPC64:     numbered(elf.R_PPC64_RELATIVE),
	elf.EM_S390:      numbered(elf.R_390_RELATIVE),
	elf.EM_LOONGARCH: numbered(elf.R_LARCH_RELATIVE),
}

// unnamedTypes are those of elf.h that debug/elf has no name for.
var unnamedTypes = map[elf.Machine]map[uint32]string{
	elf.EM_RISCV: {12: "R_RISCV_TLSDESC", 58: "R_RISCV_IRELATIVE"},
	elf.EM_S390:  {61: "R_390_IRELATIVE"},
}

// Tags of gABI that debug/elf has no name for.
const (
	dtRelrSize elf.DynTag = 35
	dtRelr     elf.DynTag = 36
)

// Packed tables of Android's linker (lld: --pack-dyn-relocs=android), which musl does not know.
var androidTables = []elf.DynTag{0x6000000f, 0x60000011, 0x6fffe000}

// relocationTable is a range of addresses with entries of r_offset, r_info and, in a rela one, r_addend.
type relocationTable struct {
	name       string
	addr, size uint64
	rela       bool
	applied    bool // start-up code looks at it
}

// within tells whether start-up code meets all entries of t while it reads the other table.
func (t relocationTable) within(other relocationTable) bool {
	fits := t.addr >= other.addr && t.size <= other.size && t.addr-other.addr <= other.size-t.size
	return fits && t.rela == other.rela
}

// relocationFacts counts the entries of all tables. Of a tag that stands there twice the last one counts,
// as in musl.
func (img *image) relocationFacts(table []dyn, f *Facts) error {
	last := map[elf.DynTag]uint64{}
	for _, d := range table {
		last[d.tag] = d.val
	}
	f.Relocations.Others = map[string]uint64{}
	for _, t := range img.relocationTables(last, table == nil) {
		if err := img.countRelocations(t, &f.Relocations); err != nil {
			return err
		}
	}
	for _, tag := range androidTables {
		if _, ok := last[tag]; ok {
			f.Relocations.add(fmt.Sprintf("Android's packed table %#x", uint64(tag)))
		}
	}
	if len(f.Relocations.Others) == 0 {
		f.Relocations.Others = nil
	}
	return img.countRelr(last[dtRelr], last[dtRelrSize], &f.Relocations)
}

// relocationTables are the tables that are not empty. Without a dynamic table only section headers know
// where a program at a fixed address keeps its IRELATIVE ones (its own code finds them by symbols,
// __rela_iplt_start); musl does not fill them in.
func (img *image) relocationTables(last map[elf.DynTag]uint64, noDynamic bool) []relocationTable {
	rel := relocationTable{"DT_REL", last[elf.DT_REL], last[elf.DT_RELSZ], false, true}
	rela := relocationTable{"DT_RELA", last[elf.DT_RELA], last[elf.DT_RELASZ], true, true}
	isRela := elf.DynTag(last[elf.DT_PLTREL]) == elf.DT_RELA
	plt := relocationTable{"DT_JMPREL", last[elf.DT_JMPREL], last[elf.DT_PLTRELSZ], isRela, false}
	tables := []relocationTable{rel, rela}
	if !plt.within(rel) && !plt.within(rela) {
		tables = append(tables, plt)
	}
	for _, s := range img.Sections {
		isRela := s.Type == elf.SHT_RELA
		if noDynamic && (isRela || s.Type == elf.SHT_REL) && s.Flags&elf.SHF_ALLOC != 0 {
			tables = append(tables, relocationTable{"section " + printable(s.Name), s.Addr, s.Size, isRela, false})
		}
	}
	return slices.DeleteFunc(tables, func(t relocationTable) bool { return t.size == 0 })
}

// mapped reads size bytes at an address, which must come from the file in full.
func (img *image) mapped(name string, addr, size uint64) (io.Reader, error) {
	r, _ := img.at(addr)
	if r == nil || size > uint64(r.Size()) {
		return nil, fmt.Errorf("relocations: %s of %d bytes reaches past what is loaded: damaged", name, size)
	}
	return bufio.NewReaderSize(io.LimitReader(r, int64(size)), 64<<10), nil
}

func (img *image) countRelocations(t relocationTable, to *Relocations) error {
	words, wordSize := uint64(2), img.wordSize()
	if t.rela {
		words = 3
	}
	if t.size%(words*wordSize) != 0 {
		return fmt.Errorf("relocations: %s of %d bytes is no whole number of entries: damaged", t.name, t.size)
	}
	r, err := img.mapped(t.name, t.addr, t.size)
	if err != nil {
		return err
	}
	entry := make([]byte, words*wordSize)
	for range t.size / uint64(len(entry)) {
		if _, err := io.ReadFull(r, entry); err != nil {
			return fmt.Errorf("relocations: %s: %w", t.name, err)
		}
		img.countRelocation(t, entry[wordSize:], to)
	}
	return nil
}

// countRelocation looks at r_info, whose low 32 bits are the type, or 8 in a 32-bit file (gABI "Relocation").
func (img *image) countRelocation(t relocationTable, info []byte, to *Relocations) {
	typ := img.ByteOrder.Uint32(info) & 0xff
	if img.Class == elf.ELFCLASS64 {
		typ = uint32(img.ByteOrder.Uint64(info))
	}
	names, known := relocationsOf[img.Machine]
	switch {
	case typ == 0:
	case known && typ == names.relative && t.applied:
		to.Relative++
	case known && typ == names.relative:
		to.add(img.relocationName(typ) + " in " + t.name)
	default:
		to.add(img.relocationName(typ))
	}
}

func (r *Relocations) add(name string) {
	if _, ok := r.Others[name]; !ok && len(r.Others) >= maxRelocationTypes {
		name = "other types"
	}
	r.Others[name]++
}

// relocationName is the name in debug/elf, or else the number. What debug/elf does not know it names after
// the nearest number below.
func (img *image) relocationName(typ uint32) string {
	if s := unnamedTypes[img.Machine][typ]; s != "" {
		return s
	}
	if names, ok := relocationsOf[img.Machine]; ok {
		if s := names.name(typ); strings.HasPrefix(s, "R_") && !strings.Contains(s, "+") {
			return s
		}
	}
	return fmt.Sprintf("type %d", typ)
}

// countRelr counts the places in DT_RELR: an even word is an address, an odd one says with a bit for each
// word that follows which of them are meant as well (gABI "Relative Relocation Table").
func (img *image) countRelr(addr, size uint64, to *Relocations) error {
	if size == 0 {
		return nil
	}
	wordSize := img.wordSize()
	if size%wordSize != 0 {
		return fmt.Errorf("relocations: DT_RELR of %d bytes is no whole number of entries: damaged", size)
	}
	r, err := img.mapped("DT_RELR", addr, size)
	if err != nil {
		return err
	}
	b := make([]byte, wordSize)
	for i := range size / wordSize {
		if _, err := io.ReadFull(r, b); err != nil {
			return fmt.Errorf("relocations: DT_RELR: %w", err)
		}
		word := img.word(b)
		switch {
		case word&1 == 0:
			to.Relative++
		case i == 0:
			return errors.New("relocations: DT_RELR begins with a bitmap and no address: damaged")
		default:
			to.Relative += uint64(bits.OnesCount64(word >> 1))
		}
	}
	return nil
}

// wordSize is that of an address in bytes.
func (img *image) wordSize() uint64 {
	if img.Class == elf.ELFCLASS64 {
		return 8
	}
	return 4
}

func (img *image) word(b []byte) uint64 {
	if img.Class == elf.ELFCLASS64 {
		return img.ByteOrder.Uint64(b)
	}
	return uint64(img.ByteOrder.Uint32(b))
}

// unfilled is the finding on relocations that start-up code leaves alone; empty where there are none.
func (r Relocations) unfilled() string {
	if len(r.Others) == 0 {
		return ""
	}
	var counts, next []string
	for _, name := range slices.Sorted(maps.Keys(r.Others)) {
		counts = append(counts, fmt.Sprintf("%d of %s", r.Others[name], name))
		if step := relocationStep(name); !slices.Contains(next, step) {
			next = append(next, step)
		}
	}
	return fmt.Sprintf("leaves addresses for a loader to fill in (%s), but a static program has none, and "+
		"musl's start-up code fills in those of type RELATIVE only: it would crash where it uses them; %s",
		strings.Join(counts, ", "), strings.Join(next, "; "))
}

// relocationStep is what to do about a type.
func relocationStep(name string) string {
	contains := func(s string) bool { return strings.Contains(name, s) }
	switch {
	case contains("IRELATIVE"):
		return "IRELATIVE is a function that is chosen at start-up (an ifunc): compile C code without " +
			"target_clones and __attribute__((ifunc))"
	case contains("TLS") || contains("TPOFF") || contains("TPREL") || contains("DTP"):
		return "thread-local variables must have their place when it is linked: compile C code with " +
			"-ftls-model=local-exec"
	}
	return "link with -static-pie and each library as an archive (.a), so that the linker resolves every symbol"
}
