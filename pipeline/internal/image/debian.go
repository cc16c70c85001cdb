package image

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"golang.org/x/sync/errgroup"

	"github.com/tcapflow/tcapflow/pipeline/internal/debian"
	"github.com/tcapflow/tcapflow/pipeline/internal/engine"
	"github.com/tcapflow/tcapflow/pipeline/internal/key"
	"github.com/tcapflow/tcapflow/pipeline/internal/layer"
	"github.com/tcapflow/tcapflow/spec"
)

// recipe says how packages become an image, which is an input of the image, too. A test
// holds an image against a digest, and tells when the number has to be raised.
const recipe = "debian builder 2"

// DebianBase assembles a builder from Debian packages.
type DebianBase struct {
	Spec      spec.Debian
	Targets   spec.Targets // of the project: each has its cache folder in every builder
	Mirror    debian.Mirror
	Lock      debian.Lock
	Toolchain Toolchain
	Extras    []string // names of those of Spec.Extras that the project's libraries need
	Temp      string   // folder for unpacked layers, half a gigabyte for a moment
}

// natives are the sysroots of programs that run in the builder itself, by its architecture:
// what a library compiles to write its own sources with.
var natives = map[string]spec.Target{
	"amd64": {Name: "native", Triple: "x86_64-linux-musl", Debian: "amd64", Alpine: "x86_64",
		GNU: "x86_64-linux-gnu", GCC: "x86_64-linux-gnu", Uapi: "x86"},
	"arm64": {Name: "native", Triple: "aarch64-linux-musl", Debian: "arm64", Alpine: "aarch64",
		GNU: "aarch64-linux-gnu", GCC: "aarch64-linux-gnu", Uapi: "arm64"},
}

// withNative adds the builder's own sysroot to those of the targets.
func withNative(arch string, targets []spec.Target) []spec.Target {
	native, ok := natives[arch]
	if !ok || slices.ContainsFunc(targets, func(t spec.Target) bool { return t.Triple == native.Triple }) {
		return targets
	}
	return append(slices.Clone(targets), native)
}

// nativeCompiler is the script cc: it compiles for the builder itself. What it links is
// static, as the libraries of the builder's tools have no headers.
func nativeCompiler(arch string) []byte {
	triple := natives[arch].Triple
	return []byte("#!/bin/sh\nexec clang --no-default-config --target=" + triple + " --sysroot=/sysroot/" + triple +
		" -static -fuse-ld=lld -Wno-unused-command-line-argument \"$@\"\n")
}

// extra is a set of additional tools by its name.
func (d DebianBase) extra(name string) (spec.PackageSet, error) {
	for _, set := range d.Spec.Extras {
		if set.Name == name {
			return set, nil
		}
	}
	return spec.PackageSet{}, fmt.Errorf("a library needs the tool %q, which is none of spec.Debian.Extras", name)
}

// extras are the packages of the additional tools that are not there without them.
func (d DebianBase) extras(arch string) ([]debian.Package, error) {
	have := map[string]bool{}
	tools, err := d.Lock.Packages(d.Spec.Tools, arch)
	if err != nil {
		return nil, err
	}
	for _, p := range tools {
		have[p.Name] = true
	}
	var all []debian.Package
	for _, name := range d.Extras {
		set, err := d.extra(name)
		if err != nil {
			return nil, err
		}
		packages, err := d.Lock.Packages(set, arch)
		if err != nil {
			return nil, err
		}
		for _, p := range packages {
			if !have[p.Name] {
				have[p.Name] = true
				all = append(all, p)
			}
		}
	}
	return all, nil
}

// Builder names the image that serves the targets on an engine of this architecture;
// nothing is looked up and nothing is run.
func (d DebianBase) Builder(arch string, targets []spec.Target) (Builder, error) {
	b := Builder{Base: "debian", Arch: arch, Go: d.Toolchain.Version, GoKey: d.Toolchain.key(arch), Keys: map[string]string{}}
	tools, err := d.Lock.Packages(d.Spec.Tools, arch)
	if err != nil {
		return Builder{}, err
	}
	extras, err := d.extras(arch)
	if err != nil {
		return Builder{}, err
	}
	native, err := d.Lock.Packages(d.Spec.Sysroot, natives[arch].Debian)
	if err != nil {
		return Builder{}, err
	}
	for _, t := range targets {
		sysroot, err := d.Lock.Packages(d.Spec.Sysroot, t.Debian)
		if err != nil {
			return Builder{}, err
		}
		words := []string{"debian", recipe, goRecipe, debian.Recipe, layer.Recipe, d.Toolchain.Version, t.Triple, t.GNU, t.GCC, t.Uapi}
		for _, p := range slices.Concat(tools, extras, native, sysroot) {
			words = append(words, p.SHA256)
		}
		b.Keys[t.Name] = key.Of(words...)
	}
	return b, nil
}

// Ensure returns a builder for the targets, assembled now if the engine has none.
// assembling is called before anything is fetched.
func (d DebianBase) Ensure(ctx context.Context, e *engine.Engine, targets []spec.Target, assembling func()) (Builder, error) {
	b, err := d.Builder(e.Arch, targets)
	if err != nil {
		return Builder{}, err
	}
	if b, err = b.Present(ctx, e, targets); err != nil || b.Ref != "" {
		return b, err
	}
	assembling()
	return b, d.assemble(ctx, e, &b, targets)
}

func (d DebianBase) assemble(ctx context.Context, e *engine.Engine, b *Builder, targets []spec.Target) error {
	dir, err := os.MkdirTemp(d.Temp, "builder-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	sysroots := withNative(e.Arch, targets)
	parts := make([]assembled, len(sysroots)+3)
	group, gctx := errgroup.WithContext(ctx)
	group.Go(func() (err error) { parts[0], err = d.tools(gctx, dir, e.Arch); return err })
	group.Go(func() (err error) { parts[1], err = d.Toolchain.layer(gctx, dir, e.Arch); return err })
	group.Go(func() (err error) { parts[2], err = d.extraTools(gctx, dir, e.Arch); return err })
	for i, t := range sysroots {
		group.Go(func() (err error) { parts[3+i], err = d.sysroot(gctx, dir, t); return err })
	}
	if err := group.Wait(); err != nil {
		return err
	}
	info := Info{Base: "debian", Suite: d.Lock.Suite, Go: parts[1].inputs[0], Libc: d.libc(targets)}
	var layers []v1.Layer
	for _, p := range parts {
		info.Inputs = append(info.Inputs, p.inputs...)
		if p.layer != nil {
			layers = append(layers, p.layer)
		}
	}
	last, err := d.last(ctx, dir, info)
	if err != nil {
		return err
	}
	labels := b.labelsFor(targets)
	b.Ref = e.Tag(kind, "debian-"+key.Of(info.words()...))
	err = Load(ctx, e, b.Ref, config(labels), e.Arch, append(layers, last)...)
	if err != nil {
		return err
	}
	return b.dropServed(ctx, e, targets)
}

// config is how a builder is started.
func config(labels map[string]string) v1.Config {
	return v1.Config{
		Env: []string{"PATH=/usr/local/go/bin:/usr/bin", "HOME=/tmp"}, User: User, WorkingDir: "/src",
		Cmd: []string{"sleep", "2147483647"}, Labels: labels,
	}
}

// assembled is a layer and what it was made of.
type assembled struct {
	layer  v1.Layer
	inputs []Input
}

// applets are the links to busybox that ./configure, make and the build scripts call.
const applets = "[ ash awk basename cat chmod cmp comm cp cut date dd diff dirname du echo egrep env expr false fgrep find grep gunzip gzip head hostname id install ln ls mkdir mktemp mv nproc od paste patch printf pwd readlink realpath rm rmdir sed seq sh sha256sum sleep sort stat tail tar tee test touch tr true tsort uname uniq wc which xargs yes"

// tools is the layer of what runs in the builder.
func (d DebianBase) tools(ctx context.Context, dir, arch string) (assembled, error) {
	entries := []layer.Entry{{Name: "usr/"}, {Name: "usr/bin/"},
		{Name: "bin", Link: "usr/bin"}, {Name: "sbin", Link: "usr/sbin"}, {Name: "lib", Link: "usr/lib"}, {Name: "lib64", Link: "usr/lib64"},
		{Name: "tmp/", Mode: 0o1777}, {Name: "src/", UID: Uid}, {Name: "out/", UID: Uid}, {Name: "cache/"}, {Name: "etc/"},
		{Name: "etc/passwd", Data: []byte("root:x:0:0::/:/bin/sh\nbuilder:x:65532:65532::/tmp:/bin/sh\n")},
		{Name: "etc/group", Data: []byte("root:x:0:\nbuilder:x:65532:\n")},
		{Name: "usr/bin/clang", Link: "clang-19"}, {Name: "usr/bin/clang++", Link: "clang-19"}, {Name: "usr/bin/ld.lld", Link: "ld.lld-19"},
		{Name: "usr/bin/cc", Mode: 0o755, Data: nativeCompiler(arch)}, {Name: "usr/bin/pkg-config", Link: "pkgconf"},
	}
	for applet := range strings.FieldsSeq(applets) {
		entries = append(entries, layer.Entry{Name: "usr/bin/" + applet, Link: "busybox"})
	}
	for _, t := range d.Targets.Built {
		// A new volume takes the owner of the folder that it is mounted on.
		entries = append(entries, layer.Entry{Name: "cache/" + t.Dir() + "/", UID: Uid})
	}
	packages, err := d.Lock.Packages(d.Spec.Tools, arch)
	if err != nil {
		return assembled{}, err
	}
	return d.pieces(ctx, dir, packages, "tools", entries, placeTool)
}

// extraTools is the layer of what the project's libraries need beyond that; there is none
// where they need nothing.
func (d DebianBase) extraTools(ctx context.Context, dir, arch string) (assembled, error) {
	packages, err := d.extras(arch)
	if err != nil || len(packages) == 0 {
		return assembled{}, err
	}
	return d.pieces(ctx, dir, packages, "tools", nil, placeTool)
}

// placeTool leaves out what nobody reads in a builder.
func placeTool(name string) string {
	for _, unwanted := range []string{"usr/share/doc/", "usr/share/man/", "usr/share/locale/", "usr/share/info/",
		"usr/share/lintian/", "usr/share/bash-completion/"} {
		if strings.HasPrefix(name, unwanted) {
			return ""
		}
	}
	return debian.AsPackaged(name)
}

// sysroot is the layer of a target. Debian spreads a foreign architecture's files over
// multiarch folders; here they lie as on a system of that architecture's own.
func (d DebianBase) sysroot(ctx context.Context, dir string, t spec.Target) (assembled, error) {
	root := "sysroot/" + t.Triple + "/usr/"
	moves := [][2]string{ // from folder, to folder; the first that fits
		{"usr/include/" + t.Triple + "/", root + "include/"},
		{"usr/lib/" + t.Triple + "/", root + "lib/"},
		{"usr/lib/linux/uapi/" + t.Uapi + "/asm/", root + "include/asm/"},
		{"usr/lib/gcc/" + t.GCC + "/14/", root + "lib/gcc/" + t.Triple + "/14/"},
		{"usr/include/linux/", root + "include/linux/"},
		{"usr/include/asm-generic/", root + "include/asm-generic/"},
		{"usr/include/mtd/", root + "include/mtd/"},
		{"usr/include/rdma/", root + "include/rdma/"},
		{"usr/include/scsi/", ""}, // musl has its own, which differ
		{"usr/include/sound/", root + "include/sound/"},
		{"usr/include/video/", root + "include/video/"},
		{"usr/include/drm/", root + "include/drm/"},
	}
	entries := []layer.Entry{{Name: "sysroot/"}, {Name: root + "lib/"}}
	packages, err := d.Lock.Packages(d.Spec.Sysroot, t.Debian)
	if err != nil {
		return assembled{}, err
	}
	return d.pieces(ctx, dir, packages, t.Name, entries, func(name string) string {
		for _, move := range moves {
			if rest, ok := strings.CutPrefix(name, move[0]); ok && move[1] != "" {
				if strings.Contains(move[0], "/gcc/") && !gccFile(rest) {
					return ""
				}
				return move[1] + rest
			}
		}
		return ""
	})
}

// gccFile keeps start files, libgcc and headers, and leaves sanitizers and shared libraries.
func gccFile(name string) bool {
	return strings.HasPrefix(name, "include/") || path.Ext(name) == ".o" || name == "libgcc.a" || name == "libgcc_eh.a"
}

// pieces fetches packages and makes one layer of them.
func (d DebianBase) pieces(ctx context.Context, dir string, packages []debian.Package, role string,
	entries []layer.Entry, place debian.Place) (assembled, error) {
	debs, err := d.Mirror.Debs(ctx, packages)
	if err != nil {
		return assembled{}, err
	}
	out := assembled{inputs: make([]Input, len(packages))}
	pieces := []layer.Piece{layer.Entries(entries...)}
	for i, p := range packages {
		out.inputs[i] = Input{Name: p.Name, Version: p.Version, Arch: p.Arch, SHA256: p.SHA256, For: role}
		pieces = append(pieces, debian.Unpack(debs[i], place, &out.inputs[i].Licences))
	}
	out.layer, err = layer.Assemble(ctx, dir, pieces...)
	return out, err
}

// last is the layer with builder.json.
func (d DebianBase) last(ctx context.Context, dir string, info Info) (v1.Layer, error) {
	text, err := json.MarshalIndent(info, "", " ")
	if err != nil {
		return nil, err
	}
	return layer.Assemble(ctx, dir, layer.Entries(layer.Entry{Name: "etc/builder.json", Data: append(text, '\n')}))
}

// libc names musl's upstream version, the same in all sysroots of a suite.
func (d DebianBase) libc(targets []spec.Target) string {
	packages, err := d.Lock.Packages(d.Spec.Sysroot, targets[0].Debian)
	if err != nil {
		return "musl"
	}
	for _, p := range packages {
		if p.Name == "musl" {
			return "musl " + debian.UpstreamVersion(p.Version)
		}
	}
	return "musl"
}

// words are what tells two builders apart.
func (i Info) words() []string {
	words := []string{i.Base, recipe}
	for _, in := range i.Inputs {
		words = append(words, in.For+" "+in.Name+" "+in.SHA256+in.Sum)
	}
	return words
}
