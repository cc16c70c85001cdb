package elfcheck

import (
	"debug/elf"
	"fmt"
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
	MinStack  uint64      // bytes in PT_GNU_STACK's p_memsz; 0: DefaultMinStack
	Forbidden []string    // byte strings which may stand nowhere in the file (host paths)
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

// File inspects the file at path, checks it, and searches it for w.Forbidden.
func File(path string, w Want) (Facts, []Finding, error) {
	file, size, err := open(path)
	if err != nil {
		return Facts{}, nil, err
	}
	defer file.Close()
	facts, err := InspectReader(file, size)
	if err != nil {
		return Facts{}, nil, fmt.Errorf("%s: %w", path, err)
	}
	leaks, err := forbidden(file, size, w.Forbidden)
	if err != nil {
		return Facts{}, nil, fmt.Errorf("%s: %w", path, err)
	}
	return facts, append(w.Check(facts), leaks...), nil
}

// Check gives a finding for each promise that the facts break. It cannot see w.Forbidden: use [File].
func (w Want) Check(f Facts) []Finding {
	var r report
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

// report gathers findings.
type report []Finding

func (r *report) add(rule, format string, args ...any) {
	*r = append(*r, Finding{rule, fmt.Sprintf(format, args...)})
}

func (r *report) unless(ok bool, rule, format string, args ...any) {
	if !ok {
		r.add(rule, format, args...)
	}
}

func (w Want) checkTarget(f Facts, r *report) {
	const next = "built for another target; look at the compiler's target and GOARCH"
	r.unless(w.Class == elf.ELFCLASSNONE || f.Class == w.Class.String(), "class", "%s, want %s: %s", f.Class, w.Class, next)
	r.unless(w.Machine == elf.EM_NONE || f.Machine == w.Machine.String(), "machine", "%s, want %s: %s", f.Machine, w.Machine, next)
	r.unless(w.Data == elf.ELFDATANONE || f.ByteOrder == w.Data.String(), "byte-order", "%s, want %s: %s", f.ByteOrder, w.Data, next)
}

func (w Want) checkStatic(f Facts, r *report) {
	r.unless(f.Interp == "", "interp",
		"starts only where the loader %q is installed: link with -static-pie against musl", f.Interp)
	r.unless(len(f.Needed) == 0, "needed",
		"needs shared libraries at run time (%s): link their static archives (.a) instead", quoted(f.Needed))
	r.unless(len(f.Rpath)+len(f.Runpath) == 0, "rpath",
		"searches for libraries in %s: drop -rpath from the linker flags", quoted(slices.Concat(f.Rpath, f.Runpath)))
	r.unless(f.SectionsLie == "", "sections",
		"%s: a tool rewrote the file wrongly; pack the linker's output as it is", f.SectionsLie)
	// A file with a loader takes its libc from there; interp and needed have said so.
	dynamic := f.Interp != "" || len(f.Needed) > 0
	r.unless(f.Libc != "glibc" || dynamic, "glibc-dlopen",
		"holds glibc (%s), which loads files of the user's machine for names and locales even when it is linked statically: link against musl", f.LibcEvidence)
}

func (w Want) checkHardened(f Facts, r *report) {
	exec := f.Type == elf.ET_EXEC.String()
	if w.NonPIE == "" {
		r.unless(f.PIE, "pie", "%s, but no position independent program: build with -buildmode=pie and link with -static-pie", f.Type)
	} else {
		r.unless(f.PIE || exec, "pie", "%s, but no program: link an executable", f.Type)
	}
	r.unless(!f.TextRel, "textrel", "rewrites its own code at start-up: compile all C code with -fPIC or -fPIE")
	r.unless(!f.WX, "wx", "memory is both writable and executable: look for a linker script or the flag -N (--omagic)")
	r.unless(f.Relro, "relro", "tables of addresses stay writable: link with -z relro")
	// Without a dynamic table, nothing is left to bind.
	r.unless(f.BindNow || exec && !f.Dynamic, "bind-now", "addresses of functions are bound while the program runs: link with -z now")
}

func (w Want) checkStack(f Facts, r *report) {
	if !f.HasStackHeader {
		// Then the kernel decides by machine and makes it executable on 386 (READ_IMPLIES_EXEC).
		r.add("stack-exec", "says nothing about its stack, which is then executable on some machines: link with -z noexecstack")
		return
	}
	r.unless(!f.ExecStack, "stack-exec", "asks for an executable stack: link with -z noexecstack, and mark assembly with .note.GNU-stack")
	least := w.MinStack
	if least == 0 {
		least = DefaultMinStack
	}
	r.unless(f.StackSize >= least, "stack-size",
		"threads that C code starts get %s of stack by this file, want %s: link with -z stack-size=%d", bytesText(f.StackSize), bytesText(least), least)
}

func (w *GoWant) check(g *GoFacts, r *report) {
	const rule = "buildinfo"
	if g == nil {
		r.add(rule, "holds no Go build information: link it with the go command, and do not rewrite it afterwards")
		return
	}
	r.unless(w.Version == "" || g.Version == w.Version, rule, "built with %q, the plan says %q: build anew", g.Version, w.Version)
	r.unless(w.Path == "" || g.Path == w.Path, rule, "main package is %q, the plan says %q: build that package", g.Path, w.Path)
	for _, key := range slices.Sorted(maps.Keys(w.Settings)) {
		r.unless(g.Settings[key] == w.Settings[key], rule, "build setting %s is %q, the plan says %q: build anew", key, g.Settings[key], w.Settings[key])
	}
}

func quoted(names []string) string {
	q := make([]string, len(names))
	for i, n := range names {
		q[i] = fmt.Sprintf("%q", n)
	}
	return strings.Join(q, ", ")
}
