package elfcheck

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"encoding/json"
	"reflect"
	"testing"
)

// tiny64 and tiny32 are static-PIE files of a few hundred bytes, all headers: seeds for the fuzzer, and
// a proof that the gate asks for no section headers, symbols or Go.
func tiny64(order binary.ByteOrder, data elf.Data) []byte {
	const phoff, dynoff, strings = 64, 64 + 5*56, 64 + 5*56 + 4*16
	const size = strings + 16
	h := elf.Header64{Type: uint16(elf.ET_DYN), Machine: uint16(elf.EM_X86_64), Version: 1, Phoff: phoff, Ehsize: 64, Phentsize: 56, Phnum: 5}
	copy(h.Ident[:], "\x7fELF")
	h.Ident[elf.EI_CLASS], h.Ident[elf.EI_DATA], h.Ident[elf.EI_VERSION] = byte(elf.ELFCLASS64), byte(data), 1
	return encode(order, h,
		elf.Prog64{Type: uint32(elf.PT_LOAD), Flags: 5, Filesz: size, Memsz: size},
		elf.Prog64{Type: uint32(elf.PT_DYNAMIC), Flags: 6, Off: dynoff, Vaddr: dynoff, Filesz: 4 * 16, Memsz: 4 * 16},
		elf.Prog64{Type: uint32(elf.PT_GNU_RELRO), Flags: 4, Off: dynoff, Vaddr: dynoff, Filesz: 4 * 16, Memsz: 4 * 16},
		elf.Prog64{Type: uint32(elf.PT_GNU_STACK), Flags: 6, Memsz: DefaultMinStack},
		elf.Prog64{Type: uint32(elf.PT_NOTE), Flags: 4, Off: strings, Filesz: 16, Memsz: 16},
		elf.Dyn64{Tag: int64(elf.DT_STRTAB), Val: strings},
		elf.Dyn64{Tag: int64(elf.DT_FLAGS), Val: uint64(elf.DF_BIND_NOW)},
		elf.Dyn64{Tag: int64(elf.DT_FLAGS_1), Val: uint64(elf.DF_1_NOW | elf.DF_1_PIE)},
		elf.Dyn64{},
		[3]uint32{4, 0, ntGNUBuildID}, [4]byte{'G', 'N', 'U'})
}

func tiny32(order binary.ByteOrder, data elf.Data) []byte {
	const phoff, dynoff, strings = 52, 52 + 4*32, 52 + 4*32 + 4*8
	const size = strings + 16
	h := elf.Header32{Type: uint16(elf.ET_DYN), Machine: uint16(elf.EM_ARM), Version: 1, Phoff: phoff, Ehsize: 52, Phentsize: 32, Phnum: 4}
	copy(h.Ident[:], "\x7fELF")
	h.Ident[elf.EI_CLASS], h.Ident[elf.EI_DATA], h.Ident[elf.EI_VERSION] = byte(elf.ELFCLASS32), byte(data), 1
	return encode(order, h,
		elf.Prog32{Type: uint32(elf.PT_LOAD), Flags: 5, Filesz: size, Memsz: size},
		elf.Prog32{Type: uint32(elf.PT_DYNAMIC), Flags: 6, Off: dynoff, Vaddr: dynoff, Filesz: 4 * 8, Memsz: 4 * 8},
		elf.Prog32{Type: uint32(elf.PT_GNU_RELRO), Flags: 4, Off: dynoff, Vaddr: dynoff, Filesz: 4 * 8, Memsz: 4 * 8},
		elf.Prog32{Type: uint32(elf.PT_GNU_STACK), Flags: 6, Memsz: DefaultMinStack},
		elf.Dyn32{Tag: int32(elf.DT_STRTAB), Val: strings},
		elf.Dyn32{Tag: int32(elf.DT_BIND_NOW)},
		elf.Dyn32{Tag: int32(elf.DT_FLAGS_1), Val: uint32(elf.DF_1_PIE)},
		elf.Dyn32{},
		[16]byte{})
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
		elf.Section64{Type: uint32(elf.SHT_PROGBITS), Flags: uint64(elf.SHF_COMPRESSED), Off: uint64(len(b)), Size: uint64(len(packed))})
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
	return map[string][]byte{
		"64-little":   tiny64(binary.LittleEndian, elf.ELFDATA2LSB),
		"64-sections": withSections(tiny64(binary.LittleEndian, elf.ELFDATA2LSB)),
		"64-big":      tiny64(binary.BigEndian, elf.ELFDATA2MSB),
		"32-little":   tiny32(binary.LittleEndian, elf.ELFDATA2LSB),
		"32-big":      tiny32(binary.BigEndian, elf.ELFDATA2MSB),
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
			if !facts.StaticPIE() {
				t.Fatalf("passed: %+v", facts)
			}
			mustBeStatic(t, b)
		}
		if _, err := forbidden(bytes.NewReader(b), int64(len(b)), []string{"/home/"}); err != nil {
			t.Skip(err) // sections that cannot be unpacked
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
