// Package distro takes what was packed and runs it where users run it.
//
// In: dist/, as a release left it, and a table of distributions. Out: a Report, a cell for
// each distribution, target, package and scenario, whose name is a path that one can
// select: debian12/amd64/deb/version. Packages are installed by the distribution's own tool
// in a container without network, and run there as a user without rights.
//
// Debian roots are assembled from signed packages and configured by dpkg; they stay in
// the engine, so that a second run has them. A target that the engine's kernel does not
// run, which is asked, is run by qemu-user, called by name: nothing is registered or
// installed on the host. What cannot be had today is skipped, or fails if it is required.
package distro

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tcapflow/tcapflow/pipeline/internal/debian"
	"github.com/tcapflow/tcapflow/pipeline/internal/engine"
	"github.com/tcapflow/tcapflow/pipeline/internal/fault"
	"github.com/tcapflow/tcapflow/spec"
)

// Options say what is run where.
type Options struct {
	Project        spec.Project
	Dist           string        // dist/
	Targets        []spec.Target // of these, each row runs those that it has
	Only           string        // cells whose path matches, as `go test -run` matches; empty: all
	Require        []string      // beginnings of names of distributions that must be had: debian
	Natives        []string      // GOARCHs that the engine's kernel runs itself; none: it is asked
	Capture        string        // a pcap file; beside it, with the extension .jsonl, what "read" says of it
	Mirror         debian.Mirror
	Lock           debian.Lock
	RegistryPrefix string // of images, in the place of docker.io; empty: none
	CacheDir       string
	Temp           string
	Stdout, Stderr io.Writer
	JSON           bool // the report on Stdout is JSON, once; else a line for each cell as it comes
}

// Check tells wrong use, before anything is done.
func (o Options) Check() error {
	_, err := o.cells()
	return err
}

// cells lists what is asked for.
func (o Options) cells() ([]cell, error) {
	var known []string
	for _, d := range o.Project.Distros {
		known = append(known, d.Name)
	}
	for _, name := range o.Require {
		begins := func(d string) bool { return strings.HasPrefix(d, name) }
		if name == "" || !slices.ContainsFunc(known, begins) {
			return nil, fault.New(fault.Usage, "give beginnings of names, such as -require=debian,scratch",
				"unknown distribution %q; known: %s", name, strings.Join(known, ", "))
		}
	}
	return selected(matrix(o.Project, o.Targets), o.Only)
}

// Run runs the matrix. The error says that a cell failed, or that none was run.
func Run(ctx context.Context, e *engine.Engine, o Options) (Report, error) {
	start := time.Now()
	cells, err := o.cells()
	if err != nil {
		return Report{}, err
	}
	if err := os.MkdirAll(o.Temp, 0o755); err != nil {
		return Report{}, err
	}
	dir, err := os.MkdirTemp(o.Temp, "distro-")
	if err != nil {
		return Report{}, err
	}
	defer os.RemoveAll(dir)
	r := &runner{Options: o, engine: e, dir: dir}
	r.Stderr = &lockedWriter{w: o.Stderr}
	if err := r.prepare(ctx); err != nil {
		return Report{}, err
	}
	fmt.Fprintf(r.Stderr, "the engine's kernel runs %s itself; the rest is run by qemu-user\n",
		strings.Join(r.natives, " and "))
	return r.run(ctx, on(r.natives, cells), start)
}

// prepare gets what all places need.
func (r *runner) prepare(ctx context.Context) (err error) {
	if r.dist, err = readDist(r.Dist); err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		r.helper, err = buildHelper(ctx, r.engine.Arch, r.dir)
		return err
	})
	group.Go(func() (err error) {
		r.natives, err = r.kernelRuns(ctx)
		return err
	})
	return group.Wait()
}

// kernelRuns is what the engine's kernel runs itself, asked or said.
func (r *runner) kernelRuns(ctx context.Context) ([]string, error) {
	switch {
	case len(r.Natives) == 0:
		return r.engine.Natives(ctx)
	case !slices.Contains(r.Natives, r.engine.Arch):
		return append([]string{r.engine.Arch}, r.Natives...), nil
	}
	return r.Natives, nil
}

// run runs the cells, a place each on as many at once as the engine has CPUs.
func (r *runner) run(ctx context.Context, cells []cell, start time.Time) (Report, error) {
	out := io.Writer(r.Stdout)
	if r.JSON {
		out = r.Stderr
	}
	report := newReport(out, cells, start)
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(max(2, r.engine.CPUs)) // the engine is what is waited for
	for _, cells := range r.rootsFirst(byPlace(cells)) {
		group.Go(func() error {
			r.runPlace(groupCtx, cells, report)
			return groupCtx.Err()
		})
	}
	err := group.Wait()
	if err != nil {
		return report.Report, err
	}
	report.finish()
	if r.JSON {
		encoder := json.NewEncoder(r.Stdout)
		encoder.SetIndent("", " ")
		err = encoder.Encode(report.Report)
	}
	return report.Report, errors.Join(err, report.verdict())
}

// rootsFirst moves the first place of each Debian root to the front. A root takes longest,
// and several are assembled at once, in place of one while all its places wait for it.
func (r *runner) rootsFirst(places [][]cell) [][]cell {
	var first, rest [][]cell
	seen := map[string]bool{}
	for _, cells := range places {
		c := cells[0]
		name := root{c.distro, r.system(c)}.name()
		if c.distro.Suite == "" || seen[name] {
			rest = append(rest, cells)
			continue
		}
		seen[name] = true
		first = append(first, cells)
	}
	return append(first, rest...)
}

// runner is what the places of one run share.
type runner struct {
	Options
	engine  *engine.Engine
	dist    dist
	dir     string
	helper  string   // the program, a file
	natives []string // GOARCHs that the engine's kernel runs itself

	roots      once[string] // images, by root's name
	emulators  once[string] // files, by architecture
	registries sync.Map     // by host
}

// runPlace runs the cells of one distribution and target in one container.
func (r *runner) runPlace(ctx context.Context, cells []cell, report *reporter) {
	var runnable []cell
	for _, c := range cells {
		if c.skip != "" {
			report.result(c, skipped{c.skip}, time.Now())
		} else {
			runnable = append(runnable, c)
		}
	}
	if len(runnable) == 0 || ctx.Err() != nil {
		return
	}
	start := time.Now()
	p, err := r.open(ctx, runnable[0])
	defer p.close(ctx)
	if err != nil && ctx.Err() == nil {
		report.place(runnable, r.lacking(runnable[0].distro, err), start)
		return
	}
	for _, c := range runnable {
		start = time.Now()
		err := c.scenario.Run(ctx, p)
		if ctx.Err() != nil {
			return
		}
		report.result(c, err, start)
	}
}

// lacking is the error of a place that could not be opened. What cannot be had today, a
// root or an emulator whose packages no mirror serves, or an image that no registry
// gives, says nothing about the program: that is a skip, unless the user requires it. What
// the archive did not sign is an error: somebody has to look at it.
func (r *runner) lacking(d spec.Distro, err error) error {
	var skip skipped
	isSkip := errors.As(err, &skip)
	if !isSkip && codeOf(err) != fault.Fetch || errors.Is(err, debian.ErrForged) {
		return err
	}
	for _, name := range r.Require {
		if strings.HasPrefix(d.Name, name) {
			// %v, not %w: it is no longer a skip, whatever it was.
			return fault.New(fault.Fetch, "", "required, and cannot be had: %v", err)
		}
	}
	return skipped{err.Error()}
}

// lockedWriter is for log lines of places that run at once.
type lockedWriter struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *lockedWriter) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}
