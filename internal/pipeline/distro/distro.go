// Package distro takes what was packed and runs it where users run it.
//
// In: dist/, as a release left it, and the table build.Distros. Out: a Report, a cell for
// each distribution, target, package and scenario, whose name is a path that one can
// select: debian12/amd64/deb/read. Packages are installed by the distribution's own tool
// in a container without network, and run there as a user without rights.
//
// Debian roots are assembled from signed packages and configured by dpkg; they stay in
// the engine, so that a second run has them. A target that the engine's CPU cannot run
// is run by qemu-user, called by name: nothing is registered or installed on the host.
package distro

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tcapflow/tcapflow/build"
	"github.com/tcapflow/tcapflow/internal/pipeline/debian"
	"github.com/tcapflow/tcapflow/internal/pipeline/engine"
)

// Options say what is run where.
type Options struct {
	Project        build.Project
	Dist           string         // dist/
	Distros        []build.Distro // of build.Distros
	Targets        []build.Target // of these, each row runs those that it has
	Only           string         // cells whose path matches, as `go test -run` matches; empty: all
	Capture        string         // a pcap file; beside it, with the extension .jsonl, what "read" says of it
	Mirror         debian.Mirror
	Lock           debian.Lock
	RegistryPrefix string // of images, in the place of docker.io; empty: none
	CacheDir       string
	Temp           string
	Stdout, Stderr io.Writer
	JSON           bool // the report on Stdout is JSON, once; else a line for each cell as it comes
}

// Run runs the matrix. The error says that a cell failed, or that none was run.
func Run(ctx context.Context, e *engine.Engine, o Options) (Report, error) {
	start := time.Now()
	cells, err := selected(matrix(e.Arch, o.Distros, o.Targets), o.Only)
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
	dist, err := readDist(o.Dist)
	if err != nil {
		return Report{}, err
	}
	r := &runner{Options: o, engine: e, dist: dist, dir: dir}
	r.Stderr = &lockedWriter{w: o.Stderr}
	if r.want, err = os.ReadFile(strings.TrimSuffix(o.Capture, filepath.Ext(o.Capture)) + ".jsonl"); err != nil {
		return Report{}, err
	}
	if r.replay, err = buildReplay(ctx, e.Arch, dir); err != nil {
		return Report{}, err
	}
	out := io.Writer(o.Stdout)
	if o.JSON {
		out = r.Stderr
	}
	report := newReport(out, cells, start)
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(max(2, e.CPUs)) // the engine is what is waited for
	for _, cells := range byPlace(cells) {
		group.Go(func() error {
			r.runPlace(groupCtx, cells, report)
			return groupCtx.Err()
		})
	}
	if err := group.Wait(); err != nil {
		return report.Report, err
	}
	report.finish()
	if o.JSON {
		encoder := json.NewEncoder(o.Stdout)
		encoder.SetIndent("", " ")
		err = encoder.Encode(report.Report)
	}
	return report.Report, errors.Join(err, report.verdict())
}

// runner is what the places of one run share.
type runner struct {
	Options
	engine *engine.Engine
	dist   dist
	dir    string
	want   []byte // what "read" says of the capture
	replay string // the program, a file

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
		report.place(runnable, err, start)
		return
	}
	for _, c := range runnable {
		start = time.Now()
		err := c.scenario.run(ctx, r, p)
		if ctx.Err() != nil {
			return
		}
		report.result(c, err, start)
	}
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
