package pipeline

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/tcapflow/tcapflow/pipeline/internal/fault"
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
	{name: "gofmt", args: []string{"gofmt", "-l", "build", "catalogue", "cmd", "elfcheck", "internal", "magefiles", "pipeline"}, quiet: true},
	{name: "go vet", args: []string{"go", "vet", "./..."}},
	{name: "staticcheck", args: tool("staticcheck", "./...")},
	{name: "fences (depguard)", args: tool("depguard", "./...")},
	{name: "fences bite, other hosts (go test)", env: withTools,
		args: []string{"go", "test", "-count=1", "-run=^(TestFences|TestHosts)$", "./pipeline"}},
}

// withTools lets tests use the tools of tools/go.mod.
var withTools = []string{"TCAPFLOW_TEST_TOOLS=1"}

var unit = []check{{name: "go test", args: []string{"go", "test", "./..."}}}

const engineVariable = "TCAPFLOW_TEST_ENGINE"

// engineTests runs the packages that have tests for the engine; Unit has run the others.
// They share one engine: one package at a time.
func engineTests(root string) ([]check, error) {
	packages, err := testPackages(root, "pipeline", engineVariable)
	args := append([]string{"go", "test", "-p=1", "-count=1", "-timeout=20m"}, packages...)
	return []check{{name: "go test (engine)", args: args, env: []string{engineVariable + "=1"}}}, err
}

// testPackages lists the packages below a folder that have a test file with this text.
func testPackages(root, below, text string) (packages []string, err error) {
	top := filepath.Join(root, filepath.FromSlash(below))
	err = filepath.WalkDir(top, func(name string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(name, "_test.go") {
			return err
		}
		content, err := os.ReadFile(name)
		if err != nil || !bytes.Contains(content, []byte(text)) {
			return err
		}
		rel, err := filepath.Rel(root, filepath.Dir(name))
		packages = append(packages, "./"+filepath.ToSlash(rel))
		return err
	})
	slices.Sort(packages)
	return slices.Compact(packages), err
}

// What GoReleaser packs is looked into once it is compiled.
var packTests = []check{{name: "go test (GoReleaser)", env: withTools,
	args: []string{"go", "test", "-count=1", "-run=^Test(Pack|Tool)", "./pipeline/internal/release"}}}

// A podman of its own, with a build in it.
var podmanTest = []check{{name: "go test (podman)", args: []string{"go", "test", "-count=1", "-timeout=30m", "-v", "-run=^TestPodman$", "./pipeline"},
	env: []string{"TCAPFLOW_TEST_PODMAN=1"}}}

// Podman builds, verifies, runs and cleans with a podman service of its own.
func (p *Pipeline) Podman(ctx context.Context) error {
	return p.checks(ctx, podmanTest)
}

// Lint runs formatter, vet, staticcheck and the fences.
func (p *Pipeline) Lint(ctx context.Context) error {
	return p.checks(ctx, lint)
}

// Unit runs the tests that need neither an engine nor libpcap's headers.
func (p *Pipeline) Unit(ctx context.Context) error {
	return p.checks(ctx, unit)
}

func (p *Pipeline) checks(ctx context.Context, list []check) error {
	for _, c := range list {
		start := time.Now()
		if err := c.run(ctx, p.o.Root, p.stdout); err != nil {
			return err
		}
		report(p.stderr, c.name, time.Since(start))
	}
	return nil
}

// report writes how long something took, in the form of package progress.
func report(stderr io.Writer, name string, took time.Duration) {
	fmt.Fprintf(stderr, "%-44s %6.2fs\n", name, took.Seconds())
}

func (c check) run(ctx context.Context, root string, stdout io.Writer) error {
	cmd := exec.CommandContext(ctx, c.args[0], c.args[1:]...)
	cmd.Dir, cmd.Env = root, append(os.Environ(), c.env...)
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
