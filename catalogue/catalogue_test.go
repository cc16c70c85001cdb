package catalogue

import (
	"flag"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/tcapflow/tcapflow/spec"
)

var update = flag.Bool("update", false, "write docs/libraries.md anew")

var sha256Hex = regexp.MustCompile("^[0-9a-f]{64}$")

// Each entry is pinned, and its addresses are of the version that it says.
func TestPinned(t *testing.T) {
	for _, l := range All {
		if l.Version == "" || l.Licence == "" || l.DebianSource == "" || !sha256Hex.MatchString(l.SHA256) {
			t.Errorf("%s: version, licence, source package or SHA-256 are missing", l.Name)
		}
		if len(l.URLs) == 0 || !strings.HasPrefix(l.URLs[0], "{debian}/pool/") {
			t.Errorf("%s: Debian's mirrors come first, not %v", l.Name, l.URLs)
		}
		if l.Needs == nil {
			t.Errorf("%s: it does not say what it needs: each change of a project would compile it anew", l.Name)
		}
		for i, url := range l.URLs {
			if i > 0 && !strings.HasPrefix(url, "https://") {
				t.Errorf("%s: %s is not over TLS", l.Name, url)
			}
			if !strings.Contains(url, l.Version) {
				t.Errorf("%s: %s is not version %s", l.Name, url, l.Version)
			}
		}
	}
}

func TestSorted(t *testing.T) {
	var names []string
	for _, l := range All {
		names = append(names, l.Name)
	}
	if !slices.IsSortedFunc(All, func(a, b spec.Library) int { return strings.Compare(a.Name, b.Name) }) {
		t.Errorf("not in the order of their names: %v", names)
	}
	if len(slices.Compact(names)) != len(All) {
		t.Errorf("a name stands twice: %v", names)
	}
}

// The table of the page is that of the catalogue.
func TestPage(t *testing.T) {
	const page, begin, end = "../docs/libraries.md", "| --- | --- | --- | --- | --- | --- |\n", "<!-- end -->"
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, found := strings.Cut(string(text), begin)
	_, tail, ended := strings.Cut(rest, end)
	if !found || !ended {
		t.Fatalf("%s has no table", page)
	}
	want := head + begin + table() + end + tail
	if *update {
		if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if want != string(text) {
		t.Errorf("%s: the table should be (`go test ./catalogue -update` writes it)\n%s", page, table())
	}
}

func table() string {
	var out strings.Builder
	for _, l := range All {
		var needs []string
		for _, needed := range l.Needs {
			needs = append(needs, needed.Name)
		}
		row := []string{"`" + l.Name + "`", l.Version, l.Licence, strings.Join(needs, ", "), strings.Join(l.Tools, ", "),
			strings.Join(slices.Sorted(maps.Keys(l.LeftOut)), ", ")}
		out.WriteString(strings.TrimRight("| "+strings.Join(row, " | "), " ") + " |\n")
	}
	return out.String()
}
