package image

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/tcapflow/tcapflow/pipeline/internal/debian"
	"github.com/tcapflow/tcapflow/pipeline/internal/debian/debiantest"
	"github.com/tcapflow/tcapflow/pipeline/internal/fetch"
	"github.com/tcapflow/tcapflow/pipeline/internal/key"
	"github.com/tcapflow/tcapflow/pipeline/internal/layer"
	"github.com/tcapflow/tcapflow/spec"
)

// goldenBuilder and goldenGo are what recipe and goRecipe stand for: a digest of all layers
// of a builder that is made of packages of the test's own, and of a toolchain's layer.
const (
	goldenBuilder = "debian builder 2 62341cf95ead9edc710f47f4"
	goldenGo      = "go 1 a3c7a22c742be04f0b330d7157323b77494ebf0ffa1836492cadf4fb6a63ac71"
)

// recipeTargets do not change with the table of targets.
var recipeTargets = spec.Targets{Built: []spec.Target{
	{Name: "linux/amd64", GOARCH: "amd64", Triple: "x86_64-linux-musl", Debian: "amd64",
		GNU: "x86_64-linux-gnu", GCC: "x86_64-linux-gnu", Uapi: "x86"},
	{Name: "linux/arm64", GOARCH: "arm64", Triple: "aarch64-linux-musl", Debian: "arm64",
		GNU: "aarch64-linux-gnu", GCC: "aarch64-linux-gnu", Uapi: "arm64"},
	{Name: "linux/arm/v7", GOARCH: "arm", GOARM: "7", Triple: "arm-linux-musleabihf", Debian: "armhf",
		GNU: "arm-linux-gnueabihf", GCC: "arm-linux-gnueabihf", Uapi: "arm", Alpine: "armv7"},
}}

// place makes a package with these files that lies in a cache.
func place(t *testing.T, cache *fetch.Cache, name, arch string, files map[string]string) debian.Package {
	t.Helper()
	deb, err := debiantest.Deb(files)
	if err != nil {
		t.Fatal(err)
	}
	file := cache.Path(debiantest.Digest(deb))
	if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, deb, 0o644)); err != nil {
		t.Fatal(err)
	}
	return debian.Package{Name: name, Version: "1.2.5-3", Arch: arch, SHA256: debiantest.Digest(deb), Size: int64(len(deb))}
}

// packaged is a base of one package of tools, and of one for each sysroot that has a file in
// each folder that is moved.
func packaged(t *testing.T) DebianBase {
	t.Helper()
	d := DebianBase{Targets: recipeTargets, Lock: debian.Lock{Suite: "trixie", Sets: map[string][]debian.Package{}}}
	d.Mirror = debian.Mirror{Cache: &fetch.Cache{Dir: t.TempDir()}}
	d.Spec.Tools, d.Spec.Sysroot = spec.PackageSet{Name: "tools"}, spec.PackageSet{Name: "sysroot"}
	d.Spec.Extras, d.Extras = []spec.PackageSet{{Name: "perl"}}, []string{"perl"}
	for _, arch := range []string{"amd64", "arm64"} {
		tool := place(t, d.Mirror.Cache, "clang", arch, map[string]string{
			"usr/bin/clang-19": arch, "bin/busybox": arch, "usr/share/man/man1/x.1": "no", "usr/share/locale/x": "no",
			"usr/share/doc/clang/copyright": "License: Apache-2.0\n",
		})
		d.Lock.Sets["tools/"+arch] = []debian.Package{tool}
		d.Lock.Sets["perl/"+arch] = []debian.Package{tool, place(t, d.Mirror.Cache, "perl", arch, map[string]string{"usr/bin/perl": arch})}
	}
	for _, target := range d.Targets.Built {
		files := map[string]string{"usr/share/doc/musl/copyright": "License: MIT\n", "usr/bin/musl-gcc": "no"}
		for _, name := range []string{
			"include/" + target.Triple + "/stdio.h", "lib/" + target.Triple + "/libc.a", "include/linux/types.h", "include/scsi/sg.h",
			"lib/linux/uapi/" + target.Uapi + "/asm/errno.h", "lib/gcc/" + target.GCC + "/14/libgcc.a", "lib/gcc/" + target.GCC + "/14/libasan.a",
			"lib/gcc/" + target.GCC + "/14/crtbeginS.o", "lib/gcc/" + target.GCC + "/14/include/stddef.h", "include/asm-generic/int.h",
			"include/mtd/m.h", "include/rdma/r.h", "include/sound/s.h", "include/video/v.h", "include/drm/d.h",
			"lib/gcc/" + target.GCC + "/14/libatomic.a", "lib/gcc/" + target.GCC + "/14/libgcc_eh.a", "lib/gcc/" + target.GCC + "/14/libstdc++.a",
		} {
			files["usr/"+name] = name
		}
		d.Lock.Sets["sysroot/"+target.Debian] = []debian.Package{place(t, d.Mirror.Cache, "musl", target.Debian, files)}
	}
	return d
}

func TestRecipe(t *testing.T) {
	d := packaged(t)
	words := []string{recipe}
	add := func(a assembled, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		id, err := a.layer.DiffID()
		if err != nil {
			t.Fatal(err)
		}
		words = append(words, id.Hex)
		for _, in := range a.inputs { // the digest of a package is up to who compresses it
			words = append(words, fmt.Sprint(in.Name, in.Version, in.Arch, in.Licences, in.For))
		}
	}
	for _, arch := range []string{"amd64", "arm64"} {
		add(d.tools(t.Context(), t.TempDir(), arch))
		add(d.extraTools(t.Context(), t.TempDir(), arch))
		for _, target := range withNative(arch, d.Targets.Built[1:]) {
			add(d.sysroot(t.Context(), t.TempDir(), target))
		}
	}
	last, err := d.last(t.Context(), t.TempDir(), Info{Base: "debian", Libc: d.libc(d.Targets.Built)})
	add(assembled{layer: last}, err)
	text, err := json.Marshal(config(nil))
	if err != nil {
		t.Fatal(err)
	}
	if got := recipe + " " + key.Of(append(words, string(text))...); got != goldenBuilder {
		t.Errorf("a builder is made otherwise now: raise the number of recipe, then write here\n%s", got)
	}
}

func TestGoRecipe(t *testing.T) {
	root := t.TempDir()
	for _, name := range []string{
		"VERSION", "bin/go", "bin/gofmt", "pkg/tool/linux_amd64/compile", "pkg/tool/linux_amd64/vet", "src/fmt/print.go",
		"src/fmt/print_test.go", "src/go/build/testdata/x.go", "src/cmd/go/main.go", "lib/time/zoneinfo.zip", "test/x.go",
	} {
		file := filepath.Join(root, filepath.FromSlash(name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte(name), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	l, err := layer.Assemble(t.Context(), t.TempDir(), func(w *layer.Writer) error { return GoTree(root, goInstalled, w) })
	if err != nil {
		t.Fatal(err)
	}
	id, err := l.DiffID()
	if err != nil {
		t.Fatal(err)
	}
	if got := goRecipe + " " + id.Hex; got != goldenGo {
		t.Errorf("a toolchain is laid down otherwise now: raise the number of goRecipe, then write here\n%s", got)
	}
}
