package elfcheck

import (
	"bytes"
	"cmp"
	"debug/elf"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"hash/crc32"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

var update = flag.Bool("update", false, "rewrite golden files")

// fixtures is the folder of this run's binaries.
var fixtures string

func TestMain(m *testing.M) {
	flag.Parse()
	dir, err := os.MkdirTemp("", "elfcheck")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fixtures = dir
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// goFixture is a Go program for linux, cross-compiled without a C compiler.
type goFixture struct {
	arch, mode, ldflags string
	source              string
}

var (
	// goPIE has all of a static-PIE but the stack size, and a loader.
	goPIE  = goFixture{"amd64", "pie", "-s -w -bindnow", goMain}
	go386  = goFixture{"386", "exe", "", goMain}        // 32 bits, with (compressed) debug information
	goS390 = goFixture{"s390x", "exe", "-s -w", goMain} // big endian
)

const goMain = "package main\n\nfunc main() { println(\"fixture\") }\n"

func (g goFixture) String() string {
	return fmt.Sprintf("%s-%s-%08x", g.arch, g.mode, crc32.ChecksumIEEE([]byte(g.source)))
}

var built sync.Map // path → func() error, so that each is built once

// once runs build for path unless an earlier test did.
func once(t *testing.T, path string, build func() error) {
	t.Helper()
	f, _ := built.LoadOrStore(path, sync.OnceValue(build))
	if err := f.(func() error)(); err != nil {
		t.Fatal(err)
	}
}

func (g goFixture) path(t *testing.T) string {
	t.Helper()
	src := filepath.Join(fixtures, "src-"+g.String())
	once(t, src, func() error {
		return errors.Join(os.Mkdir(src, 0o755),
			os.WriteFile(filepath.Join(src, "go.mod"), []byte("module example.com/fixture\n\ngo 1.26\n"), 0o644),
			os.WriteFile(filepath.Join(src, "main.go"), []byte(g.source), 0o644))
	})
	out := filepath.Join(fixtures, "go-"+g.String())
	once(t, out, func() error {
		cmd := exec.Command("go", "build", "-trimpath", "-buildmode="+g.mode, "-ldflags="+g.ldflags,
			"-o", out, ".")
		cmd.Dir = src
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+g.arch, "GOFLAGS=", "GOWORK=off")
		if b, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%v: %w\n%s", cmd, err, b)
		}
		return nil
	})
	return out
}

// cFixture is a C program of the host's compiler.
type cFixture struct {
	name string
	// musl is its start file, rcrt1.o or crt1.o, to link by hand: musl-gcc 1.2.3 takes -static-pie and
	// links dynamically.
	musl   string
	args   string // of the compiler
	source string // empty: cMain
}

const cHardened = "-Wl,-z,relro,-z,now,-z,noexecstack,-z,stack-size=1048576 -s "

const cMain = "#include <string.h>\nint main(int c, char **v) { return strerror(c)[0] == v[0][0]; }\n"

// cIfunc has a function that is chosen at start-up.
const cIfunc = `static int one(void) { return 0; }
static void *pick(void) { return one; }
int chosen(void) __attribute__((ifunc("pick")));
int main(void) { return chosen(); }
`

// path skips, and says why, where the host has no compiler or no such libc.
func (c cFixture) path(t *testing.T) string {
	t.Helper()
	if _, err := exec.LookPath("gcc"); err != nil {
		t.Skip("skipped: gcc is not installed")
	}
	out := filepath.Join(fixtures, "c-"+c.name)
	src := out + ".c"
	once(t, src, func() error { return os.WriteFile(src, []byte(cmp.Or(c.source, cMain)), 0o644) })
	args := append(strings.Fields(c.args), "-o", out, src)
	if c.musl != "" {
		args = append(args, muslLink(t, c.musl)...)
	}
	built.LoadOrStore(out, sync.OnceValue(func() error {
		if b, err := exec.Command("gcc", args...).CombinedOutput(); err != nil {
			return fmt.Errorf("gcc %s: %w\n%s", strings.Join(args, " "), err, b)
		}
		return nil
	}))
	f, _ := built.Load(out)
	if err := f.(func() error)(); err != nil {
		t.Skipf("skipped: this host's gcc cannot link it: %v", err)
	}
	return out
}

// muslLink is what gcc needs to link with a start file of musl.
func muslLink(t *testing.T, start string) []string {
	t.Helper()
	crt, _ := filepath.Glob("/usr/lib/*-linux-musl/" + start)
	if len(crt) == 0 {
		t.Skipf("skipped: musl's %s is not installed (Debian: musl-tools)", start)
	}
	flags := []string{"-fPIE", "-static-pie"}
	if start == "crt1.o" {
		flags = []string{"-static", "-no-pie"}
	}
	dir := filepath.Dir(crt[0])
	return append(flags, "-nostdlib", crt[0], dir+"/crti.o", dir+"/libc.a", dir+"/crtn.o")
}

// edit changes headers of a 64-bit little endian file.
type edit struct {
	*testing.T
	b []byte
	f *elf.File
	h elf.Header64
}

func newEdit(t *testing.T, b []byte) *edit {
	t.Helper()
	f, err := elf.NewFile(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	e := &edit{T: t, b: bytes.Clone(b), f: f}
	change(e, 0, func(h *elf.Header64) { e.h = *h })
	return e
}

// change decodes a header at off, lets fn change it, and encodes it again.
func change[H any](e *edit, off uint64, fn func(*H)) {
	var h H
	n, err := binary.Decode(e.b[off:], binary.LittleEndian, &h)
	if err != nil {
		e.Fatal(err)
	}
	fn(&h)
	if _, err := binary.Encode(e.b[off:off+uint64(n)], binary.LittleEndian, &h); err != nil {
		e.Fatal(err)
	}
}

func (e *edit) header(fn func(*elf.Header64)) { change(e, 0, fn) }

// prog changes the first program header of a type.
func (e *edit) prog(typ elf.ProgType, fn func(*elf.Prog64)) {
	for i, p := range e.f.Progs {
		if p.Type == typ {
			change(e, e.h.Phoff+uint64(i)*uint64(e.h.Phentsize), fn)
			return
		}
	}
	e.Fatalf("no %s", typ)
}

// dyn changes the entry of a tag in the dynamic table.
func (e *edit) dyn(tag elf.DynTag, fn func(*elf.Dyn64)) {
	for _, p := range e.f.Progs {
		if p.Type != elf.PT_DYNAMIC {
			continue
		}
		for off := p.Off; off < p.Off+p.Filesz; off += 16 {
			if elf.DynTag(binary.LittleEndian.Uint64(e.b[off:])) == tag {
				change(e, off, fn)
				return
			}
		}
	}
	e.Fatalf("no %s", tag)
}

// section changes the first section header of a type.
func (e *edit) section(typ elf.SectionType, fn func(*elf.Section64)) {
	for i, s := range e.f.Sections {
		if s.Type == typ {
			change(e, e.h.Shoff+uint64(i)*uint64(e.h.Shentsize), fn)
			return
		}
	}
	e.Fatalf("no %s", typ)
}

// relocation gives the first entry of DT_RELA another type.
func (e *edit) relocation(typ elf.R_X86_64) {
	e.dyn(elf.DT_RELA, func(d *elf.Dyn64) {
		_, off := (&image{File: e.f, loads: e.f.Progs}).at(d.Val)
		change(e, off, func(r *elf.Rela64) { r.Info = elf.R_INFO(elf.R_SYM64(r.Info), uint32(typ)) })
	})
}

// spare turns the dynamic entry that only debuggers use into another one, and the former PT_INTERP into
// the string table that it points to.
func (e *edit) spare(tag elf.DynTag) {
	s := e.f.Section(".interp")
	e.dyn(elf.DT_STRTAB, func(d *elf.Dyn64) { d.Val = s.Addr })
	e.dyn(elf.DT_STRSZ, func(d *elf.Dyn64) { d.Val = s.Size })
	e.section(elf.SHT_STRTAB, func(d *elf.Section64) { // .dynstr, for readelf
		d.Addr, d.Off, d.Size = s.Addr, s.Offset, s.Size
	})
	e.dyn(elf.DT_DEBUG, func(d *elf.Dyn64) { d.Tag, d.Val = int64(tag), 0 })
}

func (e *edit) noSections() {
	e.header(func(h *elf.Header64) { h.Shoff, h.Shnum, h.Shstrndx = 0, 0, 0 })
}

// good is a file that passes the gate: a Go PIE whose loader is taken out and whose stack has a size.
func good(t *testing.T) []byte {
	t.Helper()
	b, err := os.ReadFile(goPIE.path(t))
	if err != nil {
		t.Fatal(err)
	}
	e := newEdit(t, b)
	e.prog(elf.PT_INTERP, func(p *elf.Prog64) { p.Type = uint32(elf.PT_NULL) })
	e.prog(elf.PT_GNU_STACK, func(p *elf.Prog64) { p.Memsz = DefaultMinStack })
	return e.b
}

func write(t *testing.T, b []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, b, 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}
