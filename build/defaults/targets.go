package defaults

import (
	"debug/elf"

	"github.com/tcapflow/tcapflow/spec"
)

// Targets are all platforms that both bases can build for.
var Targets = spec.Targets{Built: built, LeftOut: leftOut}

// built is every platform that can be built.
var built = []spec.Target{
	{
		Name: "linux/amd64", GOARCH: "amd64", Triple: "x86_64-linux-musl",
		Debian: "amd64", GNU: "x86_64-linux-gnu", GCC: "x86_64-linux-gnu", Uapi: "x86",
		Alpine: "x86_64", QEMU: "x86_64",
		Class: elf.ELFCLASS64, Machine: elf.EM_X86_64, Data: elf.ELFDATA2LSB,
	},
	{
		Name: "linux/386", GOARCH: "386", Triple: "i386-linux-musl",
		Debian: "i386", GNU: "i386-linux-gnu", GCC: "i686-linux-gnu", Uapi: "x86",
		Alpine: "x86", QEMU: "i386",
		// Debian's clang takes i686 on its own, LLVM's pentium4, Alpine's pentium-m.
		CFlags: []string{"-march=i686"},
		Class:  elf.ELFCLASS32, Machine: elf.EM_386, Data: elf.ELFDATA2LSB,
	},
	{
		Name: "linux/arm64", GOARCH: "arm64", Triple: "aarch64-linux-musl",
		Debian: "arm64", GNU: "aarch64-linux-gnu", GCC: "aarch64-linux-gnu", Uapi: "arm64",
		Alpine: "aarch64", QEMU: "aarch64",
		Class: elf.ELFCLASS64, Machine: elf.EM_AARCH64, Data: elf.ELFDATA2LSB,
	},
	{
		Name: "linux/arm/v7", GOARCH: "arm", GOARM: "7", Triple: "arm-linux-musleabihf",
		Debian: "armhf", GNU: "arm-linux-gnueabihf", GCC: "arm-linux-gnueabihf", Uapi: "arm",
		Alpine: "armv7", QEMU: "arm",
		CFlags: []string{"-march=armv7-a", "-mfpu=vfpv3-d16", "-mfloat-abi=hard"},
		Class:  elf.ELFCLASS32, Machine: elf.EM_ARM, Data: elf.ELFDATA2LSB,
	},
	{
		Name: "linux/riscv64", GOARCH: "riscv64", Triple: "riscv64-linux-musl",
		Debian: "riscv64", GNU: "riscv64-linux-gnu", GCC: "riscv64-linux-gnu", Uapi: "riscv",
		Alpine: "riscv64", QEMU: "riscv64",
		Class: elf.ELFCLASS64, Machine: elf.EM_RISCV, Data: elf.ELFDATA2LSB,
	},
	{
		Name: "linux/ppc64le", GOARCH: "ppc64le", Triple: "powerpc64le-linux-musl",
		Debian: "ppc64el", GNU: "powerpc64le-linux-gnu", GCC: "powerpc64le-linux-gnu", Uapi: "powerpc",
		Alpine: "ppc64le", QEMU: "ppc64le",
		// musl has 64-bit long double on POWER; clang's default is 128.
		CFlags: []string{"-mlong-double-64"},
		Class:  elf.ELFCLASS64, Machine: elf.EM_PPC64, Data: elf.ELFDATA2LSB,
	},
	{
		Name: "linux/s390x", GOARCH: "s390x", Triple: "s390x-linux-musl",
		Debian: "s390x", GNU: "s390x-linux-gnu", GCC: "s390x-linux-gnu", Uapi: "s390",
		Alpine: "s390x", QEMU: "s390x",
		// Debian's and Alpine's clang take z196 on their own, LLVM's z10.
		CFlags: []string{"-march=z196"},
		Class:  elf.ELFCLASS64, Machine: elf.EM_S390, Data: elf.ELFDATA2MSB,
	},
}

// leftOut is what Go can build and we do not, with the reason.
var leftOut = map[string]string{
	"linux/arm/v5":   "Debian 13 and Alpine have no musl for a soft-float ARM",
	"linux/arm/v6":   "Debian's armhf start files and libgcc are ARMv7 code: the binary would stop on a v6 CPU",
	"linux/loong64":  "not in Debian 13; Alpine has it, but both bases must build a target",
	"linux/mips":     "no musl start files for static-PIE in Debian 13; Alpine dropped MIPS",
	"linux/mips64":   "as linux/mips",
	"linux/mips64le": "as linux/mips",
	"linux/mipsle":   "as linux/mips",
	"linux/ppc64":    "big-endian POWER is in neither Debian 13 nor Alpine",
}
