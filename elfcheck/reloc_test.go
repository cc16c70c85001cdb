package elfcheck

import (
	"bytes"
	"debug/elf"
	"maps"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// relocated has one relocation of each type, with an addend in a file of 64 bits.
func (t tiny) relocated(types ...uint32) []byte {
	tag, size := elf.DT_RELA, elf.DT_RELASZ
	if t.class == elf.ELFCLASS32 {
		tag, size = elf.DT_REL, elf.DT_RELSZ
	}
	return t.table(tag, size, t.entries(types...))
}

func (t tiny) entries(types ...uint32) []byte {
	var parts []any
	for _, typ := range types {
		if t.class == elf.ELFCLASS32 {
			parts = append(parts, elf.Rel32{Info: typ})
		} else {
			parts = append(parts, elf.Rela64{Info: uint64(typ)})
		}
	}
	return encode(t.order(), parts...)
}

// table puts a table at the end and two entries that point to it, then others, into the dynamic table.
func (t tiny) table(tag, size elf.DynTag, b []byte, others ...dyn) []byte {
	t.dyn = append([]dyn{{tag, 0}, {size, uint64(len(b))}}, others...)
	_, _, t.dyn[0].val = t.offsets()
	t.extra = b
	return t.bytes()
}

// machines are those of all targets, with what each calls the types that matter.
var machines = []struct {
	machine                 elf.Machine
	class                   elf.Class
	data                    elf.Data
	relative, ifunc, thread uint32
	names                   string // of the last two
}{
	{elf.EM_X86_64, elf.ELFCLASS64, elf.ELFDATA2LSB, 8, 37, 18, "R_X86_64_IRELATIVE R_X86_64_TPOFF64"},
	{elf.EM_386, elf.ELFCLASS32, elf.ELFDATA2LSB, 8, 42, 14, "R_386_IRELATIVE R_386_TLS_TPOFF"},
	{elf.EM_AARCH64, elf.ELFCLASS64, elf.ELFDATA2LSB, 1027, 1032, 1030,
		"R_AARCH64_IRELATIVE R_AARCH64_TLS_TPREL64"},
	{elf.EM_ARM, elf.ELFCLASS32, elf.ELFDATA2LSB, 23, 160, 19, "R_ARM_IRELATIVE R_ARM_TLS_TPOFF32"},
	{elf.EM_RISCV, elf.ELFCLASS64, elf.ELFDATA2LSB, 3, 58, 11, "R_RISCV_IRELATIVE R_RISCV_TLS_TPREL64"},
	{elf.EM_PPC64, elf.ELFCLASS64, elf.ELFDATA2LSB, 22, 248, 73, "R_PPC64_IRELATIVE R_PPC64_TPREL64"},
	{elf.EM_S390, elf.ELFCLASS64, elf.ELFDATA2MSB, 12, 61, 56, "R_390_IRELATIVE R_390_TLS_TPOFF"},
}

// Numbers are those of each machine's ABI supplement, as in elf.h.
func TestRelocationsOfMachines(t *testing.T) {
	for _, m := range machines {
		t.Run(m.machine.String(), func(t *testing.T) {
			file := tiny{class: m.class, data: m.data, machine: m.machine}
			f := mustInspect(t, file.relocated(m.relative, 0, m.relative))
			if f.Relocations.Relative != 2 || len(Static(f)) > 0 {
				t.Errorf("RELATIVE and NONE: %+v, %v", f.Relocations, Static(f))
			}
			f = mustInspect(t, file.relocated(m.relative, m.ifunc, m.thread, m.thread))
			names := strings.Fields(m.names)
			if want := map[string]uint64{names[0]: 1, names[1]: 2}; !maps.Equal(f.Relocations.Others, want) {
				t.Errorf("got %v, want %v", f.Relocations.Others, want)
			}
			findings := Static(f)
			if rules(findings) != "relocations" {
				t.Fatal(findings)
			}
			for _, says := range []string{
				"1 of " + names[0], "2 of " + names[1], "ifunc", "-ftls-model=local-exec",
			} {
				if !strings.Contains(findings[0].Detail, says) {
					t.Errorf("%q does not say %q", findings[0].Detail, says)
				}
			}
		})
	}
}

func mustInspect(t *testing.T, b []byte) Facts {
	t.Helper()
	f, err := InspectReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// Tables that start-up code reads in another way, or not at all.
func TestRelocationTables(t *testing.T) {
	relative := tiny64.entries(8, 8)
	_, _, at := tiny{class: elf.ELFCLASS64, dyn: make([]dyn, 5)}.offsets()
	relr := func(words ...uint64) []byte {
		return tiny64.table(dtRelr, dtRelrSize, encode(tiny64.order(), words))
	}
	isRela := dyn{elf.DT_PLTREL, uint64(elf.DT_RELA)}
	mips := tiny64
	mips.machine = elf.EM_MIPS
	for name, c := range map[string]struct {
		file     []byte
		relative uint64
		others   map[string]uint64
	}{
		"relr": {relr(0x1000, 0b1011, 0x2000), 4, nil},
		"jmprel": {tiny64.table(elf.DT_JMPREL, elf.DT_PLTRELSZ, relative, isRela),
			0, map[string]uint64{"R_X86_64_RELATIVE in DT_JMPREL": 2}},
		"jmprel-within-rela": {tiny64.table(elf.DT_RELA, elf.DT_RELASZ, relative, isRela,
			dyn{elf.DT_JMPREL, at + 24}, dyn{elf.DT_PLTRELSZ, 24}), 2, nil},
		"android": {tiny64.table(androidTables[1], androidTables[1]+1, relative),
			0, map[string]uint64{"Android's packed table 0x60000011": 1}},
		"unknown-machine": {mips.relocated(3), 0, map[string]uint64{"type 3": 1}},
		"unknown-types": {tiny64.relocated(200, 1<<31|8),
			0, map[string]uint64{"type 200": 1, "type 2147483656": 1}},
		"last-tag-counts": {tiny64.table(elf.DT_RELA, elf.DT_RELASZ, relative, dyn{elf.DT_RELASZ, 24}), 1, nil},
	} {
		t.Run(name, func(t *testing.T) {
			got := mustInspect(t, c.file).Relocations
			if got.Relative != c.relative || !maps.Equal(got.Others, c.others) {
				t.Errorf("got %+v, want %d, %v", got, c.relative, c.others)
			}
		})
	}
	for name, b := range map[string][]byte{
		"begins with a bitmap": relr(3),
		"whole number":         tiny64.table(dtRelr, dtRelrSize, make([]byte, 9)),
		"reaches past":         tiny64.table(dtRelr, dtRelrSize, nil, dyn{dtRelrSize, 1 << 40}),
	} {
		_, err := InspectReader(bytes.NewReader(b), int64(len(b)))
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("want an error that says %q, got %v", name, err)
		}
	}
}

// A hostile file makes us keep no more names than a machine has types.
func TestRelocationTypesBounded(t *testing.T) {
	var types []uint32
	for i := range uint32(1000) {
		types = append(types, 5000+i)
	}
	others := mustInspect(t, tiny64.relocated(types...)).Relocations.Others
	if len(others) != maxRelocationTypes+1 || others["other types"] != 1000-maxRelocationTypes {
		t.Errorf("%d names, %d other types", len(others), others["other types"])
	}
}

// What the rule is for: such a program does die, with a signal and no word.
func TestIfuncDies(t *testing.T) {
	fixture := refusedC[slices.IndexFunc(refusedC, func(c struct {
		cFixture
		rules string
	}) bool {
		return c.name == "musl-ifunc"
	})]
	path := fixture.path(t)
	if runtime.GOOS != "linux" {
		t.Skip("skipped: not on Linux")
	}
	err := exec.Command(path).Run()
	if err == nil || !strings.Contains(err.Error(), "signal: segmentation fault") {
		t.Errorf("a static-PIE of musl with an ifunc ended with: %v", err)
	}
}
