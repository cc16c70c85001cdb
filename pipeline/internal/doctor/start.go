package doctor

import (
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/tcapflow/tcapflow/elfcheck"
)

// machine compares the CPU that the program is for with that of the place.
func (d *patient) machine() {
	is := d.goarch()
	switch {
	case d.Arch == "":
		d.ok("machine", "for %s", is)
	case is == d.Arch:
		d.ok("machine", "for %s, as %s is", is, d.There.Name)
	case runsOn(is, d.Arch):
		d.add(OK, "machine", []symptom{execFormat}, "", "",
			"for %s, which %s runs where its kernel has the 32-bit mode", is, d.Arch)
	default:
		d.fail("machine", []symptom{execFormat},
			fmt.Sprintf("build it for linux/%s, or take an image of --platform linux/%s", d.Arch, is),
			string(execFormat), "it is for %s, and %s is %s", is, d.There.Name, d.Arch)
	}
	if level := d.setting("GOAMD64"); level > "v1" {
		d.warn("cpu", []symptom{illegal}, "build with GOAMD64=v1, which is Go's default", string(illegal),
			"compiled for GOAMD64=%s: it starts on newer CPUs only", level)
	}
}

// mode looks for lost x bits, on the file and on the folders that lead to it.
func (d *patient) mode() {
	leads := []symptom{denied, notInPath}
	const next = "`COPY --chmod=0755`, or chmod before it is packed; a zip or an upload as an artifact loses modes"
	if d.entry.mode.Perm()&0o111 == 0 {
		d.fail("mode", leads, next, "permission denied", "%s has mode %04o: nobody may start it", d.name,
			d.entry.mode.Perm())
		return
	}
	if !d.image {
		d.ok("mode", "%04o", d.entry.mode.Perm())
		return
	}
	if !d.entry.may(d.uid, d.gid, 1) {
		d.fail("mode", leads, next, "permission denied",
			"%s has mode %04o and owner %d:%d: user %s may not start it",
			d.name, d.entry.mode.Perm(), d.entry.uid, d.entry.gid, d.user)
		return
	}
	for dir := path.Dir(d.real); dir != "/"; dir = path.Dir(dir) {
		if e, ok := d.root.entry(dir); ok && !e.may(d.uid, d.gid, 1) {
			d.fail("mode", leads, "give the folder mode 0755", "permission denied",
				"%s has mode %04o and owner %d:%d: user %s gets nowhere below it", dir, e.mode.Perm(),
				e.uid, e.gid, d.user)
			return
		}
	}
	d.ok("mode", "%04o, which user %s may start", d.entry.mode.Perm(), d.user)
}

// mount looks whether the file system forbids to start programs.
func (d *patient) mount() {
	if !d.local || d.image {
		return
	}
	at, err := filepath.Abs(d.real)
	if err != nil {
		return
	}
	if noexec, nosuid := mountFlags(at); noexec {
		d.fail("mount", []symptom{denied},
			"copy it elsewhere, or `mount -o remount,exec`; `findmnt -T FILE` shows the options",
			"permission denied", "the file system that %s is on is mounted noexec", d.name)
	} else if nosuid && d.entry.caps {
		d.fail("mount", []symptom{notPermitted, noCapture}, "copy it elsewhere", "operation not permitted",
			"the file system that %s is on is mounted nosuid: the file's capabilities do not count", d.name)
	}
}

// shape is whether the file is a program at all, and starts by itself where it says so.
func (d *patient) shape() {
	if d.setting("-buildmode") == "c-shared" {
		d.warn("kind", []symptom{staticTLS, crash},
			"link it into the program as an archive (-buildmode=c-archive)",
			"initial-exec TLS resolves to dynamic definition",
			"a Go library for C: musl cannot load it while a program runs, as Go's g is thread-local in the initial-exec model")
		return
	}
	if d.dynamic() {
		return
	}
	if strings.HasPrefix(d.needs.Soname, "ld-") {
		d.ok("start", "a dynamic linker, which is a library and starts all the same")
		return
	}
	for _, f := range elfcheck.Static(d.facts) {
		switch f.Rule {
		case "program", "relocations", "tls", "textrel":
			d.fail("start", []symptom{crash}, "", "segmentation fault", "%s", f.Detail)
		}
	}
	if !d.failed("start") {
		d.ok("start", "static: it needs no other file to start")
	}
}

// loader looks for the dynamic linker, without which the kernel says that the program is not there.
func (d *patient) loader() {
	name := d.facts.Interp
	if name == "" {
		return
	}
	const static = "`mage static` links it so that it needs none"
	leads := []symptom{noFile}
	if d.libc == "" && d.root == nil {
		d.warn("loader", leads, static, string(noFile), "it starts only where %s is, %s", name, d.whose())
		return
	}
	if d.root == nil {
		if mine := d.libcOf(); mine != d.libc {
			d.fail("loader", leads, static, string(noFile), "it needs %s, %s, and %s", name, d.whose(),
				d.has())
			return
		}
		d.ok("loader", "%s, as in %s", name, d.There.Name)
		return
	}
	real, e, err := resolve(d.root, name)
	switch {
	case err != nil:
		d.fail("loader", leads, static, string(noFile), "it needs %s, %s: %v; %s", name, d.whose(), err,
			d.has())
	case e.mode.Perm()&0o111 == 0:
		d.fail("loader", []symptom{denied}, "chmod 0755 "+real, "permission denied",
			"its loader %s has mode %04o", real, e.mode.Perm())
	default:
		d.ok("loader", "%s is there", name)
	}
}

// whose says whose loader the program needs.
func (d *patient) whose() string {
	switch d.libcOf() {
	case "musl":
		return "the loader of musl (Alpine)"
	case "glibc":
		return "the loader of glibc (Debian, Ubuntu, RHEL)"
	}
	return "a loader"
}

// has says which C library the place has.
func (d *patient) has() string {
	switch d.libc {
	case "musl":
		return d.There.Name + " has musl"
	case "glibc":
		return fmt.Sprintf("%s has glibc %s", d.There.Name, d.glibc)
	}
	return d.There.Name + " has no C library"
}

// missingLibraries tells what of the libraries is not there, or not for this machine.
func (d *patient) missingLibraries() {
	if d.failed("loader") && d.libc == "none" {
		d.fail("libraries", []symptom{noLibrary}, "", "", "and %s, none of which is in %s",
			strings.Join(d.facts.Needed, ", "), d.There.Name)
		return
	}
	found := 0
	for _, l := range d.libs {
		if l.err == nil {
			found++
			continue
		}
		why := "it is in no folder of the linker's"
		if m, ok := firstMissing(l.err); ok {
			why = m.Error()
		} else if strings.Contains(l.err.Error(), errWrongMachine.Error()) {
			why = errWrongMachine.Error()
		}
		d.fail("libraries", []symptom{noLibrary}, "link its archive (.a) instead, or install it there",
			fmt.Sprintf("error while loading shared libraries: %s: cannot open shared object file", l.name),
			"%s needs %s: %s", l.by, l.name, why)
	}
	if found == len(d.libs) {
		d.ok("libraries", "all %d are there", found)
	}
}

// firstMissing is the dangling link among the errors of a library.
func firstMissing(err error) (m missing, ok bool) {
	joined, isJoin := err.(interface{ Unwrap() []error })
	if !isJoin {
		return m, false
	}
	for _, e := range joined.Unwrap() {
		if m, ok := e.(missing); ok && m.link != "" {
			return m, true
		}
	}
	return m, false
}

// twoLibcs is a process that would hold glibc and musl. Each sets up threads and their
// variables in its own way: the second finds the thread pointer of the first.
func (d *patient) twoLibcs() {
	var glibc, musl string
	for _, l := range append(slices.Clone(d.libs), library{at: d.Program, name: d.name}) {
		for _, name := range l.at.facts.Needed {
			switch {
			case name == "libc.so.6":
				glibc = l.name
			case strings.HasPrefix(name, "libc.musl-"), strings.HasPrefix(name, "ld-musl-"):
				musl = l.name
			}
		}
	}
	if glibc == "" || musl == "" {
		return
	}
	d.fail("two C libraries", []symptom{crash, staticTLS, noSymbol, noLibrary},
		"take all libraries from one distribution, or link statically (`mage static`)",
		"segmentation fault, or errors about TLS",
		"%s wants glibc (libc.so.6) and %s wants musl: in one process their thread-local storage clashes",
		glibc, musl)
}

// symbols looks for what the libraries there do not define, where a C library stands in for another.
func (d *patient) symbols() {
	if d.libcOf() != "glibc" || d.libc != "musl" || d.failed("loader", "libraries") {
		return
	}
	defined := map[string]bool{}
	for _, l := range d.libs {
		for _, s := range l.at.needs.Exports {
			defined[s] = true
		}
	}
	var gone []string
	for _, s := range d.needs.Imports {
		if !defined[s] {
			gone = append(gone, s)
		}
	}
	const next = "`mage static` links it against musl itself"
	if len(gone) > 0 {
		d.fail("symbols", []symptom{noSymbol, crash, staticTLS}, next,
			"Error relocating …: "+gone[0]+": symbol not found",
			"built for glibc; what stands in for it in %s does not define %s", d.There.Name,
			strings.Join(gone[:min(4, len(gone))], ", "))
		return
	}
	d.warn("symbols", []symptom{noSymbol, crash, staticTLS}, next, "crashes, or errors about TLS",
		"built for glibc; in %s musl stands in for it (gcompat), which is not all of it: thread-local storage is laid out otherwise", d.There.Name)
}

// versions compares the versions of symbols with those that the libraries there have.
func (d *patient) versions() {
	wanted := map[string][]string{}
	for name, list := range d.needs.Versions {
		wanted[name] = list
	}
	const next = "link it statically against musl (`mage static`), or build it on an older system"
	if d.root == nil {
		if highest := newest(wanted["libc.so.6"]); d.libc == "glibc" && highest != "" {
			if older(d.glibc, highest) {
				d.fail("glibc", []symptom{glibcVersion}, next, fmt.Sprintf("version `GLIBC_%s' not found",
					highest),
					"it wants glibc %s, and %s has %s", highest, d.There.Name, d.glibc)
			} else {
				d.ok("glibc", "it wants %s, and %s has %s", highest, d.There.Name, d.glibc)
			}
		} else if highest != "" && d.libc == "" {
			d.warn("glibc", []symptom{glibcVersion}, next, fmt.Sprintf("version `GLIBC_%s' not found",
				highest),
				"it wants glibc %s or newer", highest)
		}
		return
	}
	d.versionsOf(d.Program, next)
	for _, l := range d.libs {
		if l.err == nil {
			d.versionsOf(l.at, next)
		}
	}
}

// versionsOf looks for the versions that a file wants of each library.
func (d *patient) versionsOf(p Program, next string) {
	for name, list := range p.needs.Versions {
		i := slices.IndexFunc(d.libs, func(l library) bool { return l.name == name && l.err == nil })
		if i < 0 || len(d.libs[i].at.needs.Provides) == 0 {
			continue // not there, which was said, or without versions, as musl's
		}
		for _, v := range list {
			if slices.Contains(d.libs[i].at.needs.Provides, v) {
				continue
			}
			d.fail("glibc", []symptom{glibcVersion}, next,
				fmt.Sprintf("version `%s' not found (required by %s)", v, p.name),
				"%s wants %s of %s, and %s has none; %s", p.name, v, name, d.There.Name, d.has())
		}
	}
}

// whoBroughtC names the packages for which a Go program is dynamic.
func (d *patient) whoBroughtC() {
	if !d.isGo() || !d.dynamic() || d.setting("-buildmode") == "c-shared" {
		return
	}
	s := OK
	if d.failed("loader", "libraries", "glibc", "symbols", "two C libraries") || d.libc == "" {
		s = Warn
	}
	switch brought := slices.DeleteFunc(slices.Clone(d.needs.Cgo),
		func(n string) bool { return n == "runtime/cgo" }); {
	case len(brought) > 0 && allIn(brought, "net", "os/user"):
		d.add(s, "cgo", nil,
			"CGO_ENABLED=0 go build, or -tags netgo,osusergo: Go has its own code for both", "",
			"built with CGO_ENABLED=1, and only for %s, which call the C library if they may",
			strings.Join(brought, " and "))
	case len(brought) > 0:
		d.add(s, "cgo", nil,
			"`mage static` builds it with C, and static; or leave out what needs C and build with CGO_ENABLED=0", "",
			"C came in through %s; a build that was to be CGO_ENABLED=0 was CGO_ENABLED=%s",
			strings.Join(brought, ", "), d.setting("CGO_ENABLED"))
	case d.setting("-buildmode") == "pie":
		d.add(s, "cgo", nil,
			"leave out -buildmode=pie, or link with -linkmode=external -extldflags=-static-pie as `mage static` does", "",
			"no C in it: -buildmode=pie makes Go's own linker name a loader")
	default:
		d.add(s, "cgo", nil,
			"look for a package that loads libraries without cgo, such as purego: `go list -deps`", "",
			"no package calls C by cgo (CGO_ENABLED=%s), and yet it needs a loader", d.setting("CGO_ENABLED"))
	}
}

func allIn(list []string, of ...string) bool {
	return !slices.ContainsFunc(list, func(s string) bool { return !slices.Contains(of, s) })
}
