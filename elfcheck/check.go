package elfcheck

import (
	"debug/elf"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// DefaultMinStack is the least stack size in bytes when [Want] names none. musl reads p_memsz of
// PT_GNU_STACK at start-up and gives it to each new thread (src/env/__init_tls.c); without it a
// thread has 128 KiB (src/internal/pthread_impl.h, DEFAULT_STACK_SIZE), too little for C called from Go.
const DefaultMinStack = 1 << 20

// Want is what the plan says that a file must be. The zero Want asks for a static-PIE of any machine.
type Want struct {
	Class     elf.Class   // ELFCLASSNONE: any
	Machine   elf.Machine // EM_NONE: any
	Data      elf.Data    // byte order; ELFDATANONE: any
	NonPIE    string      // why this target may be ET_EXEC; empty: it must be a static-PIE
	MinStack  uint64      // bytes in PT_GNU_STACK's p_memsz; 0: DefaultMinStack, where there is C code
	Forbidden []string    // paths of the building machine, which may stand nowhere in the file
	Allowed   []Allowed   // texts which may, with the reason
	Go        *GoWant     // nil: not a Go program, or not checked
}

// GoWant is what the Go build information must say.
type GoWant struct {
	Version  string            // go1.26.8; empty: any
	Path     string            // main package; empty: any
	Settings map[string]string // each must be equal; "" means absent or empty
}

// Finding is one promise that a file breaks.
type Finding struct {
	Rule   string `json:"rule"`   // short and stable: interp, needed, relro, …
	Detail string `json:"detail"` // one line for a person who does not know ELF, with the next step
}

func (f Finding) String() string { return f.Rule + ": " + f.Detail }

// Static is the check for a file without a plan: all that "static" means, of any machine, with or
// without Go in it. A static file that is not position independent is refused.
func Static(f Facts) []Finding { return Want{}.Check(f) }

// Report is all that the gate has to say of a file.
type Report struct {
	Facts    Facts
	Findings []Finding   // none: it passes
	Allowed  []Exception // what would be a finding without an exception of the plan
}

// Examine inspects the file at path, checks it, and searches it for w.Forbidden. Errors do not name the
// path: the caller knows it.
func Examine(path string, w Want) (Report, error) {
	file, size, err := open(path)
	if err != nil {
		return Report{}, err
	}
	defer file.Close()
	return ExamineReader(file, size, w)
}

// ExamineReader is [Examine] for a file of size bytes.
func ExamineReader(r io.ReaderAt, size int64, w Want) (report Report, err error) {
	defer recovered(&err, func() { report = Report{} })
	r = io.NewSectionReader(r, 0, size)
	img, facts, err := inspect(r, size)
	if err != nil {
		return Report{}, err
	}
	l, err := newLeaks(img, w)
	if err != nil {
		return Report{}, err
	}
	if err := l.search(r, size); err != nil {
		return Report{}, err
	}
	leaked, allowed := l.report()
	return Report{facts, append(w.Check(facts), leaked...), allowed}, nil
}

// File is [Examine] for those who do not tell of exceptions.
func File(path string, w Want) (Facts, []Finding, error) {
	r, err := Examine(path, w)
	return r.Facts, r.Findings, err
}

// Check gives a finding for each promise that the facts break. It cannot see w.Forbidden: use [File].
func (w Want) Check(f Facts) []Finding {
	var r findings
	w.checkTarget(f, &r)
	w.checkStatic(f, &r)
	w.checkHardened(f, &r)
	w.checkStack(f, &r)
	w.checkTLS(f, &r)
	if w.Go != nil {
		w.Go.check(f.Go, &r)
	}
	return r
}

// findings gathers them.
type findings []Finding

func (r *findings) add(rule, format string, args ...any) {
	*r = append(*r, Finding{rule, fmt.Sprintf(format, args...)})
}

func (r *findings) unless(ok bool, rule, format string, args ...any) {
	if !ok {
		r.add(rule, format, args...)
	}
}

func (w Want) checkTarget(f Facts, r *findings) {
	const text = "%s, want %s: built for another target; look at the compiler's target and GOARCH"
	class, machine, order := w.Class.String(), w.Machine.String(), w.Data.String()
	r.unless(w.Class == elf.ELFCLASSNONE || f.Class == class, "class", text, f.Class, class)
	r.unless(w.Machine == elf.EM_NONE || f.Machine == machine, "machine", text, f.Machine, machine)
	r.unless(w.Data == elf.ELFDATANONE || f.ByteOrder == order, "byte-order", text, f.ByteOrder, order)
}

func (w Want) checkStatic(f Facts, r *findings) {
	r.unless(!f.library(), "program",
		"a shared library, not a program: build with -buildmode=pie and link with -static-pie, not -shared")
	// A file with a loader takes its libc from there, and has its addresses filled in by it.
	dynamic := f.Interp != "" || len(f.Needed) > 0 || f.library()
	r.unless(f.Interp == "", "interp", "%s", f.loaderText())
	r.unless(len(f.Needed) == 0, "needed",
		"needs shared libraries at run time (%s): link their static archives (.a) instead", quoted(f.Needed))
	r.unless(len(f.Rpath)+len(f.Runpath) == 0, "rpath",
		"searches for libraries in %s: drop -rpath from the linker flags",
		quoted(slices.Concat(f.Rpath, f.Runpath)))
	r.unless(f.SectionsLie == "", "sections",
		"%s: a tool rewrote the file wrongly; pack the linker's output as it is", f.SectionsLie)
	r.unless(f.Libc != "glibc" || dynamic, "glibc-dlopen",
		"holds glibc (%s), which loads files of the user's machine for names and locales even when it is "+
			"linked statically: link against musl", f.LibcEvidence)
	// glibc's own start-up code fills in every type (elf/dl-reloc-static-pie.c).
	filled := dynamic || f.Libc == "glibc" || len(f.Relocations.Others) == 0
	r.unless(filled, "relocations", "%s", f.Relocations.unfilled())
	r.unless(!f.TextRel, "textrel", "rewrites its own code at start-up: compile all C code with -fPIC or -fPIE")
}

// loaderText says in one line what a dynamic program asks of the machine that it runs on.
func (f Facts) loaderText() string {
	if len(f.Needed) == 0 {
		return fmt.Sprintf("starts only where the loader %q is installed: "+
			"link with -static-pie against musl", f.Interp)
	}
	return fmt.Sprintf("dynamically linked: starts only where the loader %q is installed, and the libraries "+
		"%s: link with -static-pie against musl, and each library as an archive (.a)", f.Interp, quoted(f.Needed))
}

// library tells a shared library, which has no loader of its own, from a program.
func (f Facts) library() bool { return f.Type == elf.ET_DYN.String() && !f.PIE && f.Interp == "" }

func (w Want) checkHardened(f Facts, r *findings) {
	exec := f.Type == elf.ET_EXEC.String()
	r.unless(f.PIE || f.library() || exec && w.NonPIE != "", "pie",
		"at a fixed address (%s), which helps whoever attacks it: build with -buildmode=pie and link with "+
			"-static-pie", f.Type)
	r.unless(!f.WX, "wx",
		"memory is both writable and executable: look for a linker script or the flag -N (--omagic)")
	r.unless(f.Relro, "relro", "tables of addresses stay writable: link with -z relro")
	// Without a dynamic table, nothing is left to bind.
	r.unless(f.BindNow || exec && !f.Dynamic, "bind-now",
		"addresses of functions are bound while the program runs: link with -z now")
}

func (w Want) checkStack(f Facts, r *findings) {
	if !f.HasStackHeader {
		// Then the kernel decides by machine and makes it executable on 386 (READ_IMPLIES_EXEC).
		r.add("stack-exec", "says nothing about its stack, which is then executable on some machines: "+
			"link with -z noexecstack")
		return
	}
	r.unless(!f.ExecStack, "stack-exec",
		"asks for an executable stack: link with -z noexecstack, and mark assembly with .note.GNU-stack")
	least := w.MinStack
	if least == 0 && f.holdsC() {
		least = DefaultMinStack
	}
	r.unless(f.StackSize >= least, "stack-size",
		"threads that C code starts get %s of stack, want %s: link with -z stack-size=%d",
		f.threadStack(), bytesText(least), least)
}

// threadStack is what a file without a size of its own gets, too.
func (f Facts) threadStack() string {
	if f.StackSize == 0 {
		return "only musl's 128 KiB"
	}
	return bytesText(f.StackSize)
}

// holdsC tells whether C code may start threads here: Go's own have stacks that Go makes.
func (f Facts) holdsC() bool { return f.Go == nil || f.Libc != "" }

func (w *GoWant) check(g *GoFacts, r *findings) {
	const rule = "buildinfo"
	if g == nil {
		r.add(rule, "holds no Go build information: link it with the go command, and do not rewrite it afterwards")
		return
	}
	r.unless(w.Version == "" || g.Version == w.Version, rule,
		"built with %q, the plan says %q: build anew", g.Version, w.Version)
	r.unless(w.Path == "" || g.Path == w.Path, rule,
		"main package is %q, the plan says %q: build that package", g.Path, w.Path)
	for _, key := range slices.Sorted(maps.Keys(w.Settings)) {
		got, want := g.Settings[key], w.Settings[key]
		r.unless(got == want, rule, "build setting %s is %q, the plan says %q: build anew", key, got, want)
	}
}

func quoted(names []string) string {
	q := make([]string, len(names))
	for i, n := range names {
		q[i] = fmt.Sprintf("%q", n)
	}
	return strings.Join(q, ", ")
}
