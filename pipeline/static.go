package pipeline

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/docker/go-units"

	"github.com/tcapflow/tcapflow/elfcheck"
	"github.com/tcapflow/tcapflow/pipeline/internal/artifact"
	"github.com/tcapflow/tcapflow/pipeline/internal/builder"
	"github.com/tcapflow/tcapflow/pipeline/internal/cache"
	"github.com/tcapflow/tcapflow/pipeline/internal/engine"
	"github.com/tcapflow/tcapflow/pipeline/internal/fault"
	"github.com/tcapflow/tcapflow/pipeline/internal/image"
	"github.com/tcapflow/tcapflow/pipeline/internal/plan"
	"github.com/tcapflow/tcapflow/pipeline/internal/source"
	"github.com/tcapflow/tcapflow/spec"
)

// Static builds the targets, checks them and puts them into out/. Targets whose key and
// bytes are unchanged are left alone; when all are, nothing is run.
func (p *Pipeline) Static(ctx context.Context) error {
	r, err := p.begin(ctx)
	if err != nil {
		return err
	}
	defer r.end()
	if err := r.static(ctx); err != nil {
		return err
	}
	return r.show()
}

// static brings out/ up to date.
func (r *run) static(ctx context.Context) error {
	wanted := r.outdated()
	if len(wanted) == 0 {
		r.log.Note("nothing changed: %d of %d artifacts are up to date", len(r.o.Targets), len(r.o.Targets))
		return nil
	}
	s := &static{run: r, builders: map[string]json.RawMessage{}}
	if err := s.build(ctx, wanted); err != nil {
		return err
	}
	var err error
	r.manifest, err = artifact.Load(r.o.Out)
	return err
}

// static is the building of some targets.
type static struct {
	*run
	mu       sync.Mutex
	staged   []artifact.Staged
	builders map[string]json.RawMessage
}

// outdated returns the targets whose artifact is missing, changed, or made of something else.
func (r *run) outdated() []spec.Target {
	var out []spec.Target
	for _, t := range r.o.Targets {
		p := r.plan(t)
		a, ok := r.manifest.Find(t.Name, p.Variant)
		if !ok || (r.o.Base != "auto" && r.o.Base != a.Base) || !a.Intact(r.o.Out) || len(a.StandIns) > 0 {
			out = append(out, t)
			continue
		}
		b, err := r.bases.builder(a.Base, a.Engine, t)
		if err != nil || p.Key(r.tree.Hash, b.Keys[t.Name]) != a.Key {
			out = append(out, t)
		}
	}
	return out
}

// build makes the wanted targets and commits them together.
func (s *static) build(ctx context.Context, wanted []spec.Target) (err error) {
	s.log.Note("version %s%s", s.tree.Version.Version, because(s.tree.State))
	for _, line := range s.tree.Passed {
		s.log.Note("warning: %s", line)
	}
	modules := s.modules(ctx, wanted)
	defer modules.stop()
	e, err := s.connect(ctx)
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
	kept := cache.Folder(s.o.Cache)
	libraries := &builder.Libraries{Fetch: s.bases.debian.Mirror.Cache, Dir: kept.Libraries(), Borrow: kept.Borrow,
		Mirror: s.bases.debian.Mirror, Suite: s.project.Debian.Suite, Locked: s.o.Locked, Log: s.log}
	job := builder.Job{Image: b, Tree: s.tree, Modules: needed, Libraries: libraries, Log: s.log}
	for _, t := range wanted {
		job.Plans = append(job.Plans, s.plan(t))
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

func (s *static) modules(ctx context.Context, targets []spec.Target) *moduleSearch {
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

func (s *static) packages(targets []spec.Target) []source.Package {
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
func (r *run) show() error {
	var rows []elfcheck.Row
	var list []artifact.Artifact
	for _, t := range r.o.Targets {
		a, ok := r.manifest.Find(t.Name, r.plan(t).Variant)
		if !ok {
			return fmt.Errorf("%s is not in the manifest", t.Name)
		}
		list = append(list, a)
		rows = append(rows, elfcheck.Row{File: "out/" + a.Path, Facts: a.ELF})
	}
	if r.o.JSON {
		enc := json.NewEncoder(r.stdout)
		enc.SetIndent("", " ")
		return enc.Encode(list)
	}
	return elfcheck.Table(r.stdout, rows, r.o.Colour)
}

// firstLine is an error without its next step, for use within a line.
func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}
