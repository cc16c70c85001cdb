package debian

import "github.com/tcapflow/tcapflow/spec"

// tools is what runs in the builder: one native clang for all targets, and what
// ./configure and make call. Only amd64 and arm64 engines have it.
var tools = spec.PackageSet{
	Name:     "tools",
	Arches:   []string{"amd64", "arm64"},
	Packages: []string{"busybox", "clang-19", "lld-19", "libclang-common-19-dev", "binutils", "make", "flex", "bison", "m4"},
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
