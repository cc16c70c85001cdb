package doctor

import (
	"bytes"
	"debug/elf"
	"io"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// machines are the GOARCHs of ELF machines, by elfcheck's name and class.
var machines = map[string]string{
	"EM_X86_64": "amd64", "EM_386": "386", "EM_AARCH64": "arm64", "EM_ARM": "arm",
	"EM_RISCV": "riscv64", "EM_PPC64": "ppc64le", "EM_S390": "s390x", "EM_LOONGARCH": "loong64",
}

// program looks at an ELF program, in the order in which the kernel and the loader do.
func (d *diagnosis) program() {
	if !d.rightMachine() {
		return
	}
	if d.facts.Interp != "" && !d.interpreter() {
		return
	}
	if d.facts.Interp != "" || len(d.facts.Needed) > 0 {
		d.libraries()
		d.versions()
	}
	if d.facts.Interp == "" && d.facts.Libc == "glibc" {
		d.add(Warn, "libc", "build it on musl (`mage static`), or for host names with -tags netgo,osusergo",
			"it is linked with glibc, statically: host names, users and character sets still load files of glibc, "+
				"of the very version that it was linked with (%s)", d.facts.LibcEvidence)
	}
	d.cgo()
	d.surroundings()
}

func (d *diagnosis) rightMachine() bool {
	arch, known := machines[d.facts.Machine]
	if !known || len(d.place.GOARCH) == 0 || slices.Contains(d.place.GOARCH, arch) {
		return true
	}
	d.add(Fail, "machine", "take the file for that architecture; an image needs --platform, a host qemu-user",
		"it is for %s, and %s runs %s (exec format error)", arch, d.place.Name, strings.Join(d.place.GOARCH, " and "))
	return false
}

// interpreter tells whether the loader that the program names is there. The kernel
// answers ENOENT for the program when it is not, execve(2).
func (d *diagnosis) interpreter() bool {
	if d.there(d.facts.Interp) {
		return true
	}
	next := "build it static (`mage static`), or take an image with that C library"
	switch {
	case isMusl(d.facts.Interp) && d.hasGlibc():
		d.add(Fail, "interpreter", next, "it was built for musl (its loader is %s), and %s has glibc: "+
			"no such file or directory", d.facts.Interp, d.place.Name)
	case !isMusl(d.facts.Interp) && d.hasMusl():
		d.add(Fail, "interpreter", next+"; gcompat does not replace glibc for a Go program",
			"it was built for glibc (its loader is %s), and %s has musl: no such file or directory",
			d.facts.Interp, d.place.Name)
	default:
		d.add(Fail, "interpreter", next, "its loader %s is not in %s: no such file or directory", d.facts.Interp, d.place.Name)
	}
	return false
}

func isMusl(interp string) bool { return strings.Contains(interp, "ld-musl-") }

func (d *diagnosis) hasMusl() bool { return d.any("lib/ld-musl-*.so.1") }

func (d *diagnosis) hasGlibc() bool {
	return d.any("lib*/ld-linux*.so.*") || d.any("lib/*/ld-linux*.so.*") || d.any("usr/lib*/ld-linux*.so.*") ||
		d.any("usr/lib/*/ld-linux*.so.*")
}

func (d *diagnosis) any(pattern string) bool { return len(glob(d.place.Root, pattern)) > 0 }

// libraries looks for what DT_NEEDED names, where ld.so(8) and musl look by default. The
// cache of ld.so is not read: folders that it adds are those of /etc/ld.so.conf.
func (d *diagnosis) libraries() {
	for _, name := range d.facts.Needed {
		if strings.Contains(name, "/") && d.there(name) || len(d.find(name)) > 0 {
			continue
		}
		d.add(Fail, "library", "install it there, or link it in: `mage static` builds it from source",
			"%s is not in %s: error while loading shared libraries", name, d.place.Name)
	}
	if isMusl(d.facts.Interp) && slices.ContainsFunc(d.facts.Needed, func(n string) bool { return n == "libc.so.6" }) {
		d.add(Fail, "libc", "build all of it against one C library",
			"it starts with musl's loader and needs glibc's libc.so.6: both keep thread-local data at one place, and it crashes")
	}
}

var defaultFolders = []string{
	"lib", "usr/lib", "usr/local/lib", "lib64", "usr/lib64", "usr/local/lib64", "lib/*-linux-*", "usr/lib/*-linux-*",
}

// find returns the paths of a library.
func (d *diagnosis) find(name string) (all []string) {
	folders := slices.Clone(defaultFolders)
	for _, list := range slices.Concat(d.facts.Rpath, d.facts.Runpath) {
		for folder := range strings.SplitSeq(list, ":") {
			folder = strings.NewReplacer("$ORIGIN", path.Dir("/"+d.real), "${ORIGIN}", path.Dir("/"+d.real)).Replace(folder)
			folders = append(folders, path.Clean("/" + folder)[1:])
		}
	}
	for _, folder := range folders {
		for _, found := range glob(d.place.Root, folder+"/"+name) {
			if _, err := follow(d.place.Root, found); err == nil {
				all = append(all, found)
			}
		}
	}
	return all
}

// glibcRelease is in glibc's libc.so.6, csu/version.c.
var glibcRelease = regexp.MustCompile(`GNU C Library [^\n]*? version ([0-9]+\.[0-9]+)`)

// versions compares the versions of glibc's symbols that the program wants with what is there.
func (d *diagnosis) versions() {
	wants := d.wantsGlibc()
	if wants == "" {
		return
	}
	for _, libc := range d.find("libc.so.6") {
		real, err := follow(d.place.Root, libc)
		if err != nil {
			continue
		}
		text, err := readLimited(d.place.Root, real, 64<<20)
		if err != nil {
			continue
		}
		m := glibcRelease.FindSubmatch(text)
		if m == nil || !newer(wants, string(m[1])) {
			return
		}
		d.add(Fail, "glibc", "build it on a system as old as the oldest that it must run on, or static (`mage static`)",
			"it wants glibc %s, and %s has %s: version `GLIBC_%[1]s' not found", wants, d.place.Name, m[1])
		return
	}
}

// wantsGlibc is the newest GLIBC_2.N that the program's symbols ask for; "": none.
func (d *diagnosis) wantsGlibc() (newest string) {
	needs, err := d.file.DynamicVersionNeeds()
	if err != nil {
		return ""
	}
	for _, need := range needs {
		for _, dep := range need.Needs {
			if v, ok := strings.CutPrefix(dep.Dep, "GLIBC_"); ok && (newest == "" || newer(v, newest)) {
				newest = v
			}
		}
	}
	return newest
}

// newer compares versions such as 2.36 and 2.4 by their numbers.
func newer(a, b string) bool {
	as, bs := strings.Split(a, "."), strings.Split(b, ".")
	for i := range min(len(as), len(bs)) {
		x, errX := strconv.Atoi(as[i])
		y, errY := strconv.Atoi(bs[i])
		if errX != nil || errY != nil {
			return false // GLIBC_PRIVATE and the like
		}
		if x != y {
			return x > y
		}
	}
	return len(as) > len(bs)
}

// cgo says what brought C into a Go program that needs it from the system.
func (d *diagnosis) cgo() {
	if d.facts.Go == nil || d.facts.Interp == "" {
		return
	}
	packages := cgoPackages(d.file)
	if len(packages) == 0 {
		return
	}
	const next = "CGO_ENABLED=0 leaves C out where nothing else needs it; `mage static` links it in"
	d.add(Warn, "cgo", next, "it is a Go program with C in it, which came with %s", strings.Join(packages, ", "))
	for _, p := range []struct{ name, tag, what string }{
		{"net", "netgo", "host names are looked up"}, {"os/user", "osusergo", "users are looked up"},
	} {
		if slices.Contains(packages, p.name) {
			d.add(Warn, p.name, "build with -tags "+p.tag, "%s through the C library: it needs that, and NSS's modules, at run time", p.what)
		}
	}
}

// cgoFunction is how cgo names the Go side of a C function, cmd/cgo/out.go.
var cgoFunction = regexp.MustCompile(`([\pL\pN_./~%-]+)\._C(?:2)?func_`)

// cgoPackages are the import paths of packages that call C, out of the names of functions
// that Go keeps for its traces, also in a stripped program.
func cgoPackages(file *elf.File) (packages []string) {
	for _, s := range file.Sections {
		if s.Type != elf.SHT_PROGBITS || s.Size > 256<<20 || !strings.Contains(s.Name, "pclntab") {
			continue
		}
		text, err := s.Data()
		if err != nil {
			continue
		}
		for name := range bytes.SplitSeq(text, []byte{0}) {
			if m := cgoFunction.FindSubmatch(name); m != nil && len(name) < 1000 {
				// Dots of the last element are escaped in symbols, cmd/internal/objabi/path.go.
				packages = append(packages, strings.ReplaceAll(string(m[1]), "%2e", "."))
			}
		}
	}
	slices.Sort(packages)
	return slices.DeleteFunc(slices.Compact(packages), func(p string) bool { return p == "runtime/cgo" })
}

// surroundings looks for files that programs want without naming them in their headers. They
// are missing in images alone.
func (d *diagnosis) surroundings() {
	if !d.place.Image || d.facts.Go == nil {
		return
	}
	uses := goPackages(d.file)
	if uses["crypto/x509"] && !d.anyOf(certificates) {
		d.add(Warn, "certificates", "add ca-certificates.crt to the image, or import golang.org/x/crypto/x509roots/fallback",
			"it can speak TLS, and %s has no CA certificates: x509: certificate signed by unknown authority", d.place.Name)
	}
	if uses["time.LoadLocation"] && !uses["time/tzdata"] && !d.anyOf([]string{"usr/share/zoneinfo/UTC", "usr/share/zoneinfo/Europe"}) {
		d.add(Warn, "time zones", "add tzdata to the image, or import _ \"time/tzdata\"",
			"it can load time zones, and %s has none: unknown time zone", d.place.Name)
	}
}

// certificates are where Go looks, crypto/x509/root_linux.go.
var certificates = []string{
	"etc/ssl/certs/ca-certificates.crt", "etc/pki/tls/certs/ca-bundle.crt", "etc/ssl/ca-bundle.pem",
	"etc/pki/tls/cacert.pem", "etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", "etc/ssl/cert.pem",
}

func (d *diagnosis) anyOf(names []string) bool {
	return slices.ContainsFunc(names, func(n string) bool { return d.there(n) })
}

// goPackages tells which of some packages and functions are linked in.
func goPackages(file *elf.File) map[string]bool {
	wanted := map[string][]byte{
		"crypto/x509":       []byte("\x00crypto/x509.(*Certificate).Verify\x00"),
		"time.LoadLocation": []byte("\x00time.LoadLocation\x00"),
		"time/tzdata":       []byte("\x00time/tzdata."),
	}
	found := map[string]bool{}
	for _, s := range file.Sections {
		if s.Type != elf.SHT_PROGBITS || s.Size > 256<<20 || !strings.Contains(s.Name, "pclntab") {
			continue
		}
		text, err := io.ReadAll(s.Open())
		if err != nil {
			continue
		}
		for name, mark := range wanted {
			found[name] = found[name] || bytes.Contains(text, mark)
		}
	}
	return found
}
