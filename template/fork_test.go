package template

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// TestForks does what a stranger does: makes a project by `go run …/cmd/newtool@VERSION`,
// checks, builds, packs and runs it in scratch, natively and under qemu-user. `mage test`
// does it with and without a C library, `mage test:forks` with each.
func TestForks(t *testing.T) {
	if os.Getenv("TCAPFLOW_TEST_ENGINE") != "1" {
		t.Skip("skipped: no container engine: set TCAPFLOW_TEST_ENGINE=1")
	}
	forks := []string{"none", "zlib"}
	if os.Getenv("TCAPFLOW_TEST_FORKS") == "all" {
		forks = CLibs()
	}
	p := proxy{t.TempDir()}
	version := p.add(t, "..", "v0.1.0")
	p.stranger(t)
	cache := os.Getenv("TCAPFLOW_CACHE")
	if cache == "" {
		folder, err := os.UserCacheDir()
		must(t, err)
		cache = filepath.Join(folder, "tcapflow")
	}
	t.Setenv("FORK_TEST_CACHE", cache) // so that packages and sources are downloaded once
	t.Setenv("FORK_TEST_BASE", "debian")
	for _, clib := range forks {
		t.Run(clib, func(t *testing.T) { fork(t, version, clib) })
	}
}

const forkName = "fork-test"

func fork(t *testing.T, version, clib string) {
	top := t.TempDir()
	dir := filepath.Join(top, forkName)
	say(t, top, "go", "run", Library+"/cmd/newtool@"+version, dir, "-module=example.org/you/"+forkName, "-clib="+clib)
	if files := strings.Fields(say(t, dir, "git", "ls-files")); len(files) > 18 {
		t.Errorf("%d files: %q", len(files), files)
	}
	if status := say(t, dir, "git", "status", "--porcelain"); status != "" {
		t.Errorf("not everything is committed:\n%s", status)
	}
	two := []string{"linux/" + runtime.GOARCH, "linux/riscv64"}
	if !slices.Contains([]string{"amd64", "arm64"}, runtime.GOARCH) {
		two[0] = "linux/amd64"
	}
	buildOnly(t, dir, two)
	// What the engine keeps of this checkout goes, whatever happens.
	t.Cleanup(func() {
		if _, err := command(context.Background(), dir, "go", "tool", "mage", "clean"); err != nil {
			t.Error(err)
		}
	})
	for _, target := range []string{"lint", "test:unit", "static", "verify", "release"} {
		say(t, dir, "go", "tool", "mage", target)
	}
	cells := say(t, dir, "go", "tool", "mage", "test:distros", "-only=scratch", "-require=scratch")
	for _, target := range two {
		for _, scenario := range []string{"version", "check"} {
			cell := "scratch/" + strings.TrimPrefix(target, "linux/") + "/image/" + scenario
			if !strings.Contains(cells, cell) {
				t.Errorf("%s was not run:\n%s", cell, cells)
			}
		}
	}
	t.Log(cells)
}

// buildOnly gives the project a table of targets of its own, so that two are built and not
// seven.
func buildOnly(t *testing.T, dir string, targets []string) {
	t.Helper()
	file := filepath.Join(dir, "build", "project.go")
	text, err := os.ReadFile(file)
	must(t, err)
	changed := strings.Replace(string(text), "\tStamp:", "\tTargets: targets,\n\tStamp:", 1)
	must(t, os.WriteFile(file, []byte(changed), 0o644))
	own := `package build

import (
	"` + Library + `/build/defaults"
	"` + Library + `/spec"
)

var targets = some("` + strings.Join(targets, ",") + `")

func some(names string) spec.Targets {
	list, err := defaults.Targets.Select(names)
	if err != nil {
		panic(err)
	}
	return spec.Targets{Built: list}
}
`
	must(t, os.WriteFile(filepath.Join(dir, "build", "targets.go"), []byte(own), 0o644))
	say(t, dir, "gofmt", "-w", "build")
	say(t, dir, "git", "add", "-A")
	say(t, dir, "git", "commit", "-q", "-m", "build: two targets")
}

// say runs a command that must not fail, and returns what it prints.
func say(t *testing.T, dir string, words ...string) string {
	t.Helper()
	text, err := command(t.Context(), dir, words...)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
