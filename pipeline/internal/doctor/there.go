package doctor

import (
	"debug/elf"
	"fmt"
	"path"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/tcapflow/tcapflow/elfcheck"
)

// There is the place where a program is to run. What is not known of it is empty.
type There struct {
	Name string // image debian:12, this machine, rhel8
	Arch string // GOARCH

	libc  string // glibc, musl or none
	glibc string // its version: 2.36
	root  root   // nil: its files are not known
	image bool   // root is an image's
	env   []string
	ports []int // that the image says it listens on
	user  string
	uid   int
	gid   int
}

// systems are places that people name, with what their C library is. The versions are those
// that the distributions list for the package glibc or libc6 of the release.
var systems = []struct{ name, libc, version string }{
	{"debian10", "glibc", "2.28"}, {"debian11", "glibc", "2.31"}, {"debian12", "glibc", "2.36"},
	{"debian13", "glibc", "2.41"},
	{"ubuntu18.04", "glibc", "2.27"}, {"ubuntu20.04", "glibc", "2.31"}, {"ubuntu22.04", "glibc", "2.35"},
	{"ubuntu24.04", "glibc", "2.39"},
	{"rhel7", "glibc", "2.17"}, {"rhel8", "glibc", "2.28"}, {"rhel9", "glibc", "2.34"}, {"rhel10", "glibc",
		"2.39"},
	{"amazonlinux2", "glibc", "2.26"}, {"amazonlinux2023", "glibc", "2.34"}, {"sles15", "glibc", "2.31"},
	{"alpine", "musl", ""}, {"distroless", "none", ""}, {"scratch", "none", ""},
}

// System is a place by name: debian12, rhel8, alpine, scratch. The error lists the known ones.
func System(name, arch string) (There, error) {
	var known []string
	for _, s := range systems {
		known = append(known, s.name)
		if s.name != name {
			continue
		}
		t := There{Name: name, Arch: arch, libc: s.libc, glibc: s.version}
		if s.libc == "none" {
			t.root = newStored() // nothing is in it but the program
			if name == "distroless" {
				t.root = distroless()
			}
		}
		return t, nil
	}
	return There{}, fmt.Errorf("unknown system %q; known: %s", name, strings.Join(known, ", "))
}

// distroless is the static image of distroless, as far as programs look at it.
func distroless() root {
	s := newStored()
	s.add("/etc/ssl/certs/ca-certificates.crt", entry{mode: 0o644})
	s.add("/usr/share/zoneinfo/UTC", entry{mode: 0o644})
	s.add("/etc/passwd", entry{mode: 0o644})
	return s
}

// Anywhere is a place of which nothing is known but, perhaps, its machine.
func Anywhere(arch string) There {
	name := "any Linux"
	if arch != "" {
		name += " on " + arch
	}
	return There{Name: name, Arch: arch}
}

// Host is this machine. Where it is no Linux, any Linux is meant.
func Host() There {
	if runtime.GOOS != "linux" {
		return Anywhere("")
	}
	t := There{Name: "this machine", Arch: hostArch, root: host{}}
	t.learn()
	return t
}

// For is the place that is meant for a program. Where nobody names one and nothing was seen,
// a program for another machine was not meant for this one.
func (t There) For(p Program, message string) There {
	if _, here := t.root.(host); here && message == "" && p.kind == nil && !runsOn(p.goarch(), t.Arch) {
		return Anywhere(p.goarch())
	}
	if t.Arch == "" && t.libc != "" && p.kind == nil {
		t.Arch = p.goarch() // a system by name is there for every machine
	}
	return t
}

// learn finds out from the files what the place's C library is.
func (t *There) learn() {
	t.libc = "none"
	for _, dir := range []string{"/lib", "/usr/lib"} {
		for _, name := range t.root.list(dir) {
			if strings.HasPrefix(name, "ld-musl-") && there(t.root, path.Join(dir, name)) {
				t.libc = "musl"
			}
		}
	}
	for _, dir := range append(defaultFolders, multiarch(t.Arch)...) {
		name := path.Join(dir, "libc.so.6")
		p, err := newLibrary(t.root, name)
		if err != nil || p.kind != nil || p.goarch() != t.Arch {
			continue
		}
		if version := newest(p.needs.Provides); version != "" {
			t.libc, t.glibc = "glibc", version
			return
		}
	}
}

// newest is the highest of GLIBC_2.N, as "2.N"; "" where there is none.
func newest(versions []string) (highest string) {
	for _, v := range versions {
		number, ok := strings.CutPrefix(v, "GLIBC_")
		if v == "GLIBC_ABI_DT_RELR" {
			number = "2.36" // the first that has it
		}
		if ok && number[:1] != "P" && (highest == "" || older(highest, number)) {
			highest = number
		}
	}
	return highest
}

// older compares versions of numbers with dots between.
func older(a, b string) bool {
	numbers := func(text string) (list []int) {
		for _, word := range strings.Split(text, ".") {
			n, _ := strconv.Atoi(word)
			list = append(list, n)
		}
		return list
	}
	return slices.Compare(numbers(a), numbers(b)) < 0
}

// machines are GOARCH, and what uname(1) and Debian's multiarch call it, by elf.h's name.
var machines = map[string]struct{ goarch, uname, multiarch string }{
	"EM_X86_64/2":  {"amd64", "x86_64", "x86_64-linux-gnu"},
	"EM_386/1":     {"386", "i386", "i386-linux-gnu"},
	"EM_AARCH64/2": {"arm64", "aarch64", "aarch64-linux-gnu"},
	"EM_ARM/1":     {"arm", "armhf", "arm-linux-gnueabihf"},
	"EM_RISCV/2":   {"riscv64", "riscv64", "riscv64-linux-gnu"},
	"EM_S390/2":    {"s390x", "s390x", "s390x-linux-gnu"},
	"EM_PPC64/2":   {"ppc64le", "powerpc64le", "powerpc64le-linux-gnu"},
}

func goarchOf(f elfcheck.Facts) string {
	bits := "2"
	if f.Class == elf.ELFCLASS32.String() {
		bits = "1"
	}
	if f.Machine == elf.EM_PPC64.String() && f.ByteOrder == elf.ELFDATA2MSB.String() {
		return "ppc64"
	}
	if m, ok := machines[f.Machine+"/"+bits]; ok {
		return m.goarch
	}
	return strings.ToLower(strings.TrimPrefix(f.Machine, "EM_"))
}

// runsOn tells whether the CPU of a machine starts programs of another without emulation:
// where its kernel can, and those of distributions can.
func runsOn(program, machine string) bool {
	return program == machine || program == "386" && machine == "amd64" || program == "arm" &&
		machine == "arm64"
}

// defaultFolders are where dynamic linkers look at last, ld.so(8).
var defaultFolders = []string{"/lib", "/usr/lib", "/lib64", "/usr/lib64"}

// multiarch are Debian's folders, which its dynamic linker knows beside the default ones.
func multiarch(goarch string) []string {
	for _, m := range machines {
		if m.goarch == goarch {
			return []string{"/lib/" + m.multiarch, "/usr/lib/" + m.multiarch}
		}
	}
	return nil
}
