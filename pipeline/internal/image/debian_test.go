package image

import (
	"testing"

	"github.com/tcapflow/tcapflow/build/defaults"

	bd "github.com/tcapflow/tcapflow/build/debian"
	"github.com/tcapflow/tcapflow/pipeline/internal/debian"
	"github.com/tcapflow/tcapflow/spec"
)

func debianBase(t *testing.T) DebianBase {
	t.Helper()
	lock, err := debian.ParseLock(bd.Base.Lock)
	if err != nil {
		t.Fatal(err)
	}
	return DebianBase{Spec: bd.Base, Targets: defaults.Targets, Lock: lock, Toolchain: Toolchain{Version: "go1.26.8"}}
}

// A target's key changes with what its binaries can see, and with nothing else: neither
// with the other targets of the builder nor with a package of theirs.
func TestDebianKeys(t *testing.T) {
	keys := func(d DebianBase, arch string, targets ...string) map[string]string {
		t.Helper()
		var list []spec.Target
		for _, target := range defaults.Targets.Built {
			for _, name := range targets {
				if target.Name == name {
					list = append(list, target)
				}
			}
		}
		b, err := d.Builder(arch, list)
		if err != nil {
			t.Fatal(err)
		}
		return b.Keys
	}
	base := keys(debianBase(t), "amd64", "linux/amd64", "linux/386")
	if alone := keys(debianBase(t), "amd64", "linux/amd64"); alone["linux/amd64"] != base["linux/amd64"] {
		t.Error("the key depends on what else is built")
	}
	if base["linux/amd64"] == base["linux/386"] {
		t.Error("two targets have one key")
	}
	if other := keys(debianBase(t), "arm64", "linux/amd64"); other["linux/amd64"] == base["linux/amd64"] {
		t.Error("the key does not depend on the engine's tools")
	}
	newer := debianBase(t)
	newer.Toolchain.Version = "go1.26.9"
	if keys(newer, "amd64", "linux/amd64")["linux/amd64"] == base["linux/amd64"] {
		t.Error("the key does not depend on the toolchain")
	}
	patched := debianBase(t)
	packages, err := patched.Lock.Packages(bd.Base.Sysroot, "i386")
	if err != nil {
		t.Fatal(err)
	}
	packages[0].SHA256 = "00" + packages[0].SHA256[2:]
	after := keys(patched, "amd64", "linux/amd64", "linux/386")
	if after["linux/386"] == base["linux/386"] || after["linux/amd64"] != base["linux/amd64"] {
		t.Error("a package of i386 must change the key of linux/386 alone")
	}
}

// Both engine architectures can build every target from the committed lock.
func TestDebianLockIsComplete(t *testing.T) {
	for _, arch := range bd.Base.Tools.Arches {
		if b, err := debianBase(t).Builder(arch, defaults.Targets.Built); err != nil || len(b.Keys) != len(defaults.Targets.Built) {
			t.Errorf("%s: %v", arch, err)
		}
	}
	if got, want := debianBase(t).libc(defaults.Targets.Built)[:5], "musl "; got != want {
		t.Errorf("libc is %q…", got)
	}
}

func TestGCCFile(t *testing.T) {
	for name, want := range map[string]bool{
		"crtbeginS.o": true, "crtendS.o": true, "libgcc.a": true, "libgcc_eh.a": true, "include/stdint.h": true,
		"libasan.a": false, "libgcc_s.so": false, "libgcov.a": false, "plugin/x.so": false,
	} {
		if got := gccFile(name); got != want {
			t.Errorf("gccFile(%q) = %v", name, got)
		}
	}
}
