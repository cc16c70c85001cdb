package elfcheck

import (
	"bytes"
	"debug/elf"
	"maps"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// wantPIE is what a plan would say of the fixture goPIE.
func wantPIE() Want {
	return Want{
		Class: elf.ELFCLASS64, Machine: elf.EM_X86_64, Data: elf.ELFDATA2LSB,
		Forbidden: []string{"/no/such/host/path"}, MinStack: DefaultMinStack,
		Go: &GoWant{Version: runtime.Version(), Path: "example.com/fixture", Settings: map[string]string{
			"GOOS": "linux", "GOARCH": "amd64", "CGO_ENABLED": "0",
			"-buildmode": "pie", "-trimpath": "true", "-tags": "",
		}},
	}
}

func rules(findings []Finding) string {
	var names []string
	for _, f := range findings {
		names = append(names, f.Rule)
	}
	return strings.Join(names, " ")
}

func TestElfcheck(t *testing.T) {
	t.Run("accepts", testAccepts)
	t.Run("refuses", func(t *testing.T) {
		for name, c := range refusedEdits {
			t.Run(name, func(t *testing.T) {
				e, w := newEdit(t, good(t)), wantPIE()
				c.edit(e, &w)
				expect(t, write(t, e.b), w, c.rules)
			})
		}
		for _, c := range refusedC {
			t.Run(c.name, func(t *testing.T) { expect(t, c.path(t), Want{}, c.rules) })
		}
		t.Run("go-pie-with-loader", func(t *testing.T) { expect(t, goPIE.path(t), Want{}, "interp") })
		t.Run("go-fixed-address", func(t *testing.T) { expect(t, go386.path(t), Want{}, "pie relro") })
		t.Run("debug-section-path", testDebugSectionPath)
		t.Run("zero-facts", func(t *testing.T) {
			if got := rules(Static(Facts{})); got != "pie relro bind-now stack-exec" {
				t.Error(got)
			}
		})
	})
	t.Run("errors", testErrors)
}

func expect(t *testing.T, path string, w Want, rulesWanted string) {
	t.Helper()
	_, findings, err := File(path, w)
	if err != nil {
		t.Fatal(err)
	}
	if got := rules(findings); got != rulesWanted {
		t.Errorf("rules %q, want %q\n%v", got, rulesWanted, findings)
	}
	for _, f := range findings {
		if f.Detail == "" || strings.ContainsAny(f.Detail, "\n\r") {
			t.Errorf("%s: detail is not one line: %q", f.Rule, f.Detail)
		}
	}
}

func testAccepts(t *testing.T) {
	t.Run("static-pie", func(t *testing.T) { expect(t, write(t, good(t)), wantPIE(), "") })
	t.Run("without-sections", func(t *testing.T) {
		e := newEdit(t, good(t))
		e.noSections()
		expect(t, write(t, e.b), Want{}, "")
	})
	t.Run("non-pie-with-reason", func(t *testing.T) {
		w := Want{Class: elf.ELFCLASS32, Machine: elf.EM_386, NonPIE: "a reason",
			Go: &GoWant{Settings: map[string]string{"GOARCH": "386"}}}
		expect(t, go386.path(t), w, "relro") // what Go's own linker leaves out, but neither pie nor bind-now
	})
	t.Run("big-endian", func(t *testing.T) {
		w := Want{Class: elf.ELFCLASS64, Machine: elf.EM_S390, Data: elf.ELFDATA2MSB, NonPIE: "a reason",
			Go: &GoWant{Version: runtime.Version()}}
		expect(t, goS390.path(t), w, "relro")
	})
	t.Run("musl-static-pie", func(t *testing.T) {
		path := cFixture{name: "musl-static-pie", musl: "rcrt1.o", args: cHardened}.path(t)
		expect(t, path, Want{}, "")
		if f, _ := Inspect(path); f.Libc != "musl" || !f.Stripped {
			t.Errorf("libc %q, stripped %v", f.Libc, f.Stripped)
		}
	})
}

// refusedEdits break one promise each, in a file that keeps all others.
var refusedEdits = map[string]struct {
	rules string
	edit  func(*edit, *Want)
}{
	"interp": {"interp", func(e *edit, _ *Want) {
		s := e.f.Section(".interp")
		e.prog(elf.PT_NULL, func(p *elf.Prog64) {
			p.Type, p.Off, p.Filesz = uint32(elf.PT_INTERP), s.Offset, s.Size
		})
	}},
	"needed-without-interp": {"needed", func(e *edit, _ *Want) { e.spare(elf.DT_NEEDED) }},
	"filter-library":        {"needed", func(e *edit, _ *Want) { e.spare(elf.DT_FILTER) }},
	"needed-hidden-by-no-sections": {"needed", func(e *edit, w *Want) {
		w.Go = nil // goFacts needs sections
		e.spare(elf.DT_NEEDED)
		e.noSections()
	}},
	"needed-hidden-by-short-segment": {"needed", func(e *edit, _ *Want) {
		e.spare(elf.DT_NEEDED)
		e.prog(elf.PT_DYNAMIC, func(p *elf.Prog64) { p.Filesz, p.Memsz = 16, 16 })
	}},
	"needed-hidden-by-other-section": {"needed sections", func(e *edit, _ *Want) {
		e.spare(elf.DT_NEEDED)
		e.section(elf.SHT_DYNAMIC, func(s *elf.Section64) { s.Off, s.Size = s.Off+0xc0, 16 })
	}},
	"rpath":   {"rpath", func(e *edit, _ *Want) { e.spare(elf.DT_RPATH) }},
	"runpath": {"rpath", func(e *edit, _ *Want) { e.spare(elf.DT_RUNPATH) }},
	"textrel": {"textrel", func(e *edit, _ *Want) { e.spare(elf.DT_TEXTREL) }},
	"textrel-flag": {"textrel", func(e *edit, _ *Want) {
		e.dyn(elf.DT_FLAGS, func(d *elf.Dyn64) { d.Val |= uint64(elf.DF_TEXTREL) })
	}},
	"no-relro": {"relro", func(e *edit, _ *Want) {
		e.prog(elf.PT_GNU_RELRO, func(p *elf.Prog64) { p.Type = uint32(elf.PT_NULL) })
	}},
	"empty-relro": {"relro", func(e *edit, _ *Want) {
		e.prog(elf.PT_GNU_RELRO, func(p *elf.Prog64) { p.Memsz = 0 })
	}},
	"lazy": {"bind-now", func(e *edit, _ *Want) {
		e.dyn(elf.DT_FLAGS, func(d *elf.Dyn64) { d.Val = 0 })
		e.dyn(elf.DT_FLAGS_1, func(d *elf.Dyn64) { d.Val = uint64(elf.DF_1_PIE) })
	}},
	"shared-library": {"program", func(e *edit, _ *Want) {
		e.dyn(elf.DT_FLAGS_1, func(d *elf.Dyn64) { d.Val = uint64(elf.DF_1_NOW) })
	}},
	"fixed-address": {"pie", func(e *edit, _ *Want) {
		e.header(func(h *elf.Header64) { h.Type = uint16(elf.ET_EXEC) })
	}},
	"ifunc":              {"relocations", func(e *edit, _ *Want) { e.relocation(elf.R_X86_64_IRELATIVE) }},
	"symbol":             {"relocations", func(e *edit, _ *Want) { e.relocation(elf.R_X86_64_64) }},
	"thread-local":       {"relocations", func(e *edit, _ *Want) { e.relocation(elf.R_X86_64_TPOFF64) }},
	"unknown-relocation": {"relocations", func(e *edit, _ *Want) { e.relocation(200) }},
	"exec-stack": {"stack-exec", func(e *edit, _ *Want) {
		e.prog(elf.PT_GNU_STACK, func(p *elf.Prog64) { p.Flags |= uint32(elf.PF_X) })
	}},
	"no-stack-header": {"stack-exec", func(e *edit, _ *Want) {
		e.prog(elf.PT_GNU_STACK, func(p *elf.Prog64) { p.Type = uint32(elf.PT_NULL) })
	}},
	"small-stack": {"stack-size", func(e *edit, _ *Want) {
		e.prog(elf.PT_GNU_STACK, func(p *elf.Prog64) { p.Memsz = DefaultMinStack - 1 })
	}},
	"stack-below-plan": {"stack-size", func(_ *edit, w *Want) { w.MinStack = 8 << 20 }},
	"second-stack-header": {"stack-exec stack-size", func(e *edit, _ *Want) {
		e.prog(elf.PT_TLS, func(p *elf.Prog64) {
			*p = elf.Prog64{Type: uint32(elf.PT_GNU_STACK), Flags: 7, Memsz: 4096}
		})
	}},
	"writable-code": {"wx", func(e *edit, _ *Want) {
		e.prog(elf.PT_LOAD, func(p *elf.Prog64) { p.Flags |= uint32(elf.PF_W) })
	}},
	"machine":    {"machine", func(_ *edit, w *Want) { w.Machine = elf.EM_AARCH64 }},
	"class":      {"class", func(_ *edit, w *Want) { w.Class = elf.ELFCLASS32 }},
	"byte-order": {"byte-order", func(_ *edit, w *Want) { w.Data = elf.ELFDATA2MSB }},
	"host-path": {"host-path", func(e *edit, w *Want) {
		w.Forbidden = []string{"/home/builder/src", "/root"}
		e.b = append(e.b, "/home/builder/src/main.go"...)
	}},
	"go-version": {"buildinfo", func(_ *edit, w *Want) { w.Go.Version = "go1.0" }},
	"go-path":    {"buildinfo", func(_ *edit, w *Want) { w.Go.Path = "example.com/other" }},
	"go-settings": {"buildinfo buildinfo", func(_ *edit, w *Want) {
		maps.Copy(w.Go.Settings, map[string]string{"CGO_ENABLED": "1", "-tags": "netgo"})
	}},
	"go-without-sections": {"buildinfo", func(e *edit, _ *Want) { e.noSections() }},
	"no-go": {"buildinfo", func(e *edit, _ *Want) {
		e.b = bytes.ReplaceAll(e.b, []byte("\xff Go buildinf:"), []byte("\xff No buildinf:"))
	}},
}

// refusedC are what C compilers make of the wrong flags.
var refusedC = []struct {
	cFixture
	rules string
}{
	{cFixture{name: "glibc-dynamic", args: cHardened + "-pie -fPIE"}, "interp needed"},
	{cFixture{name: "glibc-static", args: cHardened + "-static -no-pie"}, "glibc-dlopen pie"},
	{cFixture{name: "glibc-static-pie", args: cHardened + "-static-pie -fPIE"}, "glibc-dlopen"},
	{cFixture{name: "shared-library-with-needed", args: cHardened + "-shared -fPIC"}, "program needed"},
	{cFixture{name: "gcc-execstack", args: cHardened + "-static-pie -fPIE -Wl,-z,execstack"},
		"glibc-dlopen stack-exec"},
	{cFixture{name: "gcc-norelro", args: cHardened + "-static-pie -fPIE -Wl,-z,norelro"}, "glibc-dlopen relro"},
	{cFixture{name: "gcc-lazy", args: cHardened + "-static-pie -fPIE -Wl,-z,lazy"}, "glibc-dlopen bind-now"},
	{cFixture{name: "gcc-rpath", args: cHardened + "-pie -fPIE -Wl,-rpath,/opt/lib"}, "interp needed rpath"},
	{cFixture{name: "musl-small-stack", musl: "rcrt1.o", args: "-Wl,-z,relro,-z,now -s"}, "stack-size"},
	{cFixture{name: "musl-execstack", musl: "rcrt1.o", args: cHardened + "-Wl,-z,execstack"}, "stack-exec"},
	{cFixture{name: "musl-ifunc", musl: "rcrt1.o", args: cHardened, source: cIfunc}, "relocations"},
	{cFixture{name: "musl-ifunc-fixed", musl: "crt1.o", args: cHardened, source: cIfunc}, "relocations pie"},
}

// The Go linker packs debug sections with zlib: the string stands in no byte of the file itself.
func testDebugSectionPath(t *testing.T) {
	const producer = "Go cmd/compile" // DW_AT_producer
	b, err := os.ReadFile(go386.path(t))
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(b, []byte(producer)) {
		t.Skipf("skipped: this Go version writes %q unpacked", producer)
	}
	_, findings, err := File(go386.path(t), Want{Forbidden: []string{producer}})
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(findings, func(f Finding) bool { return f.Rule == "host-path" })
	if i < 0 || !strings.Contains(findings[i].Detail, "unpacked section .") {
		t.Error(findings)
	}
}

func testErrors(t *testing.T) {
	for name, c := range brokenEdits {
		t.Run(name, func(t *testing.T) {
			e := newEdit(t, good(t))
			c.edit(e)
			refuseToRead(t, write(t, e.b), c.says)
		})
	}
	t.Run("absent", func(t *testing.T) { refuseToRead(t, t.TempDir()+"/absent", "no such file") })
	t.Run("folder", func(t *testing.T) { refuseToRead(t, t.TempDir(), "a folder, ") })
	t.Run("named-pipe", func(t *testing.T) {
		path := t.TempDir() + "/pipe"
		if err := exec.Command("mkfifo", path).Run(); err != nil {
			t.Skipf("skipped: mkfifo: %v", err)
		}
		refuseToRead(t, path, "a named pipe, ")
	})
	t.Run("truncated", testTruncated)
	t.Run("empty-forbidden", func(t *testing.T) {
		if _, _, err := File(write(t, good(t)), Want{Forbidden: []string{""}}); err == nil {
			t.Error("an unset variable in Forbidden passed unseen")
		}
	})
}

func refuseToRead(t *testing.T, path, says string) {
	t.Helper()
	facts, findings, err := File(path, Want{})
	if err == nil || !strings.Contains(err.Error(), says) {
		t.Errorf("error %v, want one that says %q; findings %v", err, says, findings)
	}
	if err != nil && strings.Contains(err.Error(), path) {
		t.Errorf("%v: names the path, which the caller does as well", err)
	}
	if facts.Size != 0 {
		t.Errorf("facts despite the error: %+v", facts)
	}
}

// brokenEdits contradict themselves: no facts can be told of them.
var brokenEdits = map[string]struct {
	says string
	edit func(*edit)
}{
	"class-flipped": {"", func(e *edit) { e.b[elf.EI_CLASS] = byte(elf.ELFCLASS32) }},
	"order-flipped": {"a damaged ELF file", func(e *edit) { e.b[elf.EI_DATA] = byte(elf.ELFDATA2MSB) }},
	"no-load": {"loadable segment", func(e *edit) {
		for i := range e.f.Progs {
			change(e, e.h.Phoff+uint64(i)*56, func(p *elf.Prog64) { p.Type = uint32(elf.PT_NULL) })
		}
	}},
	"load-past-end": {"past its end", func(e *edit) {
		e.prog(elf.PT_LOAD, func(p *elf.Prog64) { p.Filesz = 1 << 62 })
	}},
	"load-wraps": {"overlap", func(e *edit) {
		e.prog(elf.PT_LOAD, func(p *elf.Prog64) { p.Memsz = 1<<64 - 1 })
	}},
	"loads-overlap": {"overlap", func(e *edit) {
		e.prog(elf.PT_LOAD, func(p *elf.Prog64) { p.Memsz = 1 << 32 })
	}},
	"load-small": {"larger in the file", func(e *edit) {
		e.prog(elf.PT_LOAD, func(p *elf.Prog64) { p.Memsz = 1 })
	}},
	"section-past-end": {"past its end", func(e *edit) {
		e.section(elf.SHT_DYNAMIC, func(s *elf.Section64) { s.Size = 1 << 40 })
	}},
	"interp-tiny": {"PT_INTERP", func(e *edit) {
		e.prog(elf.PT_NULL, func(p *elf.Prog64) { p.Type, p.Filesz = uint32(elf.PT_INTERP), 1 })
	}},
	"interp-huge": {"PT_INTERP", func(e *edit) {
		e.prog(elf.PT_NULL, func(p *elf.Prog64) { p.Type, p.Off, p.Filesz = uint32(elf.PT_INTERP), 0, 5000 })
	}},
	"two-dynamics": {"more than one PT_DYNAMIC", func(e *edit) {
		e.prog(elf.PT_NULL, func(p *elf.Prog64) { p.Type = uint32(elf.PT_DYNAMIC) })
	}},
	"dynamic-address-elsewhere": {"disagree", func(e *edit) {
		e.prog(elf.PT_DYNAMIC, func(p *elf.Prog64) { p.Vaddr += 16 })
	}},
	"dynamic-unmapped": {"disagree", func(e *edit) {
		e.prog(elf.PT_DYNAMIC, func(p *elf.Prog64) { p.Vaddr = 1 << 40 })
	}},
	"dynamic-endless": {"no end", func(e *edit) {
		// More entries than any table has, none of them DT_NULL.
		for i := range e.b[0x10000:0x30000] {
			e.b[0x10000+i] = 0x55
		}
		base := e.f.Progs[3]
		e.prog(elf.PT_DYNAMIC, func(p *elf.Prog64) { p.Off, p.Vaddr = 0x10000, base.Vaddr-base.Off+0x10000 })
	}},
	"rela-past-end": {"DT_RELA of", func(e *edit) {
		e.dyn(elf.DT_RELASZ, func(d *elf.Dyn64) { d.Val = 24 << 40 })
	}},
	"rela-unmapped": {"DT_RELA of", func(e *edit) {
		e.dyn(elf.DT_RELA, func(d *elf.Dyn64) { d.Val = 1 << 40 })
	}},
	"rela-in-pieces": {"whole number", func(e *edit) { e.dyn(elf.DT_RELASZ, func(d *elf.Dyn64) { d.Val-- }) }},
	"note-huge": {"notes", func(e *edit) {
		e.prog(elf.PT_NOTE, func(p *elf.Prog64) { p.Off, p.Filesz = 0, 1<<20 })
	}},
}

// A file cut anywhere is an error, with section headers (which end it or point to its end) or without.
func testTruncated(t *testing.T) {
	whole := good(t)
	e := newEdit(t, whole)
	e.noSections()
	last := e.f.Progs[0]
	for _, p := range e.f.Progs {
		if p.Type == elf.PT_LOAD {
			last = p
		}
	}
	for name, b := range map[string][]byte{"whole": whole, "without-sections": e.b[:last.Off+last.Filesz]} {
		for _, n := range []int{1, 15, 16, 63, 64, 65, 600, 1000, 4096, len(b) / 2, len(b) - 4096, len(b) - 1} {
			if f, err := InspectReader(bytes.NewReader(b[:n]), int64(n)); err == nil {
				t.Errorf("%s: %d of %d bytes were accepted: %+v", name, n, len(b), f)
			}
		}
	}
}
