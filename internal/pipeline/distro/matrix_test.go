package distro

import (
	"flag"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/tcapflow/tcapflow/build"
)

var update = flag.Bool("update", false, "rewrite golden files")

// A change of the matrix is a change of this file, and is reviewed as one.
func TestMatrix(t *testing.T) {
	const golden = "testdata/matrix.golden"
	got := table(matrix("amd64", build.Distros, build.Targets))
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

func TestDistrosAreSound(t *testing.T) {
	names := map[string]bool{}
	for _, d := range build.Distros {
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
			if _, err := build.Select(target); err != nil {
				t.Errorf("%s: %v", d.Name, err)
			}
		}
	}
}

func TestMatrixOnArm64(t *testing.T) {
	for _, c := range matrix("arm64", build.Distros, build.Targets) {
		if native := c.target.Name == "linux/arm64"; c.foreign == native {
			t.Errorf("%s: foreign is %v", c.name(), c.foreign)
		}
	}
}

func TestSelected(t *testing.T) {
	cells := matrix("amd64", build.Distros, build.Targets)
	for _, test := range []struct {
		pattern string
		n       int
		first   string
	}{
		{"", len(cells), "scratch/amd64/image/version"},
		{"debian12/amd64/deb/read", 1, "debian12/amd64/deb/read"},
		{"debian12", 3 * len(scenarios), "debian12/amd64/deb/version"},
		{"^debian1[12]$/386", 2 * len(scenarios), "debian11/386/deb/version"},
		{"///capture", len(cells) / len(scenarios), "scratch/amd64/image/capture"},
		{"rhel|alpine/arm64//read", 3, "rhel8/arm64/tar.gz/read"},
	} {
		got, err := selected(cells, test.pattern)
		if err != nil || len(got) != test.n || got[0].name() != test.first {
			t.Errorf("%q: %d cells, first %s, error %v; want %d, first %s", test.pattern, len(got), got[0].name(), err, test.n, test.first)
		}
	}
	for _, pattern := range []string{"plan9", "debian12/amd64/deb/read/more", "("} {
		if _, err := selected(cells, pattern); err == nil {
			t.Errorf("%q: no error", pattern)
		}
	}
}
