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
		"libasan.a": false, "libatomic.a": false, "libgcc_s.so": false, "libgcov.a": false, "plugin/x.so": false,
	} {
		if got := gccFile(name); got != want {
			t.Errorf("gccFile(%q) = %v", name, got)
		}
	}
}

// A tool that a library asks for changes every key of its project, and is an error where
// no set of packages has that name. What every builder has comes in once.
func TestExtras(t *testing.T) {
	plain, perl, unknown := debianBase(t), debianBase(t), debianBase(t)
	perl.Extras, unknown.Extras = []string{"ninja", "perl"}, []string{"rust"}
	target := defaults.Targets.Built[:1]
	without, err := plain.Builder("amd64", target)
	if err != nil {
		t.Fatal(err)
	}
	with, err := perl.Builder("amd64", target)
	if err != nil || with.Keys[target[0].Name] == without.Keys[target[0].Name] {
		t.Errorf("keys %v and %v, %v", without.Keys, with.Keys, err)
	}
	if _, err := unknown.Builder("amd64", target); err == nil {
		t.Error("a tool that is in no set is no error")
	}
	packages, err := perl.extras("amd64")
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, p := range packages {
		if names[p.Name] || p.Name == "libc6" {
			t.Errorf("%s comes in twice", p.Name)
		}
		names[p.Name] = true
	}
	if !names["perl-base"] || !names["ninja-build"] {
		t.Errorf("got %v", names)
	}
}

// Programs that a library runs itself are compiled against the builder's own sysroot, which
// is there whatever the targets are.
func TestNative(t *testing.T) {
	for arch, triple := range map[string]string{"amd64": "x86_64-linux-musl", "arm64": "aarch64-linux-musl"} {
		for _, target := range defaults.Targets.Built {
			got := withNative(arch, []spec.Target{target})
			n := 0
			for _, row := range got {
				if row.Triple == triple {
					n++
				}
			}
			if n != 1 || got[0].Name != target.Name {
				t.Errorf("%s on %s: %v", target.Name, arch, spec.Names(got))
			}
		}
	}
}
