package pipeline

import (
	"context"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/mod/modfile"

	"github.com/tcapflow/tcapflow/pipeline/internal/artifact"
	"github.com/tcapflow/tcapflow/pipeline/internal/engine"
	"github.com/tcapflow/tcapflow/pipeline/internal/fault"
	"github.com/tcapflow/tcapflow/pipeline/internal/options"
	"github.com/tcapflow/tcapflow/pipeline/internal/plan"
	"github.com/tcapflow/tcapflow/pipeline/internal/progress"
	"github.com/tcapflow/tcapflow/pipeline/internal/source"
	"github.com/tcapflow/tcapflow/spec"
)

// run is what the jobs of one command work on, read once; it holds the lock of out/.
type run struct {
	*Pipeline
	log      *progress.Log
	tree     source.Tree
	bases    bases
	manifest artifact.Manifest
	planning plan.Options
	unlock   func()
}

// begin takes the lock and reads the checkout. The run is to be ended.
func (p *Pipeline) begin(ctx context.Context) (r *run, err error) {
	r = &run{Pipeline: p, log: progress.New(p.stderr, p.o.Live)}
	if err := linkable(p.project, p.o.Targets); err != nil {
		return r, err
	}
	defer func() {
		if err != nil {
			r.end()
		}
	}()
	if r.unlock, err = p.lock(ctx, r.log.Note); err != nil {
		return r, err
	}
	if r.tree, err = source.Read(ctx, p.o.Root); err != nil {
		return r, err
	}
	notes, err := r.tree.Notes()
	if err != nil {
		return r, err
	}
	for _, line := range notes {
		r.log.Note("%s", line)
	}
	if r.manifest, err = artifact.Load(p.o.Out); err != nil {
		return r, err
	}
	goVersion, module, err := goMod(p.o.Root)
	if err != nil {
		return r, err
	}
	if r.bases, err = newBases(p.project, p.o, goVersion, r.log); err != nil {
		return r, err
	}
	r.planning = plan.Options{
		Debug: p.o.Debug, Version: r.tree.Version.Version, Commit: r.tree.Commit, Date: r.tree.Date,
		GoVersion: goVersion, Module: module, Forbidden: hostPaths(p.o),
	}
	return r, nil
}

func (r *run) end() {
	if r.unlock != nil {
		r.unlock()
	}
	r.log.Close()
}

// lock takes the checkout for this process alone.
func (p *Pipeline) lock(ctx context.Context, note func(string, ...any)) (unlock func(), err error) {
	return artifact.Lock(ctx, p.o.Out, func(holder string) {
		note("waiting for another run in this checkout (%s)", holder)
	})
}

// connect finds the engine. The caller holds the lock.
func (p *Pipeline) connect(ctx context.Context) (*engine.Engine, error) {
	return engine.Connect(ctx, p.o.Root, p.project.Namespace)
}

func (r *run) plan(t spec.Target) plan.Build { return plan.For(r.project, t, r.planning) }

// goMod reads what go.mod says of the toolchain and the module.
func goMod(root string) (goVersion, module string, err error) {
	name := filepath.Join(root, "go.mod")
	text, err := os.ReadFile(name)
	if err != nil {
		return "", "", fault.New(fault.Usage, "run mage in the folder of go.mod", "%w", err)
	}
	f, err := modfile.Parse(name, text, nil)
	if err != nil {
		return "", "", err
	}
	if f.Toolchain == nil || f.Module == nil {
		return "", "", fault.New(fault.Usage, "add a line such as `toolchain go1.26.8`", "%s: no toolchain line: which Go builds the binaries must not depend on the host", name)
	}
	return f.Toolchain.Name, f.Module.Mod.Path, nil
}

// builderFolders are those of the build container, whose names stand in debug twins: a folder of this machine
// that is called the same cannot be told from them.
var builderFolders = []string{"/cache", "/job", "/out", "/proxy", "/src", "/sysroot", "/tmp", "/usr"}

// hostPaths are the folders of this machine that must not be found in a binary. What is evidence of them is
// up to the gate.
func hostPaths(o options.Options) []string {
	var paths []string
	home, _ := os.UserHomeDir() // an error: there is none
	for _, p := range []string{o.Root, home, o.Cache} {
		if p == "" || slices.Contains(builderFolders, filepath.Clean(p)) {
			continue
		}
		paths = append(paths, filepath.Clean(p))
	}
	return paths
}
