package debian

import "github.com/tcapflow/tcapflow/spec"

// tools is what runs in the builder: one native clang for all targets, and what
// ./configure and make call. Only amd64 and arm64 engines have it.
var tools = spec.PackageSet{
	Name:     "tools",
	Arches:   []string{"amd64", "arm64"},
	Packages: []string{"busybox", "clang-19", "lld-19", "libclang-common-19-dev", "binutils", "make", "flex", "bison", "m4", "pkgconf-bin"},
	Skip: map[string]string{
		"libclang1-19":         "for IDEs; clang itself does not load it",
		"llvm-19-linker-tools": "plugins for link-time optimisation with GNU ld",
		"libstdc++-14-dev":     "C++ headers of the builder's own architecture",
		"libobjc-14-dev":       "Objective-C",
		"libgcc-14-dev":        "each sysroot has its target's own",
		"libc6-dev":            "nothing is compiled against glibc",
		"gcc-14-base":          "documentation",
		"libgprofng0":          "profiler of binutils",
		"debconf":              "asks questions at installation; nothing is installed",
	},
}

// sysroot is what a target's sysroot is made of: musl, the kernel's user API, and
// libgcc with the start files of GCC. C libraries of the project come on top.
var sysroot = spec.PackageSet{
	Name:      "sysroot",
	Arches:    []string{"amd64", "i386", "arm64", "armhf", "riscv64", "ppc64el", "s390x"},
	Packages:  []string{"musl", "musl-dev", "libgcc-14-dev", "linux-libc-dev"},
	NoDepends: true,
}

// qemu runs foreign binaries in tests: one static program for each architecture.
var qemu = spec.PackageSet{
	Name:      "qemu",
	Arches:    []string{"amd64", "arm64"},
	Packages:  []string{"qemu-user"},
	NoDepends: true,
}

// extras are what only some libraries need: a set is in the builder where a library of the
// project names it. One line makes another. What the builder has anyway is not put into it
// twice.
var extras = []spec.PackageSet{
	extra("perl", "perl"), // 55 MB unpacked
	extra("cmake", "cmake"),
	extra("ninja", "ninja-build"),
	extra("python3", "python3"),
}

func extra(name string, packages ...string) spec.PackageSet {
	return spec.PackageSet{Name: name, Arches: tools.Arches, Packages: packages, Skip: map[string]string{
		"debconf":     "asks questions at installation; nothing is installed",
		"gcc-14-base": "documentation",
		"procps":      "ps for scripts that nobody calls",
		"media-types": "types of files by their names; nobody asks",
		"tzdata":      "the builder lives in UTC",
		"netbase":     "names of protocols; there is no network",
		"dpkg":        "nothing is installed",
	}}
}
