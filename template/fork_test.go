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
// does it with one C library, `mage test:forks` with each and with none.
func TestForks(t *testing.T) {
	if os.Getenv("TCAPFLOW_TEST_ENGINE") != "1" {
		t.Skip("skipped: no container engine: set TCAPFLOW_TEST_ENGINE=1")
	}
	forks := []string{"zlib"}
	if os.Getenv("TCAPFLOW_TEST_FORKS") == "all" {
		forks = CLibs()
	}
	p := proxy{t.TempDir()}
	version := p.add(t, "..", "v0.1.0", nil)
	p.stranger(t)
	useCache(t)
	for _, clib := range forks {
		t.Run(clib, func(t *testing.T) { fork(t, version, clib) })
	}
}

const forkName = "fork-test"

// useCache gives the fork the cache folder of this repository, so that packages and sources
// are downloaded once, and a base that needs no registry.
func useCache(t *testing.T) {
	t.Helper()
	cache := os.Getenv("TCAPFLOW_CACHE")
	if cache == "" {
		folder, err := os.UserCacheDir()
		must(t, err)
		cache = filepath.Join(folder, "tcapflow")
	}
	t.Setenv("FORK_TEST_CACHE", cache)
	t.Setenv("FORK_TEST_BASE", "debian")
}

func fork(t *testing.T, version, clib string) {
	top := t.TempDir()
	dir := filepath.Join(top, forkName)
	newtool := Library + "/cmd/newtool@" + version
	say(t, top, "go", "run", newtool, dir, "-module=example.org/you/"+forkName, "-clib="+clib)
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
	cleanAfter(t, dir)
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

// cleanAfter sees that what the engine keeps of a checkout goes, whatever happens.
func cleanAfter(t *testing.T, dir string) {
	t.Helper()
	t.Cleanup(func() {
		if _, err := command(context.Background(), dir, "go", "tool", "mage", "clean"); err != nil {
			t.Error(err)
		}
	})
}

// TestUpdateOfFork takes a project that is two versions back, and was changed by its owner,
// to the newest template and library; it is built with that.
func TestUpdateOfFork(t *testing.T) {
	if os.Getenv("TCAPFLOW_TEST_ENGINE") != "1" {
		t.Skip("skipped: no container engine: set TCAPFLOW_TEST_ENGINE=1")
	}
	p := proxy{t.TempDir()}
	first := p.add(t, "..", "v0.1.0", nil)
	p.stranger(t)
	useCache(t)
	top := t.TempDir()
	dir := filepath.Join(top, forkName)
	say(t, top, "go", "run", Library+"/cmd/newtool@"+first, dir, "-module=example.org/you/"+forkName)
	buildOnly(t, dir, []string{"linux/" + runtime.GOARCH})
	cleanAfter(t, dir)
	// What the owner does: words of his own, a program of his own, no GitLab.
	main := read(t, dir, "cmd/"+forkName+"/main.go")
	put(t, dir, map[string]string{
		"README.md":                     strings.Replace(read(t, dir, "README.md"), "A program that", "A clock that", 1),
		"cmd/" + forkName + "/clock.go": "package main\n\n// Clock is new.\nconst Clock = 1\n",
		"cmd/" + forkName + "/main.go":  strings.Replace(main, "where your program begins", "a clock", 1),
	})
	must(t, os.Remove(filepath.Join(dir, ".gitlab-ci.yml")))
	commitAll(t, dir)
	// Two versions later.
	base := filepath.Join("files", "base")
	readme, gitlab := read(t, base, "README.md.tmpl"), read(t, base, ".gitlab-ci.yml.tmpl")
	workflow := read(t, base, ".github/workflows/test.yaml.tmpl")
	second := map[string]string{"template/files/base/README.md.tmpl": readme + "\nOf the second version.\n"}
	p.add(t, "..", "v0.2.0", second)
	third := map[string]string{
		"template/files/base/README.md.tmpl":                   readme + "\nOf the third version of [[.Name]].\n",
		"template/files/base/.gitlab-ci.yml.tmpl":              gitlab + "\n# changed\n",
		"template/files/base/.github/workflows/test.yaml.tmpl": strings.Replace(workflow, "test", "tests", 1),
		"template/files/base/SECURITY.md.tmpl":                 "Tell [[.Name]]'s owner.\n",
		"template/files/base/cmd/NAME/more.go.tmpl":            "package main\n",
	}
	newest := p.add(t, "..", "v0.3.0", third)
	status := say(t, dir, "go", "tool", "mage", "template:status")
	for _, want := range []string{first, newest, "Targets", "README.md", ".gitlab-ci.yml"} {
		if !strings.Contains(status, want) {
			t.Errorf("no %s in the status:\n%s", want, status)
		}
	}
	t.Log(status)
	t.Log(say(t, dir, "go", "tool", "mage", "template:update"))
	for name, wants := range map[string][]string{
		"README.md":                    {"A clock that", "Of the third version of fork-test"},
		".github/workflows/test.yaml":  {"name: tests\n"},
		"SECURITY.md":                  {"Tell fork-test's owner."},
		"go.mod":                       {Library + " " + newest},
		"cmd/" + forkName + "/main.go": {"is a clock"},
		"build/project.go":             {"Targets:"},
	} {
		for _, want := range wants {
			if got := read(t, dir, name); !strings.Contains(got, want) {
				t.Errorf("%s: no %q in\n%s", name, want, got)
			}
		}
	}
	for _, name := range []string{".gitlab-ci.yml", "cmd/" + forkName + "/more.go"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			t.Errorf("%s came with the update", name)
		}
	}
	if branch := say(t, dir, "git", "status", "--porcelain", "--branch"); branch != "## template-"+newest {
		t.Errorf("at %s", branch)
	}
	again := say(t, dir, "go", "tool", "mage", "template:status")
	if !strings.Contains(again, newest+", the newest") {
		t.Errorf("after the update:\n%s", again)
	}
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
