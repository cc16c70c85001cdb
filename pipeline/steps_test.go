package pipeline

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tcapflow/tcapflow/build"
	"github.com/tcapflow/tcapflow/pipeline/internal/fault"
	"github.com/tcapflow/tcapflow/pipeline/internal/options"
	"github.com/tcapflow/tcapflow/spec"
)

func TestRunSteps(t *testing.T) {
	ran := ""
	named := func(name string, err error) step {
		return step{name: name, run: func() error { ran += name; return err }}
	}
	broken := errors.New("broken")
	tests := []struct {
		steps       []step
		ran, stdout string
		err         error
	}{
		{[]step{named("a", nil), named("b", nil)}, "ab",
			"\nSTEP   TIME  VERDICT\na      0s    ok\nb      0s    ok\ntotal  0s\n2 passed, 0 failed\n", nil},
		{[]step{named("a", nil), named("b", broken), named("c", nil)}, "ab",
			"\nSTEP   TIME  VERDICT\na      0s    ok\nb      0s    FAIL\ntotal  0s\n1 passed, 1 failed, 1 skipped\n", broken},
	}
	for _, tt := range tests {
		ran = ""
		var stdout bytes.Buffer
		err := runSteps(tt.steps, &stdout, io.Discard)
		if !errors.Is(err, tt.err) || ran != tt.ran || stdout.String() != tt.stdout {
			t.Errorf("ran %q, error %v, printed\n%s\nwant %q, %v,\n%s", ran, err, &stdout, tt.ran, tt.err, tt.stdout)
		}
		if err != nil && !strings.HasPrefix(err.Error(), "b: ") {
			t.Errorf("the error does not name the step: %v", err)
		}
	}
}

// Each package with a test for the engine is run, and no other.
func TestEngineTests(t *testing.T) {
	p := &Pipeline{project: build.Project, o: options.Options{Root: ".."}}
	list, err := p.engineTests()
	if err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	for name, want := range map[string]bool{
		"./pipeline": true, "./pipeline/internal/engine": true, "./pipeline/internal/plan": false,
	} {
		if slices.Contains(list[0].Args, name) != want {
			t.Errorf("%s is in %q: %v, want %v", name, list[0].Args, !want, want)
		}
	}
}

// A project of its own has other folders, perhaps no tools, and no tests of the pipeline.
func TestChecksOfProject(t *testing.T) {
	root := t.TempDir()
	for name, text := range map[string]string{
		"main.go": "package main", "cmd/tool/main.go": "package main", "doc/page.md": "#", "out/x.go": "package x",
		".cache/x.go": "package x", "cmd/tool/main_test.go": "package main // TOOL_TEST_ENGINE", "cmd/tool/_old/x_test.go": "TOOL_TEST_ENGINE",
	} {
		name = filepath.Join(root, filepath.FromSlash(name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	p := &Pipeline{project: spec.Project{Namespace: "tool", Checks: []spec.Check{{Step: spec.Lint, Name: "own"}, {Step: "night", Name: "long"}}}}
	p.o.Root = root
	names := func(list []spec.Check, err error) string {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		text := ""
		for _, c := range list {
			text += c.Name + " " + strings.Join(c.Args, " ") + "; "
		}
		return text
	}
	if got, want := names(p.lint()), "gofmt gofmt -l cmd main.go; go vet go vet ./...; own ; "; got != want {
		t.Errorf("lint: %s\nwant %s", got, want)
	}
	if got, want := names(p.engineTests()), "go test (engine) go test -p=1 -count=1 -timeout=20m ./cmd/tool; "; got != want {
		t.Errorf("engine: %s\nwant %s", got, want)
	}
	p.project.Namespace = "other"
	if got := names(p.engineTests()); got != "" {
		t.Errorf("engine tests of a project that has none: %s", got)
	}
	var f *fault.Error
	if err := p.Checks(t.Context(), "day"); !errors.As(err, &f) || f.Code != fault.Usage {
		t.Errorf("a check that is not there: %v", err)
	}
}
