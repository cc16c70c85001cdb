package image

import (
	"archive/tar"
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	ba "github.com/tcapflow/tcapflow/build/alpine"
	"github.com/tcapflow/tcapflow/build/defaults"
	"github.com/tcapflow/tcapflow/pipeline/internal/alpine"
	at "github.com/tcapflow/tcapflow/pipeline/internal/alpine/alpinetest"
	"github.com/tcapflow/tcapflow/pipeline/internal/fetch"
	"github.com/tcapflow/tcapflow/pipeline/internal/key"
	"github.com/tcapflow/tcapflow/pipeline/internal/layer"
	"github.com/tcapflow/tcapflow/spec"
)

var update = flag.Bool("update", false, "write golden files")

var archiveKey = sync.OnceValues(func() (at.Key, error) { return at.NewKey("test-0001.rsa.pub") })

// alpineTools are the packages of tools of a small archive, with files as Alpine has them.
var alpineTools = map[string][]func(*tar.Writer) error{
	"musl": {at.File("lib/ld-musl-x86_64.so.1", 0o755, "ld"),
		at.Link(tar.TypeSymlink, "lib/libc.musl-x86_64.so.1", "ld-musl-x86_64.so.1")},
	"busybox": {at.File("bin/busybox", 0o755, "busybox"), at.File("etc/securetty", 0o644, "console\n"),
		at.File("usr/share/man/x", 0o644, "x")},
	"clang22": {at.File("usr/lib/llvm22/bin/clang-22", 0o755, "clang"),
		at.Link(tar.TypeSymlink, "usr/lib/llvm22/bin/clang", "clang-22")},
	"lld22": {at.File("usr/bin/lld", 0o755, "lld"), at.Link(tar.TypeSymlink, "usr/bin/ld.lld", "lld")},
	"binutils": {at.File("usr/bin/ar", 0o755, "ar"), at.File("usr/bin/ranlib", 0o755, "ranlib"),
		at.File("usr/bin/readelf", 0o755, "readelf")},
	"make":    {at.File("usr/bin/make", 0o755, "make")},
	"flex":    {at.File("usr/bin/flex", 0o755, "flex")},
	"bison":   {at.File("usr/bin/bison", 0o755, "bison")},
	"pkgconf": {at.File("usr/bin/pkgconf", 0o755, "pkgconf")},
	"m4":      {at.File("usr/bin/m4", 0o755, "m4"), at.File("usr/bin/sed", 0o755, "not busybox's")},
}

// alpineSysroot are those of a sysroot.
func alpineSysroot(arch string) map[string][]func(*tar.Writer) error {
	gcc := "usr/lib/gcc/" + arch + "-alpine-linux-musl/15.2.0/"
	loader := "lib/ld-musl-" + arch + ".so.1"
	return map[string][]func(*tar.Writer) error{
		"musl": {at.File(loader, 0o755, "libc of "+arch),
			at.Link(tar.TypeSymlink, "lib/libc.musl-"+arch+".so.1", loader[4:])},
		"musl-dev": {at.File("usr/include/stdio.h", 0o644, "h"), at.File("usr/lib/crt1.o", 0o644, "o"),
			at.File("usr/lib/rcrt1.o", 0o644, "o"),
			at.File("usr/lib/crti.o", 0o644, "o"), at.File("usr/lib/crtn.o", 0o644,
				"o"), at.File("usr/lib/libc.a", 0o644, "a"),
			at.Link(tar.TypeSymlink, "usr/lib/libc.so", "../../"+loader), at.File("usr/bin/getconf", 0o755,
				"x")},
		"linux-headers": {at.File("usr/include/linux/if_packet.h", 0o644, "h"),
			at.File("usr/include/asm/types.h", 0o644, "h")},
		"gcc": {at.File(gcc+"crtbeginS.o", 0o644, "o"), at.File(gcc+"crtendS.o", 0o644, "o"),
			at.File(gcc+"libgcc.a", 0o644, "a"),
			at.File(gcc+"libgcc_eh.a", 0o644, "a"), at.File(gcc+"libgcov.a", 0o644,
				"a"), at.File(gcc+"include/stddef.h", 0o644, "h"),
			at.File(gcc+"plugin/include/tree.h", 0o644, "h"), at.File("usr/libexec/gcc/cc1", 0o755,
				"x"), at.File("usr/bin/gcc", 0o755, "x")},
	}
}

// smallArchive serves those packages for an amd64 engine and all targets, and gives a base
// that is locked to them. edit changes what a set of an architecture has.
func smallArchive(t *testing.T, edit func(set string,
	packages map[string][]func(*tar.Writer) error)) AlpineBase {
	t.Helper()
	key, err := archiveKey()
	if err != nil {
		t.Fatal(err)
	}
	files, stanzas := map[string][]byte{}, map[string][]string{}
	publish := func(set, arch string, packages map[string][]func(*tar.Writer) error) {
		edit(set+"/"+arch, packages)
		for _, name := range slices.Sorted(maps.Keys(packages)) {
			p := at.Package{Name: name, Version: "1.2.6-r3", Arch: arch, Licence: "MIT"}
			if name == "musl" {
				p.Provides = "so:libc.musl-" + arch + ".so.1=1"
			} else {
				p.Depends = "so:libc.musl-" + arch + ".so.1"
			}
			a, err := key.Package(p, at.All(packages[name]...))
			if err != nil {
				t.Fatal(err)
			}
			files["v3.24/"+a.Path(set+"/"+arch)] = a.Text
			stanzas[set+"/"+arch] = append(stanzas[set+"/"+arch], a.Stanza)
		}
	}
	publish("tools", "x86_64", maps.Clone(alpineTools))
	arches := ba.Base.Sysroot.Arches
	for _, arch := range arches {
		publish("sysroot", arch, alpineSysroot(arch))
	}
	for place, list := range stanzas {
		index, err := key.Index("v3.24.0", at.Day, list...)
		if err != nil {
			t.Fatal(err)
		}
		files["v3.24/"+place+"/APKINDEX.tar.gz"] = index
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(files[strings.TrimPrefix(r.URL.Path, "/")]))
	}))
	t.Cleanup(server.Close)
	mirror := alpine.Mirror{URLs: []string{server.URL}, Branch: "v3.24", Keys: key.Keys(arches...),
		Cache: &fetch.Cache{Dir: t.TempDir()}}
	lock := alpine.Lock{Branch: "v3.24"}
	for repository, set := range map[string]spec.PackageSet{"tools": ba.Base.Tools,
		"sysroot": ba.Base.Sysroot} {
		if set.Name == "tools" {
			set.Arches = []string{"x86_64"}
		}
		mirror.Repositories = []string{repository} // tools and sysroots of one architecture have other files here
		got, err := mirror.Resolve(t.Context(), []spec.PackageSet{set})
		if err != nil {
			t.Fatal(err)
		}
		lock = lock.With(got)
	}
	return AlpineBase{Spec: ba.Base, Targets: defaults.Targets, Mirror: mirror, Lock: lock,
		Toolchain: Toolchain{Version: "go1.26.8"}, Temp: t.TempDir()}
}

func asItIs(string, map[string][]func(*tar.Writer) error) {}

// layerNames lists a layer's files and links; a link with where it leads.
func layerNames(t *testing.T, l interface{ Uncompressed() (io.ReadCloser, error) }) []string {
	t.Helper()
	r, err := l.Uncompressed()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var found []string
	for entries := tar.NewReader(r); ; {
		h, err := entries.Next()
		if errors.Is(err, io.EOF) {
			slices.Sort(found)
			return found
		}
		if err != nil {
			t.Fatal(err)
		}
		if h.Typeflag != tar.TypeDir {
			found = append(found, strings.TrimSuffix(h.Name+" "+h.Linkname, " "))
		}
	}
}

// A key changes with what a binary can see, and with nothing else.
func TestAlpineKeys(t *testing.T) {
	base := smallArchive(t, asItIs)
	key := func(a AlpineBase, targets []spec.Target) string {
		t.Helper()
		b, err := a.Builder("amd64", targets)
		if err != nil || len(b.Keys) != len(targets) || b.Base != "alpine" || b.Arch != "amd64" {
			t.Fatalf("%+v, %v", b, err)
		}
		return b.Keys["linux/amd64"]
	}
	all := defaults.Targets.Built
	was := key(base, all)
	if key(base, all[:1]) != was {
		t.Error("the key depends on what else is built")
	}
	elsewhere := base
	elsewhere.Mirror.URLs = []string{"https://mirror.example/alpine"}
	if key(elsewhere, all) != was {
		t.Error("the key depends on the mirror")
	}
	newer := base
	newer.Toolchain.Version = "go1.26.9"
	if key(newer, all) == was {
		t.Error("the key does not depend on the toolchain")
	}
	for set, changes := range map[string]bool{"tools/x86_64": true, "sysroot/x86_64": true,
		"sysroot/x86": false} {
		patched := base
		packages := slices.Clone(base.Lock.Sets[set])
		packages[0].SHA256 = strings.Repeat("0", 64)
		patched.Lock = base.Lock.With(alpine.Lock{Sets: map[string][]alpine.Package{set: packages}})
		if (key(patched, all) != was) != changes {
			t.Errorf("a package of %s: want another key: %v", set, changes)
		}
	}
	if _, err := base.Builder("arm64", all); !errors.Is(err, alpine.ErrNotLocked) {
		t.Errorf("an engine whose tools are not locked: %v", err)
	}
	if got := base.libc(all); got != "musl 1.2.6" {
		t.Errorf("libc is %q", got)
	}
}

// The committed lock is whole, or names nothing.
func TestAlpineLock(t *testing.T) {
	lock, err := alpine.ParseLock(ba.Base.Lock)
	if err != nil || lock.Branch != ba.Base.Branch {
		t.Fatalf("%v, of %s", err, lock.Branch)
	}
	a := AlpineBase{Spec: ba.Base, Targets: defaults.Targets, Lock: lock,
		Toolchain: Toolchain{Version: "go1.26.8"}}
	for _, arch := range []string{"amd64", "arm64"} {
		_, err := a.Builder(arch, defaults.Targets.Built)
		if lock.Empty() != errors.Is(err, alpine.ErrNotLocked) {
			t.Errorf("%s: %v", arch, err)
		}
	}
}

// Each target's sysroot lies where clang looks, with nothing else in it.
func TestAlpineSysroots(t *testing.T) {
	a := smallArchive(t, asItIs)
	for _, target := range defaults.Targets.Built {
		part, err := a.sysroot(t.Context(), t.TempDir(), target)
		if err != nil {
			t.Fatal(err)
		}
		root := "sysroot/" + target.Triple + "/usr/"
		gcc := root + "lib/gcc/" + target.Triple + "/15.2.0/"
		want := []string{
			root + "include/asm/types.h", root + "include/linux/if_packet.h", root + "include/stdio.h",
			root + "lib/crt1.o", root + "lib/crti.o", root + "lib/crtn.o",
			gcc + "crtbeginS.o", gcc + "crtendS.o", gcc + "libgcc.a", gcc + "libgcc_eh.a",
			root + "lib/libc.a", root + "lib/libc.so", root + "lib/rcrt1.o",
		}
		if got := layerNames(t, part.layer); !slices.Equal(got, want) {
			t.Errorf("%s: got %q\nwant %q", target.Name, got, want)
		}
		if in := part.inputs[0]; len(part.inputs) != 4 || in.For != target.Name || in.Licences[0] != "MIT" ||
			len(in.SHA256) != 64 || in.Arch != target.Alpine {
			t.Errorf("inputs: %+v", part.inputs)
		}
	}
}

func TestAlpineSysrootLacks(t *testing.T) {
	amd64 := defaults.Targets.Built[0]
	for pkg, lacks := range map[string]string{
		"musl-dev": "have no include/stdio.h", "linux-headers": "have no include/linux/if_packet.h", "gcc": "have not one crtbeginS.o",
	} {
		a := smallArchive(t, func(set string, packages map[string][]func(*tar.Writer) error) {
			if set == "sysroot/x86_64" {
				packages[pkg] = []func(*tar.Writer) error{at.File("usr/other", 0o644, "x")}
			}
		})
		if _, err := a.sysroot(t.Context(), t.TempDir(), amd64); err == nil ||
			!strings.Contains(err.Error(), lacks) {
			t.Errorf("without %s: %v", pkg, err)
		}
	}
}

// What packages' scripts would make is made; what a package has is left to it.
func TestAlpineTools(t *testing.T) {
	a := smallArchive(t, asItIs)
	part, err := a.tools(t.Context(), t.TempDir(), "amd64")
	if err != nil {
		t.Fatal(err)
	}
	names := layerNames(t, part.layer)
	for _, want := range []string{"usr/bin/busybox", "usr/bin/sed", "usr/lib/ld-musl-x86_64.so.1",
		"usr/lib/llvm22/bin/clang clang-22", "usr/bin/ld.lld lld"} {
		if !slices.Contains(names, want) {
			t.Errorf("no %s in %q", want, names)
		}
	}
	if slices.Contains(names, "usr/share/man/x") {
		t.Error("manuals are taken")
	}
	own, err := a.own(part.names, "amd64", Info{Base: "alpine", Suite: "v3.24"})
	if err != nil {
		t.Fatal(err)
	}
	links := map[string]string{}
	for _, e := range own {
		links[e.Name] = e.Link
	}
	for name, to := range map[string]string{"bin": "usr/bin", "usr/bin/clang": "../lib/llvm22/bin/clang",
		"usr/bin/clang++": "clang", "usr/bin/pkg-config": "pkgconf", "usr/bin/sh": "busybox", "usr/bin/awk": "busybox"} {
		if links[name] != to {
			t.Errorf("%s leads to %q, want %q", name, links[name], to)
		}
	}
	for _, name := range []string{"usr/bin/sed", "usr/bin/ld.lld", "usr/bin/m4"} {
		if _, made := links[name]; made {
			t.Errorf("%s is made though a package has it", name)
		}
	}
	delete(part.names, "usr/lib/llvm22/bin/clang")
	if _, err := a.own(part.names, "amd64", Info{}); err == nil || !strings.Contains(err.Error(), "have no clang") {
		t.Errorf("without a compiler: %v", err)
	}
}

// An engine refuses a layer that names a path twice.
func TestAlpineCommonFile(t *testing.T) {
	a := smallArchive(t, func(set string, packages map[string][]func(*tar.Writer) error) {
		if set == "tools/x86_64" {
			packages["make"] = []func(*tar.Writer) error{at.File("usr/bin/make", 0o755, "make"),
				at.File("usr/bin/m4", 0o755, "mine")}
		}
	})
	const want = "several packages of tools/x86_64 have usr/bin/m4"
	if _, err := a.tools(t.Context(), t.TempDir(), "amd64"); err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
}

// TestAlpineRecipe holds what the recipe makes of the small archive against digests. If this
// changes on purpose, count alpineRecipe on: keys hold the number, not this code.
func TestAlpineRecipe(t *testing.T) {
	a := smallArchive(t, asItIs)
	a.Targets = recipeTargets
	text := alpineRecipe + "\n"
	tools, err := a.tools(t.Context(), t.TempDir(), "amd64")
	if err != nil {
		t.Fatal(err)
	}
	own, err := a.own(tools.names, "amd64", Info{Base: "alpine", Suite: "v3.24"})
	if err != nil {
		t.Fatal(err)
	}
	last, err := layer.Assemble(t.Context(), t.TempDir(), layer.Entries(own...))
	if err != nil {
		t.Fatal(err)
	}
	sysroot, err := a.sysroot(t.Context(), t.TempDir(), recipeTargets.Built[2])
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range []struct {
		name  string
		layer interface{ Uncompressed() (io.ReadCloser, error) }
	}{{"tools", tools.layer}, {"sysroot", sysroot.layer}, {"last", last}} {
		text += fmt.Sprintln(l.name, digest(t, l.layer))
	}
	golden := filepath.Join("testdata", "alpine_recipe.golden")
	if *update {
		if err := os.WriteFile(golden, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil || text != string(want) {
		t.Errorf("%v, got\n%swant\n%s", err, text, want)
	}
}

func digest(t *testing.T, l interface{ Uncompressed() (io.ReadCloser, error) }) string {
	t.Helper()
	r, err := l.Uncompressed()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	text, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return key.Of(string(text))
}
