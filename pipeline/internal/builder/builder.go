// Package builder runs plans in one container of a builder image.
//
// In: a source tree, module zips and C library sources as tar streams. Out: for each
// plan a binary as a stream. The container has no network, no bind mount and no root;
// what lasts is compiled C libraries in the host's cache and Go's build caches in
// volumes of the engine, both named by the key of all that they were made with.
package builder

import (
	"archive/tar"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/tcapflow/tcapflow/pipeline/internal/engine"
	"github.com/tcapflow/tcapflow/pipeline/internal/image"
	"github.com/tcapflow/tcapflow/pipeline/internal/key"
	"github.com/tcapflow/tcapflow/pipeline/internal/plan"
	"github.com/tcapflow/tcapflow/pipeline/internal/progress"
	"github.com/tcapflow/tcapflow/pipeline/internal/source"
	"github.com/tcapflow/tcapflow/pipeline/internal/stream"
)

// Job is what one run builds.
type Job struct {
	Image     image.Builder
	Tree      source.Tree
	Modules   []source.Module
	Libraries *Libraries
	Plans     []plan.Build
	Log       *progress.Log
	Cold      bool // Go compiles all anew: its caches are the container's own
	cpus      int  // the engine's
	// Done gets each binary as soon as it is linked; calls may come from several goroutines.
	Done func(p plan.Build, info json.RawMessage, binary io.Reader) error
}

// Run builds every plan, as many at once as the engine has CPUs. It stops at the first
// error; the container is removed in every case.
func (j Job) Run(ctx context.Context, e *engine.Engine) (err error) {
	if j.Plans, err = j.withSources(ctx); err != nil {
		return err
	}
	j.cpus = max(1, e.CPUs)
	done := j.Log.Stage("start builder (%s)", j.Image.Base)
	c, installed, err := j.start(ctx, e)
	done(err)
	if err != nil {
		return err
	}
	defer func() {
		if removing := c.Remove(ctx); err == nil {
			err = removing
		}
	}()
	info, err := c.GetFile(ctx, "/etc/builder.json", 4<<20)
	if err != nil {
		return err
	}
	var about image.Info
	if err := json.Unmarshal(info, &about); err != nil {
		return fmt.Errorf("/etc/builder.json of %s: %w", j.Image.Ref, err)
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(j.cpus)
	for _, p := range j.Plans {
		group.Go(func() error {
			if err := j.libraries(ctx, c, p, installed); err != nil {
				return err
			}
			return j.build(ctx, c, p, about, info)
		})
	}
	return group.Wait()
}

// cachePrefix begins the names of volumes with Go's caches, after the namespace; subject
// and key follow.
const cachePrefix = "cache-"

// goFolder is where the toolchain lies, and goWhole a file there that says that all of it does.
const (
	goFolder = "/usr/local/go"
	goWhole  = goFolder + "/.whole"
)

// start makes the container and puts everything into it that is known beforehand. It goes in
// as one stream: each costs the engine a mount of the container's file system. installed
// names the compiled libraries (their files in the cache) that went in.
func (j Job) start(ctx context.Context, e *engine.Engine) (
	c *engine.Container, installed map[string]bool, err error,
) {
	parts, installed := j.parts()
	named := j.caches(e)
	if err := e.Use(ctx, []string{j.Image.Ref}, slices.Collect(maps.Values(named))); err != nil {
		return nil, nil, err
	}
	toolchain := named[goFolder]
	c, err = j.fill(ctx, e, named, parts, e.IsNew(toolchain))
	if !errors.Is(err, errHalf) {
		return c, installed, err
	}
	// Of a run that was killed, or of one that fills it just now: then it stays.
	if _, err := e.DropVolume(ctx, toolchain); err != nil {
		return nil, nil, err
	}
	named[goFolder] = "" // a copy of this container's own
	c, err = j.fill(ctx, e, named, parts, true)
	return c, installed, err
}

// caches are the volumes that last, by the path where they are mounted.
func (j Job) caches(e *engine.Engine) map[string]string {
	named := map[string]string{
		"/cache/mod": e.Volume(cachePrefix + "modules-" + j.moduleKey()),
		// A new volume takes what the image has at its place. The go command looks at
		// thousands of files of its own for each build: from an image's layers under
		// fuse-overlayfs that doubles the time of a relink (2.0 s against 1.0 s).
		goFolder: e.Volume(cachePrefix + "go-" + j.Image.Arch + j.Image.Go + "-" + j.Image.GoKey),
	}
	for _, p := range j.Plans {
		if !j.Cold {
			named["/cache/"+p.Target.Dir()] = e.Volume(cachePrefix + p.Target.Dir() + "-" + j.cacheKey(p))
		}
	}
	return named
}

// parts are what goes in: sources, modules, and the libraries that are compiled already.
func (j Job) parts() (parts []part, installed map[string]bool) {
	installed = map[string]bool{}
	parts = []part{
		{"", j.folders},
		{"src", func(w io.Writer) error { return j.Tree.Tar(w, image.Uid) }},
		{"proxy", func(w io.Writer) error { return source.TarModules(w, j.Modules) }},
	}
	for _, p := range j.Plans {
		for _, l := range p.Libraries {
			if cached, ok := j.Libraries.stored(l, j.key(p)); ok {
				parts = append(parts, part{"sysroot/" + p.Target.Triple, cached})
				installed[j.Libraries.path(l, j.key(p))] = true
			}
		}
	}
	return parts, installed
}

// errHalf says that the toolchain's volume has no mark: an engine that died while it copied
// the image's files into it does not know, and goes on with what there is.
var errHalf = errors.New("half of a toolchain")

// fill starts the container and puts the parts into it. A new toolchain's volume was filled
// when the container was made; it gets its mark now.
func (j Job) fill(
	ctx context.Context, e *engine.Engine, named map[string]string, parts []part, newToolchain bool,
) (c *engine.Container, err error) {
	volumes := map[string]string{
		// Of this container alone. Hundreds of small files take 0.2 s to arrive there,
		// and 0.7 s in the container's own file system under fuse-overlayfs.
		"/src": "", "/proxy": "", "/out": "", "/compile": "",
	}
	for _, p := range j.Plans {
		volumes["/cache/"+p.Target.Dir()] = ""
	}
	maps.Copy(volumes, named)
	c, err = e.Start(ctx, engine.Spec{
		Image: j.Image.Ref, Cmd: []string{"sleep", "86400"}, User: image.User, Dir: "/src", Volumes: volumes,
	})
	if err != nil {
		return nil, err
	}
	if newToolchain {
		parts = append(slices.Clone(parts), part{"", markWhole})
	}
	// Not before the start: podman may not have mounted the volumes then, and what is put
	// below their paths would lie under them (podman issue 21861). Docker 20.10 took 2.2 s for
	// 600 files and 20 MB either way.
	in := engine.Copy{Dir: "/", Write: func(w io.Writer) error { return merge(w, parts) }}
	if err = c.Put(ctx, in); err == nil && !newToolchain {
		var whole bool
		if whole, err = c.Has(ctx, goWhole); err == nil && !whole {
			err = errHalf
		}
	}
	if err != nil {
		_ = c.Remove(ctx) // where even that fails, err is the one to tell
		return nil, err
	}
	return c, nil
}

// markWhole writes the mark of a whole toolchain as a tar stream.
func markWhole(w io.Writer) error {
	out := tar.NewWriter(w)
	mark := tar.Header{Typeflag: tar.TypeReg, Name: strings.TrimPrefix(goWhole, "/"), Mode: 0o644}
	return errors.Join(out.WriteHeader(&mark), out.Close())
}

func (j Job) key(p plan.Build) string { return j.Image.Keys[p.Target.Name] }

// cacheKey tells apart what Go's build cache cannot: it does not see the headers of C
// libraries change, so a volume never serves two versions of one.
func (j Job) cacheKey(p plan.Build) string {
	words := []string{j.key(p)}
	for _, l := range p.Libraries {
		words = append(words, l.Key(j.key(p)))
	}
	return key.Of(words...)
}

// moduleKey is the hash of the modules' sums: a volume never holds other modules than these.
func (j Job) moduleKey() string {
	var words []string
	for _, m := range j.Modules {
		words = append(words, m.Path, m.Version, m.Sum)
	}
	return key.Of(words...)
}

// folders makes what the image or a new volume may not have, owned by who builds.
func (j Job) folders(w io.Writer) error {
	out := tar.NewWriter(w)
	names := []string{"src", "proxy", "out", "compile", "job", "cache", "cache/mod"}
	for _, p := range j.Plans {
		cache := "cache/" + p.Target.Dir()
		names = append(names, "out/"+p.Dir, "compile/"+p.Dir, cache, cache+"/tmp")
	}
	for _, name := range names {
		h := tar.Header{Typeflag: tar.TypeDir, Name: name + "/", Mode: 0o755, Uid: image.Uid, Gid: image.Uid}
		if err := out.WriteHeader(&h); err != nil {
			return err
		}
	}
	for _, f := range j.Plans[0].Files {
		name := strings.TrimPrefix(f.Path, "/")
		h := tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o755, Size: int64(len(f.Text))}
		if err := out.WriteHeader(&h); err != nil {
			return err
		}
		if _, err := io.WriteString(out, f.Text); err != nil {
			return err
		}
	}
	return out.Close()
}

// part is a tar stream for a folder.
type part struct {
	dir   string // relative to the root
	write func(io.Writer) error
}

// merge writes several tar streams as one.
func merge(w io.Writer, parts []part) error {
	out := tar.NewWriter(w)
	for _, p := range parts {
		into := func(r io.Reader) error { return copyEntries(out, tar.NewReader(r), p.dir) }
		if err := stream.Through(p.write, into); err != nil {
			return err
		}
	}
	return out.Close()
}

// copyEntries copies what is left of a tar stream below a folder.
func copyEntries(out *tar.Writer, in *tar.Reader, dir string) error {
	for {
		h, err := in.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		h.Name = strings.TrimPrefix(dir+"/"+h.Name, "/")
		if err := out.WriteHeader(h); err != nil {
			return err
		}
		if _, err := io.Copy(out, in); err != nil {
			return err
		}
	}
}

// build links one plan and hands the binary over.
func (j Job) build(
	ctx context.Context, c *engine.Container, p plan.Build, about image.Info, info json.RawMessage,
) error {
	args := make([]string, len(p.Args))
	for i, a := range p.Args {
		args[i] = strings.ReplaceAll(a, plan.LibcPlaceholder, about.Libc)
	}
	done := j.Log.Stage("%s  go build%s", p.Target.Name, variant(p))
	err := run(ctx, c, p.Target.Name, engine.Command{Args: args, Env: p.Env, Dir: "/src"})
	done(err)
	if err != nil {
		return err
	}
	content, err := c.Get(ctx, p.Output)
	if err != nil {
		return err
	}
	defer content.Close()
	entries := tar.NewReader(content)
	h, err := entries.Next()
	if err != nil {
		return fmt.Errorf("%s: %s in the builder: %w", p.Target.Name, p.Output, err)
	}
	if h.Typeflag != tar.TypeReg {
		return fmt.Errorf("%s: %s in the builder is not a file", p.Target.Name, p.Output)
	}
	return j.Done(p, info, entries)
}

func variant(p plan.Build) string {
	if p.Variant == "" {
		return ""
	}
	return " (" + p.Variant + ")"
}
