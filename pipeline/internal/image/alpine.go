package image

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"sync"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"golang.org/x/sync/errgroup"

	"github.com/tcapflow/tcapflow/pipeline/internal/alpine"
	"github.com/tcapflow/tcapflow/pipeline/internal/engine"
	"github.com/tcapflow/tcapflow/pipeline/internal/key"
	"github.com/tcapflow/tcapflow/pipeline/internal/layer"
	"github.com/tcapflow/tcapflow/spec"
)

// alpineRecipe is how packages become an image, and an input of it. TestAlpineRecipe holds
// what it makes against digests: who changes those counts on.
const alpineRecipe = "recipe 2"

// AlpineBase assembles a builder from Alpine's packages.
type AlpineBase struct {
	Spec      spec.Alpine
	Targets   spec.Targets // of the project: each has its cache folder in every builder
	Mirror    alpine.Mirror
	Lock      alpine.Lock
	Toolchain Toolchain
	Temp      string // folder for unpacked layers, half a gigabyte for a moment
}

// alpineArch is Alpine's name for the architecture of an engine, a GOARCH.
func alpineArch(arch string) string {
	switch arch {
	case "amd64":
		return "x86_64"
	case "arm64":
		return "aarch64"
	}
	return arch
}

// Sets are what a builder for the targets is made of: each set with the one architecture
// that is wanted of it.
func (a AlpineBase) Sets(arch string, targets []spec.Target) []spec.PackageSet {
	only := func(set spec.PackageSet, arch string) spec.PackageSet {
		set.Arches = []string{arch}
		return set
	}
	sets := []spec.PackageSet{only(a.Spec.Tools, alpineArch(arch))}
	for _, t := range withNative(arch, targets) {
		sets = append(sets, only(a.Spec.Sysroot, t.Alpine))
	}
	return sets
}

// Packages are all packages of a builder for the targets. The error is alpine.ErrNotLocked
// where the lock does not name them.
func (a AlpineBase) Packages(arch string, targets []spec.Target) ([]alpine.Package, error) {
	var all []alpine.Package
	for _, set := range a.Sets(arch, targets) {
		packages, err := a.Lock.Packages(set, set.Arches[0])
		if err != nil {
			return nil, err
		}
		all = append(all, packages...)
	}
	return all, nil
}

// Builder names the image that serves the targets on an engine of this architecture;
// nothing is looked up and nothing is run.
func (a AlpineBase) Builder(arch string, targets []spec.Target) (Builder, error) {
	b := Builder{Base: "alpine", Arch: arch, Go: a.Toolchain.Version, GoKey: a.Toolchain.key(arch),
		Keys: map[string]string{}}
	for _, t := range targets {
		packages, err := a.Packages(arch, []spec.Target{t})
		if err != nil {
			return Builder{}, err
		}
		words := []string{"alpine", alpineRecipe, goRecipe, a.Toolchain.Version, t.Triple, t.Alpine}
		for _, p := range packages {
			words = append(words, p.SHA256)
		}
		b.Keys[t.Name] = key.Of(words...)
	}
	return b, nil
}

// Ensure returns a builder for the targets, assembled now if the engine has none.
// assembling is called before anything is fetched.
func (a AlpineBase) Ensure(ctx context.Context, e *engine.Engine, targets []spec.Target,
	assembling func()) (Builder, error) {
	b, err := a.Builder(e.Arch, targets)
	if err != nil {
		return Builder{}, err
	}
	if b, err = b.Present(ctx, e, targets); err != nil || b.Ref != "" {
		return b, err
	}
	assembling()
	return b, a.assemble(ctx, e, &b, targets)
}

func (a AlpineBase) assemble(ctx context.Context, e *engine.Engine, b *Builder, targets []spec.Target) error {
	dir, err := os.MkdirTemp(a.Temp, "builder-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	parts, err := a.parts(ctx, dir, e.Arch, targets)
	if err != nil {
		return err
	}
	info := Info{Base: "alpine", Suite: a.Lock.Branch, Go: parts[1].inputs[0], Libc: a.libc(targets)}
	var layers []v1.Layer
	for _, p := range parts {
		info.Inputs = append(info.Inputs, p.inputs...)
		layers = append(layers, p.layer)
	}
	own, err := a.own(parts[0].names, e.Arch, info)
	if err != nil {
		return err
	}
	last, err := layer.Assemble(ctx, dir, layer.Entries(own...))
	if err != nil {
		return err
	}
	b.Ref = e.Tag(kind, "alpine-"+key.Of(append([]string{alpineRecipe}, info.words()...)...))
	err = Load(ctx, e, b.Ref, v1.Config{
		Env: []string{"PATH=/usr/local/go/bin:/usr/bin", "HOME=/tmp"}, User: User, WorkingDir: "/src",
		Cmd: []string{"sleep", "2147483647"}, Labels: b.labelsFor(targets),
	}, e.Arch, append(layers, last)...)
	if err != nil {
		return err
	}
	return b.dropServed(ctx, e, targets)
}

// alpinePart is a layer, what it was made of, and where its files lie.
type alpinePart struct {
	assembled
	names map[string]bool
}

// parts are the tools, the toolchain and the sysroots, made in parallel.
func (a AlpineBase) parts(ctx context.Context, dir, arch string,
	targets []spec.Target) ([]alpinePart, error) {
	targets = withNative(arch, targets)
	parts := make([]alpinePart, len(targets)+2)
	group, gctx := errgroup.WithContext(ctx)
	group.Go(func() (err error) { parts[0], err = a.tools(gctx, dir, arch); return err })
	group.Go(func() (err error) { parts[1].assembled, err = a.Toolchain.layer(gctx, dir, arch); return err })
	for i, t := range targets {
		group.Go(func() (err error) { parts[2+i], err = a.sysroot(gctx, dir, t); return err })
	}
	return parts, group.Wait()
}

// unreadFolders are those that no build reads.
var unreadFolders = []string{"usr/share/doc/", "usr/share/man/", "usr/share/locale/", "usr/share/info/",
	"usr/share/bash-completion/", "usr/share/apk/", "var/"}

// tools is the layer of what runs in the builder.
func (a AlpineBase) tools(ctx context.Context, dir, arch string) (alpinePart, error) {
	return a.pieces(ctx, dir, a.Spec.Tools, alpineArch(arch), "tools", func(name string) string {
		to := alpine.Merged(name)
		for _, folder := range unreadFolders {
			if strings.HasPrefix(to, folder) {
				return ""
			}
		}
		return to
	})
}

// sysroot is the layer of a target: headers, start files, static archives, and of GCC the
// start files and libgcc, which clang looks for below lib/gcc/TRIPLE.
func (a AlpineBase) sysroot(ctx context.Context, dir string, t spec.Target) (alpinePart, error) {
	root := "sysroot/" + t.Triple + "/usr/"
	part, err := a.pieces(ctx, dir, a.Spec.Sysroot, t.Alpine, t.Name, func(name string) string {
		if to := sysrootPlace(alpine.Merged(name), t.Triple); to != "" {
			return root + to
		}
		return ""
	})
	if err != nil {
		return part, err
	}
	return part, sysrootIsWhole(part.names, root, t.Triple)
}

// sysrootPlace says where below a sysroot's usr/ a file of a package goes; "": nowhere.
func sysrootPlace(name, triple string) string {
	rest, ok := strings.CutPrefix(name, "usr/")
	if !ok {
		return ""
	}
	if strings.HasPrefix(rest, "include/") && !strings.HasPrefix(rest, "include/c++/") {
		return rest
	}
	// A ./configure may link its test programs dynamically. musl's library is its loader;
	// libc.so, a link to it, is the name that a linker looks for.
	if dir, file := path.Split(rest); dir == "lib/" && strings.HasPrefix(file, "ld-musl-") {
		return "lib/libc.so"
	} else if dir == "lib/" && (path.Ext(file) == ".o" || path.Ext(file) == ".a") {
		return rest
	}
	// lib/gcc/armv7-alpine-linux-musleabihf/15.2.0/crtbeginS.o
	words := strings.Split(rest, "/")
	if len(words) == 5 && words[0] == "lib" && words[1] == "gcc" && gccFile(words[4]) {
		return path.Join("lib/gcc", triple, words[3], words[4])
	}
	return ""
}

// sysrootFiles are what a static-PIE needs, and what shows that headers are there.
var sysrootFiles = []string{"include/stdio.h", "include/linux/if_packet.h",
	"lib/rcrt1.o", "lib/crti.o", "lib/crtn.o", "lib/libc.a"}

// gccFiles stand below lib/gcc/TRIPLE/VERSION.
var gccFiles = []string{"crtbeginS.o", "crtendS.o", "libgcc.a", "libgcc_eh.a"}

// sysrootIsWhole tells what a sysroot lacks, before a compiler does.
func sysrootIsWhole(names map[string]bool, root, triple string) error {
	for _, file := range sysrootFiles {
		if !names[root+file] {
			return fmt.Errorf("the packages for %s have no %s", triple, file)
		}
	}
	for _, file := range gccFiles {
		if len(match(names, root+"lib/gcc/"+triple+"/*/"+file)) != 1 {
			return fmt.Errorf("the packages for %s have not one %s", triple, file)
		}
	}
	return nil
}

// match are the names that a pattern of path.Match fits, in order.
func match(names map[string]bool, pattern string) []string {
	var found []string
	for name := range names {
		if ok, err := path.Match(pattern, name); err == nil && ok {
			found = append(found, name)
		}
	}
	slices.Sort(found)
	return found
}

// pieces fetches a set of packages and makes one layer of them. Packages that have a file in
// common are an error: an engine refuses a layer that names a path twice.
func (a AlpineBase) pieces(ctx context.Context, dir string, set spec.PackageSet, arch, role string,
	place alpine.Place) (alpinePart, error) {
	packages, err := a.Lock.Packages(set, arch)
	if err != nil {
		return alpinePart{}, err
	}
	files, err := a.Mirror.Fetch(ctx, packages)
	if err != nil {
		return alpinePart{}, err
	}
	out := alpinePart{assembled: assembled{inputs: make([]Input, len(packages))}, names: map[string]bool{}}
	licences, common := make([]string, len(packages)), map[string]bool{}
	var mu sync.Mutex
	seen := func(name string) {
		mu.Lock()
		defer mu.Unlock()
		if out.names[name] {
			common[name] = true
		}
		out.names[name] = true
	}
	var pieces []layer.Piece
	for i := range packages {
		pieces = append(pieces, alpine.Unpack(files[i], place, seen, &licences[i]))
	}
	if out.layer, err = layer.Assemble(ctx, dir, pieces...); err != nil {
		return out, err
	}
	if len(common) > 0 {
		first := slices.Sorted(maps.Keys(common))[0]
		return out, fmt.Errorf("several packages of %s have %s", alpine.SetKey(set, arch), first)
	}
	for i, p := range packages {
		out.inputs[i] = Input{Name: p.Name, Version: p.Version, Arch: p.Arch, SHA256: p.SHA256, For: role}
		if licences[i] != "" {
			out.inputs[i].Licences = []string{licences[i]}
		}
	}
	return out, nil
}

// own are the entries of the last layer: what packages' scripts would have made and somebody
// needs, names that a build calls programs by, the folders of who builds, and builder.json.
func (a AlpineBase) own(names map[string]bool, arch string, info Info) ([]layer.Entry, error) {
	text, err := json.MarshalIndent(info, "", " ")
	if err != nil {
		return nil, err
	}
	entries := []layer.Entry{
		{Name: "bin", Link: "usr/bin"}, {Name: "sbin", Link: "usr/sbin"}, {Name: "lib", Link: "usr/lib"},
		{Name: "usr/"}, {Name: "usr/bin/"}, {Name: "usr/sbin/"}, {Name: "usr/lib/"},
		{Name: "tmp/", Mode: 0o1777}, {Name: "src/", UID: Uid}, {Name: "out/", UID: Uid},
		{Name: "cache/"}, {Name: "etc/"},
		{Name: "etc/passwd", Data: []byte("root:x:0:0::/:/bin/sh\nbuilder:x:65532:65532::/tmp:/bin/sh\n")},
		{Name: "etc/group", Data: []byte("root:x:0:\nbuilder:x:65532:\n")},
		{Name: "etc/builder.json", Data: append(text, '\n')},
	}
	if !names["usr/bin/cc"] { // nothing of Alpine's tools brings one
		entries = append(entries, layer.Entry{Name: "usr/bin/cc", Mode: 0o755, Data: nativeCompiler(arch)})
	}
	for _, t := range a.Targets.Built {
		// A new volume takes the owner of the folder that it is mounted on.
		entries = append(entries, layer.Entry{Name: "cache/" + t.Dir() + "/", UID: Uid})
	}
	links, err := toolLinks(names)
	return append(entries, links...), err
}

// toolNames are the programs that every builder has in /usr/bin.
var toolNames = []string{"clang", "ld.lld", "ar", "ranlib", "readelf",
	"make", "flex", "bison", "m4", "busybox", "pkgconf"}

// toolLinks are names in /usr/bin that the packages leave to be made. Alpine gives its
// numbered compilers' plain names in a folder for each version; a package's script links
// busybox's applets.
func toolLinks(names map[string]bool) ([]layer.Entry, error) {
	var links []layer.Entry
	for _, tool := range toolNames {
		if names["usr/bin/"+tool] {
			continue
		}
		found := match(names, "usr/lib/llvm*/bin/"+tool)
		if len(found) == 0 {
			return nil, fmt.Errorf("the packages of tools have no %s", tool)
		}
		newest := strings.TrimPrefix(found[len(found)-1], "usr/")
		links = append(links, layer.Entry{Name: "usr/bin/" + tool, Link: "../" + newest})
	}
	for _, l := range []layer.Entry{{Name: "usr/bin/clang++", Link: "clang"}, {Name: "usr/bin/pkg-config", Link: "pkgconf"}} {
		if !names[l.Name] {
			links = append(links, l)
		}
	}
	for applet := range strings.FieldsSeq(applets) {
		if !names["usr/bin/"+applet] {
			links = append(links, layer.Entry{Name: "usr/bin/" + applet, Link: "busybox"})
		}
	}
	return links, nil
}

// libc names musl's upstream version, the same in all sysroots of a branch.
func (a AlpineBase) libc(targets []spec.Target) string {
	packages, err := a.Lock.Packages(a.Spec.Sysroot, targets[0].Alpine)
	if err != nil {
		return "musl"
	}
	for _, p := range packages {
		if p.Name == "musl-dev" {
			return "musl " + alpine.UpstreamVersion(p.Version)
		}
	}
	return "musl"
}
