package spec

import (
	"debug/elf"
	"fmt"
	"slices"
	"strings"
)

// Target is a platform that binaries are built for, with the names that others have for it.
type Target struct {
	Name   string // as everywhere here: linux/arm/v7
	GOARCH string
	GOARM  string // of linux/arm only
	Triple string // clang's --target and the sysroot's name; the C library is musl
	Debian string // Debian's architecture
	GNU    string // Debian's multiarch triple, where linux-libc-dev and libgcc lie
	GCC    string // GCC's triple, which differs for i386
	Uapi   string // folder of asm/ headers in the kernel's user API
	Alpine string // Alpine's architecture
	QEMU   string // qemu-user's name for it
	CFlags []string

	Class   elf.Class
	Machine elf.Machine
	Data    elf.Data
	NonPIE  string // why it may be ET_EXEC; empty: static-PIE
}

// Targets is a table of platforms.
type Targets struct {
	Built   []Target          // in the order in which they are listed and built
	LeftOut map[string]string // what Go could build and the project does not, with the reason
}

// Dir is the target's folder below out/: linux_arm_v7.
func (t Target) Dir() string { return strings.ReplaceAll(t.Name, "/", "_") }

// Select returns the targets with these names, separated by commas, in the table's
// order; an empty list means all. Match is exact.
func (t Targets) Select(names string) ([]Target, error) {
	if names == "" {
		return t.Built, nil
	}
	wanted := strings.Split(names, ",")
	for i, name := range wanted {
		wanted[i] = strings.TrimSpace(name)
		if err := t.check(wanted[i]); err != nil {
			return nil, err
		}
	}
	var out []Target
	for _, row := range t.Built {
		if slices.Contains(wanted, row.Name) {
			out = append(out, row)
		}
	}
	return out, nil
}

func (t Targets) check(name string) error {
	if reason, ok := t.LeftOut[name]; ok {
		return fmt.Errorf("target %s is left out: %s", name, reason)
	}
	if !slices.Contains(Names(t.Built), name) {
		return fmt.Errorf("unknown target %q; known: %s", name, strings.Join(Names(t.Built), ", "))
	}
	return nil
}

// OfArch is the target of an architecture (GOARCH), also of one that nothing is built for:
// a project may build for arm64 alone, on an amd64 engine. Debian has Go's names for both
// that engines have.
func (t Targets) OfArch(arch string) Target {
	for _, row := range t.Built {
		if row.GOARCH == arch {
			return row
		}
	}
	return Target{Name: "linux/" + arch, GOARCH: arch, Debian: arch}
}

// Names lists targets' names.
func Names(targets []Target) []string {
	var out []string
	for _, t := range targets {
		out = append(out, t.Name)
	}
	return out
}
