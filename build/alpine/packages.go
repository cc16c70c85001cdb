package alpine

import "github.com/tcapflow/tcapflow/spec"

// tools is what runs in the builder: one native clang for all targets, and what
// ./configure and make call. clang22 and lld22 are LLVM's default in 3.24: another branch
// has other numbers.
var tools = spec.PackageSet{
	Name:     "tools",
	Arches:   []string{"x86_64", "aarch64"},
	Packages: []string{"busybox", "clang22", "lld22", "binutils", "make", "flex", "bison", "m4", "pkgconf"},
	Skip: map[string]string{
		"gcc":                 "each sysroot has its target's start files and libgcc",
		"musl-dev":            "each sysroot has its target's own",
		"libstdc++-dev":       "C++ headers of the builder's own architecture",
		"fortify-headers":     "of the builder's own architecture; the plan does not ask for them",
		"llvm22-linker-tools": "plugins for link-time optimisation with GNU ld",
		"/bin/sh":             "busybox's, a link that the image has",
	},
}

// sysroot is what a target's sysroot is made of: musl, the kernel's user API, and of GCC the
// start files and libgcc. C libraries of the project come on top. Of gcc a hundredth is
// taken; libgcc-static has nearly all of it, but not libgcc_eh.a, which clang links into
// every static program.
var sysroot = spec.PackageSet{
	Name:      "sysroot",
	Arches:    []string{"x86_64", "x86", "aarch64", "armv7", "riscv64", "ppc64le", "s390x"},
	Packages:  []string{"musl", "musl-dev", "linux-headers", "gcc"},
	NoDepends: true,
}
