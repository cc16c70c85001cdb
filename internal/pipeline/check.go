package pipeline

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/tcapflow/tcapflow/internal/pipeline/fault"
	"github.com/tcapflow/tcapflow/internal/pipeline/options"
)

// check is a step of Lint or Test: a command of the go tool chain that must exit with 0
// and, if quiet, print nothing.
type check struct {
	name  string
	args  []string
	quiet bool
	env   []string
}

// The heavy tools have a module of their own, so that none enters the product's graph.
func tool(name string, args ...string) []string {
	return append([]string{"go", "tool", "-modfile=tools/go.mod", name}, args...)
}

var lint = []check{
	{name: "gofmt", args: []string{"gofmt", "-l", "build", "cmd", "internal", "magefiles"}, quiet: true},
	{name: "go vet", args: []string{"go", "vet", "./..."}},
	{name: "go vet for darwin", args: []string{"go", "vet", "./..."}, env: []string{"GOOS=darwin"}},
	{name: "go vet for windows", args: []string{"go", "vet", "./..."}, env: []string{"GOOS=windows"}},
	{name: "staticcheck", args: tool("staticcheck", "./...")},
	{name: "fences (depguard)", args: tool("depguard", "./...")},
}

var unit = []check{{name: "go test", args: []string{"go", "test", "./..."}}}

// The engine's tests share one engine: one package at a time.
var engineTests = []check{{name: "go test (engine)", args: []string{"go", "test", "-p=1", "-count=1", "-timeout=20m", "./internal/pipeline/..."},
	env: []string{"TCAPFLOW_TEST_ENGINE=1"}}}

// A podman of its own, with a build in it.
var podmanTest = []check{{name: "go test (podman)", args: []string{"go", "test", "-count=1", "-timeout=30m", "-v", "-run=^TestPodman$", "./internal/pipeline"},
	env: []string{"TCAPFLOW_TEST_PODMAN=1"}}}

// Podman builds, verifies, runs and cleans with a podman service of its own.
func Podman(ctx context.Context, o options.Options, stdout, stderr io.Writer) error {
	return checks(ctx, o, podmanTest, stdout, stderr)
}

// Lint runs formatter, vet, staticcheck and the fences.
func Lint(ctx context.Context, o options.Options, stdout, stderr io.Writer) error {
	return checks(ctx, o, lint, stdout, stderr)
}

// Unit runs the tests that need neither an engine nor libpcap's headers.
func Unit(ctx context.Context, o options.Options, stdout, stderr io.Writer) error {
	return checks(ctx, o, unit, stdout, stderr)
}

// Test proves everything: the checks, the tests at each level, then the three jobs.
func Test(ctx context.Context, o options.Options, stdout, stderr io.Writer) error {
	steps := []struct {
		name string
		run  func() error
	}{
		{"lint", func() error { return Lint(ctx, o, stdout, stderr) }},
		{"unit tests", func() error { return Unit(ctx, o, stdout, stderr) }},
		{"mage static", func() error { return Static(ctx, o, stdout, stderr) }},
		{"mage verify", func() error { return Verify(o, nil, stdout) }},
		{"engine tests", func() error { return checks(ctx, o, engineTests, stdout, stderr) }},
		{"mage release", func() error { return Release(ctx, o, false, stdout, stderr) }},
		{"mage test:distros", func() error { return Distros(ctx, o, "", stdout, stderr) }},
	}
	start := time.Now()
	for i, step := range steps {
		fmt.Fprintf(stderr, "\n── %s (%d of %d, %s)\n", step.name, i+1, len(steps), time.Since(start).Round(time.Second))
		if err := step.run(); err != nil {
			fmt.Fprintf(stdout, "%d passed, 1 failed, %d skipped\n", i, len(steps)-i-1)
			return fmt.Errorf("%s: %w", step.name, err)
		}
	}
	fmt.Fprintf(stdout, "%d passed, 0 failed\n", len(steps))
	return nil
}

func checks(ctx context.Context, o options.Options, list []check, stdout, stderr io.Writer) error {
	for _, c := range list {
		start := time.Now()
		if err := c.run(ctx, o, stdout); err != nil {
			return err
		}
		fmt.Fprintf(stderr, "%-44s %6.2fs\n", c.name, time.Since(start).Seconds())
	}
	return nil
}

func (c check) run(ctx context.Context, o options.Options, stdout io.Writer) error {
	cmd := exec.CommandContext(ctx, c.args[0], c.args[1:]...)
	cmd.Dir, cmd.Env = o.Root, append(os.Environ(), c.env...)
	var printed bytes.Buffer
	cmd.Stdout = &printed
	if !c.quiet {
		cmd.Stdout = io.MultiWriter(stdout, &printed)
	}
	cmd.Stderr = cmd.Stdout
	err := cmd.Run()
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		return fault.New(fault.Failed, "", "%s: %w", c.name, err)
	case c.quiet && strings.TrimSpace(printed.String()) != "":
		return &fault.Error{Code: fault.Failed, Err: fmt.Errorf("%s is not content with", c.name), Log: printed.String()}
	}
	return nil
}
