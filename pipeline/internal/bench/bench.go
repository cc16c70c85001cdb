// Package bench measures `mage static` as its users meet it, as whole commands in a
// clone of the checkout, beside the old way in the same run.
//
// In: a checkout and an engine whose images of ours may go. Out: a table of figures
// with their goals. Nothing here passes or fails: a figure is no test.
package bench

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tcapflow/tcapflow/pipeline/internal/debian"
	"github.com/tcapflow/tcapflow/pipeline/internal/engine"
	"github.com/tcapflow/tcapflow/pipeline/internal/host"
	"github.com/tcapflow/tcapflow/spec"
)

// Options say what is measured.
type Options struct {
	Root    string // of the checkout; what is committed there is measured
	Temp    string
	Project spec.Project
	Mirror  debian.Mirror
	Stdout  io.Writer
	Stderr  io.Writer
}

// Figure is one row.
type Figure struct {
	Name    string    `json:"name"`
	Seconds float64   `json:"seconds"` // median of Runs
	Runs    []float64 `json:"runs"`
	Goal    string    `json:"goal"`
}

// bench is one run.
type bench struct {
	o     Options
	e     *engine.Engine
	dir   string // the clone
	env   []string
	edits int
	rows  []Figure
}

const pair = "-targets=linux/amd64,linux/386"

// Run measures everything; it takes about ten minutes on two cores.
func Run(ctx context.Context, e *engine.Engine, o Options) ([]Figure, error) {
	temp, err := os.MkdirTemp(o.Temp, "bench-")
	if err != nil {
		return nil, err
	}
	defer removeAll(temp)
	b := &bench{o: o, e: e, dir: filepath.Join(temp, "checkout"), env: append(host.Environ(),
		o.Project.Namespace.Variable("CACHE")+"="+filepath.Join(temp, "cache"),
		o.Project.Namespace.Variable("BASE")+"=debian", "GOMODCACHE="+filepath.Join(temp, "modules"), "GOFLAGS=-modcacherw", "CI=1")}
	if _, err := b.command(ctx, temp, "git", "clone", "--quiet", o.Root, b.dir); err != nil {
		return nil, err
	}
	fmt.Fprintln(o.Stderr, "compiling the magefile, with module downloads of its own (not counted)")
	if _, err := b.command(ctx, b.dir, "go", "tool", "mage", "-l"); err != nil {
		return nil, err
	}
	for _, part := range []func(context.Context) error{b.cold, b.warmPair, b.coldAll, b.warmAll, b.disk, b.oldWay} {
		if err := part(ctx); err != nil {
			return b.rows, err
		}
	}
	return b.rows, nil
}

// removeAll removes a folder with a module cache in it, whose folders may be read-only.
func removeAll(dir string) { _ = os.RemoveAll(dir) }

// command runs a command and returns its output; the error has it, too.
func (b *bench) command(ctx context.Context, dir, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Env = dir, b.env
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, out.String())
	}
	return out.String(), nil
}

// static runs `go tool mage static` and returns how long the whole command took.
func (b *bench) static(ctx context.Context, args ...string) (time.Duration, string, error) {
	start := time.Now()
	out, err := b.command(ctx, b.dir, "go", append([]string{"tool", "mage", "static"}, args...)...)
	return time.Since(start), out, err
}

// measure runs one command several times, each after prepare, and adds a row.
func (b *bench) measure(ctx context.Context, name, goal string, runs int, prepare func() error, args ...string) error {
	var took []time.Duration
	for range runs {
		if err := prepare(); err != nil {
			return err
		}
		d, _, err := b.static(ctx, args...)
		if err != nil {
			return err
		}
		took = append(took, d)
	}
	b.add(name, goal, took...)
	return nil
}

func (b *bench) add(name, goal string, took ...time.Duration) float64 {
	f := Figure{Name: name, Goal: goal}
	for _, d := range took {
		f.Runs = append(f.Runs, d.Seconds())
	}
	sorted := slices.Sorted(slices.Values(f.Runs))
	f.Seconds = sorted[len(sorted)/2]
	b.rows = append(b.rows, f)
	fmt.Fprintf(b.o.Stdout, "%-58s %8.2f s   goal %s\n", f.Name, f.Seconds, f.Goal)
	return f.Seconds
}

func (b *bench) ratio(name, goal string, of, to float64) {
	b.rows = append(b.rows, Figure{Name: name, Seconds: of / to, Goal: goal})
	fmt.Fprintf(b.o.Stdout, "%-58s %8.2f ×   goal %s\n", name, of/to, goal)
}

// row finds a figure that was measured before.
func (b *bench) row(name string) float64 {
	for _, f := range b.rows {
		if f.Name == name {
			return f.Seconds
		}
	}
	return 0
}

// empty frees the engine and the caches of what we made.
func (b *bench) empty(ctx context.Context) error {
	held, _, err := b.e.Holdings(ctx)
	if err != nil {
		return err
	}
	for _, h := range held {
		if _, err := b.e.Drop(ctx, h); err != nil {
			return err
		}
	}
	if err := b.e.Forget(ctx, true); err != nil {
		return err
	}
	if err := os.RemoveAll(filepath.Join(filepath.Dir(b.dir), "cache")); err != nil {
		return err
	}
	// The toolchain comes with the cold build; the magefile's own modules stay.
	toolchains, err := filepath.Glob(filepath.Join(filepath.Dir(b.dir), "modules", "golang.org", "toolchain@*"))
	for _, t := range append(toolchains, filepath.Join(filepath.Dir(b.dir), "modules", "cache", "download", "golang.org", "toolchain")) {
		err = os.RemoveAll(t)
	}
	return err
}

// edit changes one line of the main package, differently each time.
func (b *bench) edit() error {
	b.edits++
	line := fmt.Sprintf("package main\n\nvar benchmarkEdit = %d\n\nfunc init() { benchmarkEdit++ }\n", b.edits)
	return os.WriteFile(filepath.Join(b.dir, b.o.Project.Main, "benchmark_edit.go"), []byte(line), 0o644)
}

func nothing() error { return nil }

const (
	rowCold     = "amd64 + 386, empty engine, empty caches, with downloads"
	rowWarm     = "amd64 + 386, one line changed"
	rowColdAll  = "all seven, empty engine, empty caches, with downloads"
	rowSame     = "all seven, nothing changed"
	rowWarmAll  = "all seven, one line changed"
	rowBare     = "  bare go build, the same change, summed"
	rowOldCold  = "old way: amd64 + 386, empty engine"
	rowOldAgain = "old way: amd64 + 386, one line changed"
)

func (b *bench) cold(ctx context.Context) error {
	return b.measure(ctx, rowCold, "≤ 60 s", 1, func() error { return b.empty(ctx) }, pair)
}

func (b *bench) warmPair(ctx context.Context) error {
	return b.measure(ctx, rowWarm, "≤ 2 s", 5, b.edit, pair)
}

func (b *bench) coldAll(ctx context.Context) error {
	return b.measure(ctx, rowColdAll, "≤ 180 s", 1, func() error { return b.empty(ctx) })
}

func (b *bench) warmAll(ctx context.Context) error {
	if err := b.measure(ctx, rowSame, "≤ 0.5 s", 7, nothing); err != nil {
		return err
	}
	if err := b.measure(ctx, rowWarmAll, "≤ 5 s", 5, b.edit); err != nil {
		return err
	}
	bare, err := b.bare(ctx)
	if err != nil {
		return err
	}
	b.add(rowBare, "-", bare)
	b.ratio("  ratio to bare go build", "≤ 1.5 ×", b.row(rowWarmAll), b.row(rowBare))
	return nil
}

// goBuild is the line in which a run tells how long the go command took in the container.
var goBuild = regexp.MustCompile(`(?m)^linux/\S+  go build +([0-9.]+)s`)

// bare sums what `go build` itself takes for each target after a change, one after the
// other, so that no build slows another.
func (b *bench) bare(ctx context.Context) (sum time.Duration, err error) {
	if err := b.edit(); err != nil {
		return 0, err
	}
	for _, t := range b.o.Project.Targets.Built {
		_, out, err := b.static(ctx, "-targets="+t.Name)
		if err != nil {
			return 0, err
		}
		m := goBuild.FindStringSubmatch(out)
		if m == nil {
			return 0, fmt.Errorf("no time of go build in:\n%s", out)
		}
		seconds, err := strconv.ParseFloat(m[1], 64)
		if err != nil {
			return 0, err
		}
		sum += time.Duration(seconds * float64(time.Second))
	}
	return sum, nil
}

func (b *bench) disk(ctx context.Context) error {
	_, total, err := b.e.Holdings(ctx)
	if err != nil {
		return err
	}
	b.rows = append(b.rows, Figure{Name: "engine disk after a build, GB", Seconds: float64(total) / 1e9, Goal: "≤ 1.5 GB"})
	fmt.Fprintf(b.o.Stdout, "%-58s %8.2f GB  goal ≤ 1.5 GB\n", "engine disk after a build", float64(total)/1e9)
	return nil
}
