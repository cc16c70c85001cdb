package build

// PackageSet is a list of Debian packages that are unpacked together.
type PackageSet struct {
	Name     string
	Arches   []string // Debian's architectures that it is locked for
	Packages []string
	// Skip names packages that a dependency asks for and the set leaves out, with the reason.
	Skip      map[string]string
	NoDepends bool // take the listed packages alone
	Base      bool // and every Essential and required package: a bootable root
}

// Tools is what runs in the builder: one native clang for all targets, and what
// ./configure and make call. Only amd64 and arm64 engines have it.
var Tools = PackageSet{
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

// Sysroot is what a target's sysroot is made of: musl, the kernel's user API, and
// libgcc with the start files of GCC. C libraries of the project come on top.
var Sysroot = PackageSet{
	Name:      "sysroot",
	Arches:    []string{"amd64", "i386", "arm64", "armhf", "riscv64", "ppc64el", "s390x"},
	Packages:  []string{"musl", "musl-dev", "libgcc-14-dev", "linux-libc-dev"},
	NoDepends: true,
}

// Runtime is what the distroless image holds beside the binary.
var Runtime = PackageSet{
	Name:      "runtime",
	Arches:    []string{"amd64"}, // both are for all architectures
	Packages:  []string{"ca-certificates", "tzdata"},
	NoDepends: true,
}

// QEMU runs foreign binaries in tests: one static program for each architecture.
var QEMU = PackageSet{
	Name:      "qemu",
	Arches:    []string{"amd64", "arm64"},
	Packages:  []string{"qemu-user"},
	NoDepends: true,
}

// Locked are the sets that build/debian/lock.json holds.
var Locked = []PackageSet{Tools, Sysroot, Runtime, QEMU}
