package pipeline

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/mod/modfile"

	"github.com/tcapflow/tcapflow/pipeline/internal/fault"
	"github.com/tcapflow/tcapflow/pipeline/internal/host"
	"github.com/tcapflow/tcapflow/spec"
)

// Lint runs gofmt, go vet, staticcheck, and the project's own checks of that step.
func (p *Pipeline) Lint(ctx context.Context) error {
	list, err := p.lint()
	if err != nil {
		return err
	}
	return p.checks(ctx, list)
}

// Unit runs the tests that need no container engine.
func (p *Pipeline) Unit(ctx context.Context) error {
	list := p.own(spec.Unit)
	if len(list) == 0 {
		list = []spec.Check{{Name: "go test", Args: []string{"go", "test", "./..."}}}
	}
	return p.checks(ctx, list)
}

// Checks runs the project's own checks of a step, with variables added to their environment.
func (p *Pipeline) Checks(ctx context.Context, step string, env ...string) error {
	list := p.own(step)
	if len(list) == 0 {
		return fault.New(fault.Usage, "name it in Checks of build/project.go",
			"the project has no check %q", step)
	}
	for i := range list {
		list[i].Env = slices.Concat(list[i].Env, env)
	}
	return p.checks(ctx, list)
}

// own are the project's own checks of a step.
func (p *Pipeline) own(step string) (list []spec.Check) {
	for _, c := range p.project.Checks {
		if c.Step == step {
			list = append(list, c)
		}
	}
	return list
}

// lint lists what Lint runs.
func (p *Pipeline) lint() ([]spec.Check, error) {
	sources, err := goSources(p.o.Root)
	if err != nil {
		return nil, err
	}
	list := []spec.Check{
		{Name: "gofmt", Args: append([]string{"gofmt", "-l"}, sources...), Quiet: true},
		{Name: "go vet", Args: []string{"go", "vet", "./..."}},
	}
	has, err := hasTool(p.o.Root, staticcheck)
	if err != nil {
		return nil, err
	}
	if has {
		args := []string{"go", "tool", "-modfile=tools/go.mod", "staticcheck", "./..."}
		list = append(list, spec.Check{Name: "staticcheck", Args: args})
	}
	return append(list, p.own(spec.Lint)...), nil
}

const staticcheck = "honnef.co/go/tools/cmd/staticcheck"

// hasTool reports whether tools/go.mod, where heavy tools have a module of their own, names
// a tool. A project may do without any of them.
func hasTool(root, tool string) (bool, error) {
	name := filepath.Join(root, "tools", "go.mod")
	text, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	f, err := modfile.Parse(name, text, nil)
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(f.Tool, func(t *modfile.Tool) bool { return t.Path == tool }), nil
}

// goSources lists what gofmt looks at: the files and folders of the checkout's top that
// hold Go. Folders of results and hidden ones, such as of an editor, are no sources.
func goSources(root string) (names []string, err error) {
	entries, err := os.ReadDir(root)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		name := e.Name()
		if !e.IsDir() && strings.HasSuffix(name, ".go") {
			names = append(names, name)
		}
		if !e.IsDir() || passedOver(name) {
			continue
		}
		found := false
		err := eachGoFile(filepath.Join(root, name), func(string) error { found = true; return fs.SkipAll })
		if err != nil {
			return nil, err
		}
		if found {
			names = append(names, name)
		}
	}
	return names, nil
}

// passedOver are folders that hold no sources of the project.
func passedOver(name string) bool {
	return slices.Contains([]string{"out", "dist", "vendor", "node_modules"}, name) ||
		strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_")
}

func eachGoFile(below string, do func(name string) error) error {
	return filepath.WalkDir(below, func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && name != below && passedOver(d.Name()):
			return fs.SkipDir
		case d.IsDir() || !strings.HasSuffix(name, ".go"):
			return nil
		}
		return do(name)
	})
}

// engineTests runs the packages that have tests for the engine; Unit has run the others.
// A test asks for it with the variable NAMESPACE_TEST_ENGINE. They share one engine: one
// package at a time. Then come the project's own checks of that step.
func (p *Pipeline) engineTests() ([]spec.Check, error) {
	variable := p.project.Namespace.Variable("TEST_ENGINE")
	packages, err := testPackages(p.o.Root, variable)
	if err != nil {
		return nil, err
	}
	var list []spec.Check
	if len(packages) > 0 {
		args := append([]string{"go", "test", "-p=1", "-count=1", "-timeout=20m"}, packages...)
		list = append(list, spec.Check{Name: "go test (engine)", Args: args, Env: []string{variable + "=1"}})
	}
	return append(list, p.own(spec.Engine)...), nil
}

// testPackages lists the packages that have a test file with this text.
func testPackages(root, text string) (packages []string, err error) {
	err = eachGoFile(root, func(name string) error {
		if !strings.HasSuffix(name, "_test.go") {
			return nil
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

func (p *Pipeline) checks(ctx context.Context, list []spec.Check) error {
	for _, c := range list {
		start := time.Now()
		if err := runCheck(ctx, c, p.o.Root, p.stdout); err != nil {
			return err
		}
		report(p.stderr, c.Name, time.Since(start))
	}
	return nil
}

// report writes how long something took, in the form of package progress.
func report(stderr io.Writer, name string, took time.Duration) {
	fmt.Fprintf(stderr, "%-44s %6.2fs\n", name, took.Seconds())
}

func runCheck(ctx context.Context, c spec.Check, root string, stdout io.Writer) error {
	cmd := exec.CommandContext(ctx, c.Args[0], c.Args[1:]...)
	cmd.Dir, cmd.Env = root, append(host.Environ(), c.Env...)
	var printed bytes.Buffer
	cmd.Stdout = &printed
	if !c.Quiet {
		cmd.Stdout = io.MultiWriter(stdout, &printed)
	}
	cmd.Stderr = cmd.Stdout
	err := cmd.Run()
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		return fault.New(fault.Failed, "", "%s: %w", c.Name, err)
	case c.Quiet && strings.TrimSpace(printed.String()) != "":
		return &fault.Error{Code: fault.Failed, Err: fmt.Errorf("%s is not content with", c.Name),
			Log: printed.String()}
	}
	return nil
}
