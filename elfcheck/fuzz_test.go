package elfcheck

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"encoding/json"
	"reflect"
	"testing"
)

// tiny is a static-PIE file of a few hundred bytes, all headers: a seed for the fuzzer, and a proof that the
// gate asks for no section headers, symbols or Go. Addresses are offsets.
type tiny struct {
	class   elf.Class
	data    elf.Data
	machine elf.Machine
	dyn     []dyn  // added to the dynamic table
	extra   []byte // at the end
}

var (
	tiny64 = tiny{class: elf.ELFCLASS64, data: elf.ELFDATA2LSB, machine: elf.EM_X86_64}
	tiny32 = tiny{class: elf.ELFCLASS32, data: elf.ELFDATA2LSB, machine: elf.EM_ARM}
)

const tinyProgs, tinyDyns, tinyNote = 5, 4, 16

func (t tiny) sizes() (header, prog, dyn uint64) {
	if t.class == elf.ELFCLASS32 {
		return 52, 32, 8
	}
	return 64, 56, 16
}

func (t tiny) order() binary.ByteOrder {
	if t.data == elf.ELFDATA2MSB {
		return binary.BigEndian
	}
	return binary.LittleEndian
}

// offsets are those of the dynamic table, the note after it, and the extra bytes.
func (t tiny) offsets() (table, note, extra uint64) {
	header, prog, entry := t.sizes()
	table = header + tinyProgs*prog
	note = table + uint64(tinyDyns+len(t.dyn))*entry
	return table, note, note + tinyNote
}

func (t tiny) bytes() []byte {
	table, note, extra := t.offsets()
	size, tableSize := extra+uint64(len(t.extra)), note-table
	var parts []any
	if t.class == elf.ELFCLASS64 {
		h := elf.Header64{Type: uint16(elf.ET_DYN), Machine: uint16(t.machine), Version: 1,
			Phoff: 64, Ehsize: 64, Phentsize: 56, Phnum: tinyProgs}
		copy(h.Ident[:], t.ident())
		parts = append(parts, h)
	} else {
		h := elf.Header32{Type: uint16(elf.ET_DYN), Machine: uint16(t.machine), Version: 1,
			Phoff: 52, Ehsize: 52, Phentsize: 32, Phnum: tinyProgs}
		copy(h.Ident[:], t.ident())
		parts = append(parts, h)
	}
	parts = append(parts,
		t.prog(elf.PT_LOAD, 5, 0, size, size),
		t.prog(elf.PT_DYNAMIC, 6, table, tableSize, tableSize),
		t.prog(elf.PT_GNU_RELRO, 4, table, tableSize, tableSize),
		t.prog(elf.PT_GNU_STACK, 6, 0, 0, DefaultMinStack),
		t.prog(elf.PT_NOTE, 4, note, tinyNote, tinyNote),
		t.entry(dyn{elf.DT_STRTAB, note}),
		t.entry(dyn{elf.DT_FLAGS, uint64(elf.DF_BIND_NOW)}),
		t.entry(dyn{elf.DT_FLAGS_1, uint64(elf.DF_1_NOW | elf.DF_1_PIE)}))
	for _, d := range t.dyn {
		parts = append(parts, t.entry(d))
	}
	return encode(t.order(), append(parts, t.entry(dyn{}),
		[3]uint32{4, 0, ntGNUBuildID}, [4]byte{'G', 'N', 'U'}, t.extra)...)
}

func (t tiny) ident() []byte { return []byte{0x7f, 'E', 'L', 'F', byte(t.class), byte(t.data), 1} }

func (t tiny) prog(typ elf.ProgType, flags uint32, off, filesz, memsz uint64) any {
	if t.class == elf.ELFCLASS64 {
		return elf.Prog64{Type: uint32(typ), Flags: flags, Off: off, Vaddr: off, Filesz: filesz, Memsz: memsz}
	}
	return elf.Prog32{Type: uint32(typ), Flags: flags, Off: uint32(off), Vaddr: uint32(off),
		Filesz: uint32(filesz), Memsz: uint32(memsz)}
}

func (t tiny) entry(d dyn) any {
	if t.class == elf.ELFCLASS64 {
		return elf.Dyn64{Tag: int64(d.tag), Val: d.val}
	}
	return elf.Dyn32{Tag: int32(d.tag), Val: uint32(d.val)}
}

// withSections adds section headers to tiny64's little endian file, a compressed one among them.
func withSections(b []byte) []byte {
	const dynoff, strings = 64 + 5*56, 64 + 5*56 + 4*16
	packed := encode(binary.LittleEndian, elf.Chdr64{Type: uint32(elf.COMPRESS_ZLIB), Size: 6, Addralign: 1},
		[]byte("\x78\x01\x01\x06\x00\xf9\xff/home/\x07\x24\x02\x08")) // a stored block
	out := append(bytes.Clone(b), packed...)
	headers := encode(binary.LittleEndian, elf.Section64{},
		elf.Section64{Type: uint32(elf.SHT_DYNAMIC), Off: dynoff, Addr: dynoff, Size: 4 * 16},
		elf.Section64{Type: uint32(elf.SHT_NOTE), Off: strings, Addr: strings, Size: 16},
		elf.Section64{Type: uint32(elf.SHT_PROGBITS), Flags: uint64(elf.SHF_COMPRESSED),
			Off: uint64(len(b)), Size: uint64(len(packed))})
	shoff := uint64(len(out))
	out = append(out, headers...)
	binary.LittleEndian.PutUint64(out[40:], shoff) // e_shoff
	binary.LittleEndian.PutUint16(out[58:], 64)    // e_shentsize
	binary.LittleEndian.PutUint16(out[60:], 4)     // e_shnum
	return out
}

func encode(order binary.ByteOrder, headers ...any) []byte {
	var b bytes.Buffer
	for _, h := range headers {
		if err := binary.Write(&b, order, h); err != nil {
			panic(err)
		}
	}
	return b.Bytes()
}

func tinies() map[string][]byte {
	big64, big32 := tiny64, tiny32
	big64.data, big32.data = elf.ELFDATA2MSB, elf.ELFDATA2MSB
	return map[string][]byte{
		"64-little":      tiny64.bytes(),
		"64-sections":    withSections(tiny64.bytes()),
		"64-big":         big64.bytes(),
		"32-little":      tiny32.bytes(),
		"32-big":         big32.bytes(),
		"64-relocations": tiny64.relocated(uint32(elf.R_X86_64_RELATIVE)),
		"32-relocations": tiny32.relocated(uint32(elf.R_ARM_RELATIVE)),
	}
}

func TestTiny(t *testing.T) {
	for name, b := range tinies() {
		t.Run(name, func(t *testing.T) {
			f, err := InspectReader(bytes.NewReader(b), int64(len(b)))
			if err != nil {
				t.Fatal(err)
			}
			if findings := Static(f); len(findings) > 0 {
				t.Error(findings)
			}
		})
	}
}

// FuzzInspect: any bytes give facts or an error, never a panic, the same each time; and what passes the
// gate is what debug/elf's own program headers say is static.
func FuzzInspect(f *testing.F) {
	for _, b := range tinies() {
		f.Add(b)
	}
	for typ := range uint32(3) {
		f.Add(tiny64.relocated(uint32(elf.R_X86_64_IRELATIVE) - typ))
	}
	want := Want{Forbidden: []string{"/home/x", "/root"}, Allowed: []Allowed{{"a/home/x", "a test"}}}
	f.Fuzz(func(t *testing.T, b []byte) {
		facts, err := InspectReader(bytes.NewReader(b), int64(len(b)))
		again, errAgain := InspectReader(bytes.NewReader(b), int64(len(b)))
		if !reflect.DeepEqual(facts, again) || (err == nil) != (errAgain == nil) {
			t.Fatalf("two readings differ: %+v, %+v", facts, again)
		}
		if err != nil {
			if !reflect.DeepEqual(facts, Facts{}) {
				t.Fatalf("facts despite %v: %+v", err, facts)
			}
			return
		}
		if _, err := json.Marshal(facts); err != nil {
			t.Fatal(err)
		}
		if len(Static(facts)) == 0 {
			if !facts.StaticPIE() || len(facts.Relocations.Others) > 0 {
				t.Fatalf("passed: %+v", facts)
			}
			mustBeStatic(t, b)
		}
		report, err := ExamineReader(bytes.NewReader(b), int64(len(b)), want)
		if err != nil {
			t.Skip(err) // sections that cannot be unpacked
		}
		row := Row{File: "file", Facts: report.Facts, Findings: report.Findings, Allowed: report.Allowed}
		if (len(row.Explain()) == 0) != row.OK() {
			t.Fatalf("%v is explained as %q", report.Findings, row.Explain())
		}
	})
}

func mustBeStatic(t *testing.T, b []byte) {
	file, err := elf.NewFile(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range file.Progs {
		switch {
		case p.Type == elf.PT_INTERP:
			t.Fatal("PT_INTERP passed")
		case p.Type == elf.PT_GNU_STACK && (p.Flags&elf.PF_X != 0 || p.Memsz < DefaultMinStack):
			t.Fatal("bad stack passed")
		case p.Type == elf.PT_LOAD && p.Flags&(elf.PF_W|elf.PF_X) == elf.PF_W|elf.PF_X:
			t.Fatal("writable code passed")
		}
	}
}
