package pipeline

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/tcapflow/tcapflow/build"
	"github.com/tcapflow/tcapflow/catalogue"
	"github.com/tcapflow/tcapflow/pipeline/internal/source"
	"github.com/tcapflow/tcapflow/spec"
)

// The part that each run of the engine's tests builds; `mage test:libraries` builds all of
// the catalogue for all targets.
const (
	librariesByDefault = "sqlite,zlib"
	targetsByDefault   = "linux/386,linux/amd64,linux/arm64"
)

// withoutLibrary are programs of testdata/libraries that are about the compiler's own.
var withoutLibrary = []string{"atomics"}

// TestLibraries builds a program of testdata/libraries for each library of the catalogue
// and runs it, natively or under qemu-user. Each links what it needs by its own words, in
// a sysroot that has all libraries of the run.
func TestLibraries(t *testing.T) {
	if os.Getenv("TCAPFLOW_TEST_ENGINE") != "1" {
		t.Skip("no container engine: set TCAPFLOW_TEST_ENGINE=1")
	}
	names, targets := os.Getenv("LIBRARIES"), os.Getenv("LIBRARIES_TARGETS")
	if names == "" {
		names, targets = librariesByDefault, targetsByDefault
	}
	p := build.Project
	p.Tags = []string{"netgo", "osusergo"}
	p.Libraries = nil
	programs := slices.Clone(withoutLibrary)
	var alone []spec.Library // for some targets only
	for _, l := range catalogue.All {
		switch {
		case names != "all" && !slices.Contains(strings.Split(names, ","), l.Name):
		case len(l.LeftOut) > 0:
			alone = append(alone, l)
		default:
			p.Libraries = append(p.Libraries, l)
			programs = append(programs, l.Name)
		}
	}
	w := newTorture(t, p, "libraries", targets)
	w.runs = 1
	for _, name := range programs {
		t.Run(name, func(t *testing.T) { w.library(t, p, name, w.o.Targets) })
	}
	for _, l := range alone {
		p.Libraries = []spec.Library{l}
		t.Run(l.Name, func(t *testing.T) { w.library(t, p, l.Name, possible(t, l, w.o.Targets)) })
	}
}

func (w *torture) library(t *testing.T, p spec.Project, name string, targets []spec.Target) {
	p.Name = name
	if p.Main != "." {
		p.Main = "./" + name
	}
	files := w.build(t, p, targets, false)
	for _, target := range targets {
		t.Run(target.Name, func(t *testing.T) { w.run(t, target, files[target.Name]) })
	}
}

// possible are the targets that a library is not left out for.
func possible(t *testing.T, l spec.Library, targets []spec.Target) (list []spec.Target) {
	for _, target := range targets {
		if reason, ok := l.LeftOut[target.Name]; ok {
			t.Logf("not for %s: %s", target.Name, reason)
			continue
		}
		list = append(list, target)
	}
	if list == nil {
		t.Skip("none of the targets is left")
	}
	return list
}

// Each library of the catalogue has a program that proves it.
func TestEachLibraryIsProven(t *testing.T) {
	for _, l := range catalogue.All {
		if _, err := os.Stat("testdata/libraries/" + l.Name + "/main.go"); err != nil {
			t.Error(err)
		}
	}
}

// An archive that a module brings along is linked, where the module has one for musl.
func TestPrebuilt(t *testing.T) {
	if os.Getenv("LIBRARIES") != "all" {
		t.Skip("a part of `mage test:libraries`: its module is fetched")
	}
	p := build.Project
	p.Name, p.Main, p.Libraries = "prebuilt", ".", nil
	p.Tags = []string{"netgo", "osusergo", "musl"}
	w := newTorture(t, p, "prebuilt", os.Getenv("LIBRARIES_TARGETS"))
	w.runs = 1
	var targets []spec.Target // those that the module has an archive for
	var packages []source.Package
	for _, target := range w.o.Targets {
		if target.GOARCH == "amd64" || target.GOARCH == "arm64" {
			targets = append(targets, target)
			packages = append(packages, source.Package{Main: p.Main, Tags: p.Tags, GOARCH: target.GOARCH})
		}
	}
	if targets == nil {
		t.Skip("the module has no archive for any of the targets")
	}
	var err error
	if w.modules, err = w.tree.Modules(t.Context(), packages); err != nil {
		t.Fatal(err)
	}
	w.library(t, p, "prebuilt", targets)
}
