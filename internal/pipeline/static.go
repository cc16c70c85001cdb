package pipeline

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/docker/go-units"
	"golang.org/x/mod/modfile"

	"github.com/tcapflow/tcapflow/build"
	bd "github.com/tcapflow/tcapflow/build/debian"
	"github.com/tcapflow/tcapflow/internal/pipeline/artifact"
	"github.com/tcapflow/tcapflow/internal/pipeline/builder"
	"github.com/tcapflow/tcapflow/internal/pipeline/elfcheck"
	"github.com/tcapflow/tcapflow/internal/pipeline/engine"
	"github.com/tcapflow/tcapflow/internal/pipeline/fault"
	"github.com/tcapflow/tcapflow/internal/pipeline/image"
	"github.com/tcapflow/tcapflow/internal/pipeline/options"
	"github.com/tcapflow/tcapflow/internal/pipeline/plan"
	"github.com/tcapflow/tcapflow/internal/pipeline/progress"
	"github.com/tcapflow/tcapflow/internal/pipeline/source"
)

// Static builds the targets, checks them and puts them into out/. Targets whose key and
// bytes are unchanged are left alone; when all are, nothing is run.
func Static(ctx context.Context, o options.Options, stdout, stderr io.Writer) error {
	log := progress.New(stderr, o.Live)
	defer log.Close()
	unlock, err := artifact.Lock(ctx, o.Out, func(holder string) { log.Note("waiting for another run in this checkout (%s)", holder) })
	if err != nil {
		return err
	}
	defer unlock()
	s, err := newStatic(ctx, o, log)
	if err != nil {
		return err
	}
	if wanted := s.outdated(); len(wanted) > 0 {
		if err := s.build(ctx, wanted); err != nil {
			return err
		}
	} else {
		log.Note("nothing changed: %d of %d artifacts are up to date", len(s.o.Targets), len(s.o.Targets))
	}
	return s.show(stdout)
}

// static is one run of Static.
type static struct {
	o        options.Options
	log      *progress.Log
	project  build.Project
	tree     source.Tree
	bases    bases
	manifest artifact.Manifest
	planning plan.Options

	mu       sync.Mutex
	staged   []artifact.Staged
	builders map[string]json.RawMessage
}

func newStatic(ctx context.Context, o options.Options, log *progress.Log) (*static, error) {
	s := &static{o: o, log: log, project: build.TcapflowClient, builders: map[string]json.RawMessage{}}
	var err error
	if s.tree, err = source.Read(ctx, o.Root); err != nil {
		return nil, err
	}
	if s.manifest, err = artifact.Load(o.Out); err != nil {
		return nil, err
	}
	goVersion, module, err := goMod(o.Root)
	if err != nil {
		return nil, err
	}
	if s.bases, err = newBases(o, goVersion, log); err != nil {
		return nil, err
	}
	s.planning = plan.Options{Debug: o.Debug, Version: s.tree.Version.Version, Commit: s.tree.Commit, Date: s.tree.Date,
		GoVersion: goVersion, Module: module, Forbidden: hostPaths(o)}
	return s, nil
}

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

// outdated returns the targets whose artifact is missing, changed, or made of something else.
func (s *static) outdated() []build.Target {
	var out []build.Target
	for _, t := range s.o.Targets {
		p := plan.For(s.project, t, s.planning)
		a, ok := s.manifest.Find(t.Name, p.Variant)
		if !ok || (s.o.Base != "auto" && s.o.Base != a.Base) || !a.Intact(s.o.Out) || len(a.StandIns) > 0 {
			out = append(out, t)
			continue
		}
		b, err := s.bases.builder(a.Base, a.Engine, t)
		if err != nil || p.Key(s.tree.Hash, b.Keys[t.Name]) != a.Key {
			out = append(out, t)
		}
	}
	return out
}

// build makes the wanted targets and commits them together.
func (s *static) build(ctx context.Context, wanted []build.Target) (err error) {
	s.log.Note("version %s%s", s.tree.Version.Version, because(s.tree.State))
	modules := s.modules(ctx, wanted)
	defer modules.stop()
	e, err := engine.Connect(ctx, s.o.Root)
	if err != nil {
		return err
	}
	defer e.Close()
	ctx, end := e.Watch(ctx)
	defer func() { err = end(err) }()
	if n, err := e.Sweep(ctx); err != nil {
		return err
	} else if n > 0 {
		s.log.Note("removed %d containers that an earlier run left", n)
	}
	b, err := s.bases.ensure(ctx, e, wanted)
	if err != nil {
		return err
	}
	needed, err := modules.wait()
	if err != nil {
		return err
	}
	for _, line := range warnings(needed, wanted) {
		s.log.Note("%s", line)
	}
	libraries := &builder.Libraries{Fetch: s.bases.debian.Mirror.Cache, Dir: filepath.Join(s.o.Cache, "libraries"), Mirror: s.bases.debian.Mirror, Suite: bd.Suite, Locked: s.o.Locked, Log: s.log}
	job := builder.Job{Image: b, Tree: s.tree, Modules: needed, Libraries: libraries, Log: s.log}
	for _, t := range wanted {
		job.Plans = append(job.Plans, plan.For(s.project, t, s.planning))
	}
	job.Done = func(p plan.Build, info json.RawMessage, binary io.Reader) error { return s.take(b, p, info, binary) }
	defer s.discard()
	if err := job.Run(ctx, e); err != nil {
		return err
	}
	for i := range s.staged {
		s.staged[i].StandIns = libraries.StandsIn()
	}
	if err := artifact.Commit(s.o.Out, s.project.Name, s.staged, s.builders); err != nil {
		return err
	}
	if e.Made() {
		s.trim(ctx, e)
	}
	return nil
}

// trim keeps what is ours in the engine within its limit. It takes the engine seconds to
// measure that, so it is done when a build has made new caches, and never else. That it
// failed does not undo the build.
func (s *static) trim(ctx context.Context, e *engine.Engine) {
	done := s.log.Stage("keep what builds left in the engine below %s", units.HumanSize(float64(s.o.Keep)))
	freed, err := e.Trim(ctx, s.o.Keep)
	done(err)
	for _, h := range freed {
		s.log.Note("removed %s %s (%.1f MB), last used %s", h.Kind, h.Name, float64(h.Size)/1e6, h.Used.Format(time.DateOnly))
	}
	if err != nil {
		s.log.Note("the next build tries again: %s", firstLine(err))
	}
}

// moduleSearch runs the go command while the engine is looked for.
type moduleSearch struct {
	cancel context.CancelFunc
	done   chan struct{}
	found  []source.Module
	err    error
}

func (s *static) modules(ctx context.Context, targets []build.Target) *moduleSearch {
	ctx, cancel := context.WithCancel(ctx)
	m := &moduleSearch{cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(m.done)
		m.found, m.err = s.tree.Modules(ctx, s.packages(targets))
	}()
	return m
}

func (m *moduleSearch) wait() ([]source.Module, error) {
	<-m.done
	return m.found, m.err
}

// stop leaves no process of the go command behind.
func (m *moduleSearch) stop() {
	m.cancel()
	<-m.done
}

func because(state string) string {
	if state == "" {
		return ""
	}
	return " (" + state + ")"
}

func (s *static) packages(targets []build.Target) []source.Package {
	var out []source.Package
	for _, t := range targets {
		out = append(out, source.Package{Main: s.project.Main, Tags: s.project.Tags, GOARCH: t.GOARCH, GOARM: t.GOARM})
	}
	return out
}

// take checks a binary and keeps it under a temporary name. It fails closed: a binary
// that is not what the plan says never gets its name.
func (s *static) take(b image.Builder, p plan.Build, info json.RawMessage, binary io.Reader) error {
	staged, err := artifact.Stage(s.o.Out, s.project.Name, p.Dir, binary)
	if err != nil {
		return err
	}
	facts, err := s.examine(p, staged.Temp)
	if err != nil {
		os.Remove(staged.Temp)
		return err
	}
	key := b.Keys[p.Target.Name]
	staged.Target, staged.Variant, staged.ELF = p.Target.Name, p.Variant, facts
	staged.Version, staged.Commit, staged.Date = s.tree.Version.Version, s.tree.Commit, s.tree.Date
	staged.Base, staged.Engine, staged.Builder, staged.Key = b.Base, b.Arch, b.Ref, p.Key(s.tree.Hash, key)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.staged = append(s.staged, staged)
	var compact bytes.Buffer
	if err := json.Compact(&compact, info); err != nil {
		return err
	}
	s.builders[b.Ref] = compact.Bytes()
	return nil
}

// examine puts a binary before the gate, and tells which exceptions of build/ it made use of.
func (s *static) examine(p plan.Build, path string) (elfcheck.Facts, error) {
	r, err := elfcheck.Examine(path, p.Want)
	if err != nil {
		return r.Facts, fmt.Errorf("%s: the gate refuses this binary: %w", p.Target.Name, err)
	}
	for _, a := range r.Allowed {
		s.log.Note("%s: %s", p.Target.Name, a)
	}
	if len(r.Findings) == 0 {
		return r.Facts, nil
	}
	var lines []string
	for _, f := range r.Findings {
		lines = append(lines, "  "+f.String())
	}
	verdict := elfcheck.Judge(r.Findings)
	return r.Facts, &fault.Error{Code: fault.Failed, Log: strings.Join(lines, "\n"),
		Err: fmt.Errorf("%s: the gate refuses this binary: it is %s", p.Target.Name, verdict)}
}

// discard removes what was staged and not committed.
func (s *static) discard() {
	for _, staged := range s.staged {
		os.Remove(staged.Temp)
	}
}

// show prints what stands in out/ for the targets of this run.
func (s *static) show(stdout io.Writer) error {
	m, err := artifact.Load(s.o.Out)
	if err != nil {
		return err
	}
	variant := plan.For(s.project, s.o.Targets[0], s.planning).Variant
	var rows []elfcheck.Row
	var list []artifact.Artifact
	for _, t := range s.o.Targets {
		a, ok := m.Find(t.Name, variant)
		if !ok {
			return fmt.Errorf("%s is not in the manifest", t.Name)
		}
		list = append(list, a)
		rows = append(rows, elfcheck.Row{File: "out/" + a.Path, Facts: a.ELF})
	}
	if s.o.JSON {
		enc := json.NewEncoder(stdout)
		enc.SetIndent("", " ")
		return enc.Encode(list)
	}
	return elfcheck.Table(stdout, rows, s.o.Colour)
}

// firstLine is an error without its next step, for use within a line.
func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}
