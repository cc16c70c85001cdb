package distro

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/tcapflow/tcapflow/build/defaults"

	"github.com/tcapflow/tcapflow/pipeline/internal/engine"
	"github.com/tcapflow/tcapflow/pipeline/internal/fault"
	"github.com/tcapflow/tcapflow/spec"
)

var update = flag.Bool("update", false, "rewrite golden files")

// A change of the matrix is a change of this file, and is reviewed as one.
func TestMatrix(t *testing.T) {
	const golden = "testdata/matrix.golden"
	got := table(on([]string{"amd64", "386"}, matrix(fixture, defaults.Targets.Built)))
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("the matrix is not that of %s (rewrite it with -update):\n%s", golden, got)
	}
}

// What the engine's kernel does not run itself is emulated, and skipped where an emulator
// cannot do it; the system around it is one that the kernel runs.
func TestNatives(t *testing.T) {
	all := matrix(fixture, defaults.Targets.Built)
	for _, test := range []struct {
		natives []string // the engine's own first
		targets string   // that are run natively
	}{
		{[]string{"amd64", "386"}, "linux/amd64 linux/386"},
		{[]string{"amd64"}, "linux/amd64"},
		{[]string{"arm64", "arm"}, "linux/arm64 linux/arm/v7"},
		{[]string{"arm64"}, "linux/arm64"},
	} {
		r := &runner{engine: &engine.Engine{Arch: test.natives[0]}}
		for _, c := range on(test.natives, all) {
			native := slices.Contains(strings.Fields(test.targets), c.target.Name)
			if c.foreign == native || (c.skip != "") != (!native && c.scenario.SkipForeign != "") {
				t.Errorf("kernel of %v: %s: foreign %v, skip %q", test.natives, c.name(), c.foreign, c.skip)
			}
			system := r.system(c)
			if !slices.Contains(test.natives, system.GOARCH) || native && system.Name != c.target.Name {
				t.Errorf("kernel of %v: %s is run in a system of %s", test.natives, c.name(), system.Name)
			}
		}
	}
	if slices.ContainsFunc(all, func(c cell) bool { return c.foreign }) {
		t.Error("on changed the cells that it was given")
	}
}

// Each root is begun before anything waits for it; nothing is lost.
func TestRootsFirst(t *testing.T) {
	for _, test := range []struct {
		natives []string
		first   string
	}{
		{[]string{"amd64"}, "debian11/linux/amd64 debian12/linux/amd64 debian13/linux/amd64 scratch/linux/amd64"},
		{[]string{"amd64", "386"}, "debian11/linux/amd64 debian11/linux/386 debian12/linux/amd64"},
	} {
		r := &runner{engine: &engine.Engine{Arch: "amd64"}}
		before := byPlace(on(test.natives, matrix(fixture, defaults.Targets.Built)))
		var names []string
		for _, cells := range r.rootsFirst(before) {
			names = append(names, cells[0].place())
		}
		if got := strings.Join(names, " "); !strings.HasPrefix(got, test.first+" ") || len(names) != len(before) {
			t.Errorf("kernel of %v: %s; want %d places, %s first", test.natives, got, len(before), test.first)
		}
	}
}

func TestDistrosAreSound(t *testing.T) {
	names := map[string]bool{}
	for _, d := range defaults.Distros {
		if names[d.Name] || d.Name == "" || strings.Contains(d.Name, "/") {
			t.Errorf("name %q is empty, twice there or has a slash", d.Name)
		}
		names[d.Name] = true
		sources := slices.DeleteFunc([]string{d.Packed, d.Suite, d.Image}, func(s string) bool { return s == "" })
		if len(sources) != 1 {
			t.Errorf("%s: %d sources %q, want one", d.Name, len(sources), sources)
		}
		if len(d.Targets) == 0 {
			t.Errorf("%s: no targets", d.Name)
		}
		for _, target := range d.Targets {
			if _, err := defaults.Targets.Select(target); err != nil {
				t.Errorf("%s: %v", d.Name, err)
			}
		}
	}
}

func TestSelected(t *testing.T) {
	cells := matrix(fixture, defaults.Targets.Built)
	each := 0 // scenarios of a package
	for _, s := range fixture.Scenarios {
		if s.Packing == "" {
			each++
		}
	}
	for _, test := range []struct {
		pattern string
		n       int
		first   string
	}{
		{"", len(cells), "scratch/amd64/image/version"},
		{"debian12/amd64/deb/cat", 1, "debian12/amd64/deb/cat"},
		{"debian12", 3 * each, "debian12/amd64/deb/version"},
		{"^debian1[12]$/386", 2 * each, "debian11/386/deb/version"},
		{"///^talk$", len(byPlace(cells)), "scratch/amd64/image/talk"},
		{"rhel|alpine/arm64//cat", 3, "rhel8/arm64/tar.gz/cat"},
	} {
		got, err := selected(cells, test.pattern)
		if err != nil || len(got) != test.n || got[0].name() != test.first {
			t.Errorf("%q: %d cells, first %s, error %v; want %d, first %s", test.pattern, len(got), got[0].name(), err, test.n, test.first)
		}
	}
	for _, pattern := range []string{"plan9", "debian12/amd64/deb/cat/more", "("} {
		if _, err := selected(cells, pattern); err == nil {
			t.Errorf("%q: no error", pattern)
		}
	}
}

func TestRequire(t *testing.T) {
	for _, test := range []struct {
		require []string
		fails   string // in the error; empty: none
	}{
		{nil, ""},
		{[]string{"debian", "scratch"}, ""},
		{[]string{"debian12"}, ""},
		{[]string{"debian", "fedora"}, `unknown distribution "fedora"; known: scratch, distroless, `},
		{[]string{"ebian"}, `unknown distribution "ebian"`},
		{[]string{""}, `unknown distribution ""`},
	} {
		err := Options{Project: fixture, Targets: defaults.Targets.Built, Require: test.require}.Check()
		if test.fails == "" && err == nil {
			continue
		}
		if codeOf(err) != fault.Usage || err == nil || !strings.Contains(err.Error(), test.fails) {
			t.Errorf("%q: %v, want %q", test.require, err, test.fails)
		}
	}
	none := Options{Project: fixture, Targets: defaults.Targets.Built, Only: "plan9"}
	if err := none.Check(); codeOf(err) != fault.Usage {
		t.Errorf("-only=plan9: %v", err)
	}
}

// What cannot be had today is a skip, unless it is required; what is wrong always fails.
func TestLacking(t *testing.T) {
	debian12 := spec.Distro{Name: "debian12", Suite: "bookworm"}
	fetch := fmt.Errorf("root: %w", fault.New(fault.Fetch, "", "no mirror"))
	for _, test := range []struct {
		name    string
		err     error
		require []string
		skip    bool
		code    fault.Code
	}{
		{"no mirror", fetch, nil, true, 0},
		{"no mirror, another required", fetch, []string{"debian13", "scratch"}, true, 0},
		{"no mirror, required", fetch, []string{"scratch", "debian"}, false, fault.Fetch},
		{"no image", skipped{"no registry"}, nil, true, 0},
		{"no image, required", skipped{"no registry"}, []string{"debian12"}, false, fault.Fetch},
		{"dpkg failed", errors.New("dpkg: exit status 1"), nil, false, fault.Failed},
		{"the engine is gone", fault.New(fault.Engine, "", "lost"), nil, false, fault.Engine},
	} {
		r := &runner{Options: Options{Require: test.require}}
		err := r.lacking(debian12, test.err)
		var skip skipped
		if errors.As(err, &skip) != test.skip || !test.skip && codeOf(err) != test.code {
			t.Errorf("%s: %v (code %d)", test.name, err, codeOf(err))
		}
		if cause := test.err.Error(); !strings.Contains(err.Error(), cause) {
			t.Errorf("%s: %v does not say %q", test.name, err, cause)
		}
	}
}
