package pipeline

import (
	"context"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/tcapflow/tcapflow/pipeline/internal/release"
	"github.com/tcapflow/tcapflow/spec"
)

// step is a part of Test, and how long it took.
type step struct {
	name string
	run  func() error
	took time.Duration
}

// Test proves everything: the checks, the tests at each level, then the three jobs.
// GoReleaser is compiled beside the steps that do without it.
func (p *Pipeline) Test(ctx context.Context) error {
	tool := p.releaseTool(ctx)
	defer tool.Stop()
	steps := []step{
		{name: "lint", run: func() error { return p.Lint(ctx) }},
		{name: "unit tests", run: func() error { return p.Unit(ctx) }},
		{name: "mage static", run: func() error { return p.Static(ctx) }},
		{name: "mage verify", run: func() error { return p.Verify() }},
	}
	engine, err := p.engineTests()
	if err != nil {
		return err
	}
	if len(engine) > 0 {
		steps = append(steps, step{name: "engine tests", run: func() error { return p.checks(ctx, engine) }})
	}
	steps = append(steps,
		step{name: "mage release", run: func() error { return p.packAndRelease(ctx, tool) }},
		step{name: "mage test:distros", run: func() error { return p.Distros(ctx) }})
	return runSteps(steps, p.stdout, p.stderr)
}

func (p *Pipeline) packAndRelease(ctx context.Context, tool *release.Tool) error {
	if err := await(ctx, tool, p.stderr); err != nil {
		return err
	}
	if err := p.checks(ctx, p.own(spec.Release)); err != nil {
		return err
	}
	return p.releaseWith(ctx, tool)
}

// await waits for what is left of GoReleaser's compilation.
func await(ctx context.Context, tool *release.Tool, stderr io.Writer) error {
	fmt.Fprintln(stderr, "waiting for GoReleaser, which is compiled beside the other steps")
	start := time.Now()
	_, err := tool.Path(ctx)
	report(stderr, "GoReleaser", time.Since(start))
	return err
}

// runSteps runs the steps until one fails, and says how long each took.
func runSteps(steps []step, stdout, stderr io.Writer) error {
	start := time.Now()
	for i := range steps {
		s := &steps[i]
		fmt.Fprintf(stderr, "\n── %s (%d of %d, %s)\n", s.name, i+1, len(steps), seconds(time.Since(start)))
		begun := time.Now()
		err := s.run()
		s.took = time.Since(begun)
		if err != nil {
			stepTable(stdout, steps[:i+1], "FAIL")
			fmt.Fprintf(stdout, "%d passed, 1 failed, %d skipped\n", i, len(steps)-i-1)
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	if err := stepTable(stdout, steps, "ok"); err != nil {
		return err
	}
	_, err := fmt.Fprintf(stdout, "%d passed, 0 failed\n", len(steps))
	return err
}

// stepTable writes a line for each step that was run; the verdict is that of the last one.
func stepTable(w io.Writer, steps []step, last string) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "\nSTEP\tTIME\tVERDICT")
	total := time.Duration(0)
	for i, s := range steps {
		verdict := "ok"
		if i == len(steps)-1 {
			verdict = last
		}
		total += s.took
		fmt.Fprintf(table, "%s\t%s\t%s\n", s.name, seconds(s.took), verdict)
	}
	fmt.Fprintf(table, "total\t%s\n", seconds(total))
	return table.Flush()
}

func seconds(d time.Duration) time.Duration { return d.Round(time.Second) }
