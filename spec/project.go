// Package spec has the types of what a project is: its program, the C libraries that it
// links, the platforms, and the places where the result must run. It is the ground floor:
// values of these types are made in build/, and read by package pipeline.
package spec

import "slices"

// Project is the program to build and the C libraries that it links.
type Project struct {
	Name      string // of the binary
	Summary   string // one line, for packages and images
	Main      string // the main package, relative to the module
	Namespace Namespace
	Tags      []string // Go build tags
	Stamp     Stamp
	Libraries []Library
	Allowed   []Allowed // texts that the gate lets pass although they hold a path of the building machine
	// Capabilities are what the program in the images may take on, as after `setcap …=p`:
	// nobody can call setcap in an image that has no shell.
	Capabilities []Capability
	Checks       []Check // the project's own, beside those that every project has

	Targets Targets  // empty, as each of the following: the library's
	Distros []Distro // where the packed result is run
	// Scenarios are what is run there; empty: nothing but the program's start.
	Scenarios []Scenario
	Debian    Debian
	Alpine    Alpine
	Runtime   Image
}

// Locked are the package sets that the lock of Debian's packages holds.
func (p Project) Locked() []PackageSet {
	sets := []PackageSet{p.Debian.Tools, p.Debian.Sysroot, p.Runtime.Packages, p.Debian.QEMU}
	return append(sets, p.Debian.Extras...)
}

// Extras names the tools that the libraries need beyond those of every builder, sorted.
func (p Project) Extras() (names []string) {
	for _, l := range p.Linked() {
		names = append(names, l.Tools...)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Linked are the libraries in the order in which they are compiled, each after those that
// it needs. Where a library that is needed stands in the project itself, that one is taken.
func (p Project) Linked() (all []Library) {
	done := map[string]bool{}
	var add func(Library)
	add = func(l Library) {
		if done[l.Name] {
			return
		}
		done[l.Name] = true
		for _, needed := range l.Needs {
			add(p.library(needed))
		}
		all = append(all, l)
	}
	for _, l := range p.Libraries {
		add(l)
	}
	return all
}

// Earlier are the libraries that may be compiled into one of Linked: what it needs, and
// what those need, or, where it does not say, all before it.
func (p Project) Earlier(l Library) (earlier []Library) {
	linked := p.Linked()
	wanted := map[string]bool{}
	var want func(Library)
	want = func(l Library) {
		for _, needed := range l.Needs {
			wanted[needed.Name] = true
			want(p.library(needed))
		}
	}
	want(l)
	for _, other := range linked {
		if other.Name == l.Name {
			break
		}
		if l.Needs == nil || wanted[other.Name] {
			earlier = append(earlier, other)
		}
	}
	return earlier
}

func (p Project) library(otherwise Library) Library {
	for _, l := range p.Libraries {
		if l.Name == otherwise.Name {
			return l
		}
	}
	return otherwise
}

// Allowed is an exception to the rule that no path of the building machine (checkout, home, cache folder)
// stands in a binary. It is for text that is there on purpose, or that came with a prebuilt archive; for
// paths that a compiler wrote, look at its flags instead.
type Allowed struct {
	Text   string // as it stands in the binary: "/home/runner/src/libfoo"; what holds it passes, no more
	Reason string // one line for whoever checks the release; `mage verify` prints it
}

// Capability is the number of a Linux capability (linux/capability.h).
type Capability uint8

// CapNetRaw is for packet sockets, packet(7).
const CapNetRaw Capability = 13

// Stamp names the string variables that the linker sets (go tool link -X); an empty
// name is not set.
type Stamp struct {
	Version, Commit, Date, Libc string
}

// Library is a C library, built from pinned source as a static archive.
type Library struct {
	Name    string
	Version string
	Licence string // SPDX expression
	// URLs are tried in order; "{debian}" stands for the Debian mirror.
	URLs   []string
	SHA256 string
	// DebianSource is the source package whose version stands in, with a warning and
	// never in a release, when none of the URLs answers.
	DebianSource string
	// Folders of the source that are unpacked; empty: all of it.
	Folders []string
	// Link has what the linker is told for every program of the project, where its source
	// does not say so itself: "-lc++".
	Link []string
	// Needs are libraries that this one is compiled against and linked with. Where it is nil,
	// all that stand before it in the project may be; an empty list says that none is.
	Needs []Library
	// Tools names those of Debian.Extras that the script calls: "perl".
	Tools []string
	// LeftOut are targets that it cannot be built for, with the reason.
	LeftOut map[string]string
	// Build is a POSIX sh script that runs in the unpacked source with no network. It has
	// CC, CFLAGS, LDFLAGS, AR, RANLIB and TRIPLE for the target, TARGET and GOARCH (its
	// names here and in Go), MAKEFLAGS, PKG_CONFIG for what was compiled before it,
	// CC_FOR_BUILD for programs that it runs itself, and CMAKE_TOOLCHAIN_FILE. It installs
	// below $DESTDIR/usr.
	Build string
}
