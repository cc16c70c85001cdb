// Package elfcheck is the gate: it decides whether a file is the static, hardened binary that the
// plan promised.
//
// In comes the path of an ELF file and a [Want]. Out comes a [Report]: [Facts], which are true of the file
// and go to the manifest, and a [Finding] for each promise that the file breaks; no finding means that the
// file passes. [Judge] sorts findings into verdicts: is it static, is it hardened, is it as planned. The gate
// fails closed: a file that cannot be read, is cut short or contradicts itself is an error, never "static".
//
// Facts are taken from the program headers and from what they map, because the kernel and the loader
// use nothing else (elf(5), gABI chapter 5). Section headers may be stripped or may lie.
package elfcheck

import (
	"debug/buildinfo"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
)

// Facts are what is true of an ELF file. Names of classes, machines and types are those of elf.h.
type Facts struct {
	Size      int64  `json:"size"`       // bytes in the file
	Class     string `json:"class"`      // ELFCLASS32 or ELFCLASS64
	Machine   string `json:"machine"`    // EM_X86_64, …
	ByteOrder string `json:"byte_order"` // ELFDATA2LSB or ELFDATA2MSB
	Type      string `json:"type"`       // ET_EXEC, ET_DYN, …

	Interp  string   `json:"interp,omitempty"`  // PT_INTERP: the loader that the kernel starts instead
	Dynamic bool     `json:"dynamic"`           // has a PT_DYNAMIC; a static-PIE has one too
	Needed  []string `json:"needed,omitempty"`  // DT_NEEDED, DT_AUXILIARY and DT_FILTER
	Rpath   []string `json:"rpath,omitempty"`   // DT_RPATH
	Runpath []string `json:"runpath,omitempty"` // DT_RUNPATH

	PIE     bool `json:"pie"`      // ET_DYN with DF_1_PIE: a program, not a shared library
	TextRel bool `json:"text_rel"` // relocations write to code
	Relro   bool `json:"relro"`    // has a PT_GNU_RELRO
	BindNow bool `json:"bind_now"` // nothing is bound after start-up
	WX      bool `json:"wx"`       // a segment is both writable and executable

	Relocations Relocations `json:"relocations"`

	HasStackHeader bool   `json:"has_stack_header"` // has a PT_GNU_STACK
	ExecStack      bool   `json:"exec_stack"`       // PT_GNU_STACK asks for an executable stack
	StackSize      uint64 `json:"stack_size"`       // bytes in PT_GNU_STACK's p_memsz

	TLSSize  uint64  `json:"tls_size"`            // bytes in PT_TLS's p_memsz
	TLSAlign uint64  `json:"tls_align"`           // p_align of PT_TLS, bytes
	GOffsets []int32 `json:"g_offsets,omitempty"` // linux/386: where Go looks for g, bytes from the thread pointer

	Stripped     bool   `json:"stripped"`                // no symbol table and no debug information
	SectionsLie  string `json:"sections_lie,omitempty"`  // how section and program headers disagree
	BuildID      string `json:"build_id,omitempty"`      // NT_GNU_BUILD_ID in hexadecimal
	Libc         string `json:"libc,omitempty"`          // glibc, musl, or empty where nothing shows
	LibcEvidence string `json:"libc_evidence,omitempty"` // what showed it

	Go *GoFacts `json:"go,omitempty"` // nil: holds no readable Go build information
}

// GoFacts is the build information that the Go linker wrote into the file.
type GoFacts struct {
	Version  string            `json:"version"` // go1.26.8
	Path     string            `json:"path"`    // main package
	Settings map[string]string `json:"settings,omitempty"`
}

// StaticPIE tells whether the file loads at any address and needs no other file to do so.
func (f Facts) StaticPIE() bool { return f.PIE && f.Interp == "" && len(f.Needed) == 0 }

// Inspect reads the facts of the file at path. Errors do not name the path: the caller knows it.
func Inspect(path string) (Facts, error) {
	file, size, err := open(path)
	if err != nil {
		return Facts{}, err
	}
	defer file.Close()
	return InspectReader(file, size)
}

// open refuses what is no regular file before opening it: opening a named pipe would block.
func open(path string) (*os.File, int64, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, 0, withoutPath(err)
	}
	if !info.Mode().IsRegular() {
		return nil, 0, notRegular(info.Mode())
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, 0, withoutPath(err)
	}
	return file, info.Size(), nil
}

// withoutPath is the cause of an error of package os, which has the path in its text.
func withoutPath(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// InspectReader reads the facts of an ELF file of size bytes. A file that is no program ([NotProgram]), is
// cut short, or whose headers contradict each other is an error.
func InspectReader(r io.ReaderAt, size int64) (Facts, error) {
	_, f, err := inspect(io.NewSectionReader(r, 0, size), size)
	return f, err
}

func inspect(r io.ReaderAt, size int64) (img *image, f Facts, err error) {
	defer recovered(&err, func() { img, f = nil, Facts{} })
	if img, err = newImage(r, size); err != nil {
		return nil, Facts{}, err
	}
	f = Facts{
		Size: size, Class: img.Class.String(), Machine: img.Machine.String(),
		ByteOrder: img.Data.String(), Type: img.Type.String(), Stripped: img.stripped(),
		SectionsLie: img.sectionsLie(), Go: goFacts(r),
	}
	for _, read := range []func(*Facts) error{
		img.segmentFacts, img.dynamicFacts, img.tlsFacts, func(f *Facts) error { return img.libcFacts(r, f) },
	} {
		if err := read(&f); err != nil {
			return nil, Facts{}, err
		}
	}
	return img, f, nil
}

// recovered makes an error of a panic, and then has the results forgotten. debug/elf "is not designed to
// be hardened against adversarial inputs" (its package comment).
func recovered(err *error, forget func()) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("%w: %v", errDamaged, p)
		forget()
	}
}

// segmentFacts are those that the program headers state by themselves.
func (img *image) segmentFacts(f *Facts) (err error) {
	f.StackSize = math.MaxUint64
	for _, p := range img.Progs {
		switch p.Type {
		case elf.PT_INTERP:
			if f.Interp, err = img.interp(p); err != nil {
				return err
			}
		case elf.PT_LOAD:
			f.WX = f.WX || p.Flags&(elf.PF_W|elf.PF_X) == elf.PF_W|elf.PF_X
		case elf.PT_GNU_RELRO:
			f.Relro = f.Relro || p.Memsz > 0
		case elf.PT_GNU_STACK:
			// The kernel takes the last header, musl the largest size: of several, believe the worst.
			f.HasStackHeader = true
			f.ExecStack = f.ExecStack || p.Flags&elf.PF_X != 0
			f.StackSize = min(f.StackSize, p.Memsz)
		}
	}
	if !f.HasStackHeader {
		f.StackSize = 0
	}
	return nil
}

// dynamicFacts are those that stand in the table that PT_DYNAMIC points to.
func (img *image) dynamicFacts(f *Facts) error {
	dyn, err := img.dynamic()
	if err != nil {
		return err
	}
	f.Dynamic = dyn != nil
	f.Needed = img.names(dyn, elf.DT_NEEDED, elf.DT_AUXILIARY, elf.DT_FILTER)
	f.Rpath = img.names(dyn, elf.DT_RPATH)
	f.Runpath = img.names(dyn, elf.DT_RUNPATH)
	for _, d := range dyn {
		switch d.tag {
		case elf.DT_TEXTREL:
			f.TextRel = true
		case elf.DT_BIND_NOW:
			f.BindNow = true
		case elf.DT_FLAGS:
			f.TextRel = f.TextRel || elf.DynFlag(d.val)&elf.DF_TEXTREL != 0
			f.BindNow = f.BindNow || elf.DynFlag(d.val)&elf.DF_BIND_NOW != 0
		case elf.DT_FLAGS_1:
			f.BindNow = f.BindNow || elf.DynFlag1(d.val)&elf.DF_1_NOW != 0
			f.PIE = img.Type == elf.ET_DYN && elf.DynFlag1(d.val)&elf.DF_1_PIE != 0
		}
	}
	return img.relocationFacts(dyn, f)
}

// goFacts gives nil for every reason alike: to the gate, damaged build information is none. Without
// section headers debug/buildinfo looks in the first writable segment only, which is the RELRO one in
// a static-PIE, and finds nothing: such a file fails closed.
func goFacts(r io.ReaderAt) *GoFacts {
	info, err := buildinfo.Read(r)
	if err != nil {
		return nil
	}
	g := &GoFacts{Version: info.GoVersion, Path: info.Path, Settings: map[string]string{}}
	for _, s := range info.Settings {
		g.Settings[s.Key] = s.Value
	}
	return g
}
