package template

import (
	"bytes"
	"go/format"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
)

// checkoutOf is a clone of this repository as it is committed.
func checkoutOf(t *testing.T) string {
	t.Helper()
	if _, err := os.Stat("../.git"); err != nil {
		t.Skip("skipped: this is no git checkout")
	}
	dir := filepath.Join(repository(t, map[string]string{"x": ""}), "clone")
	root, err := filepath.Abs("..")
	must(t, err)
	say(t, root, "git", "clone", "-q", "--local", root, dir)
	return dir
}

// oldName is the name that no trace may be left of.
func oldName(t *testing.T, checkout string) string {
	t.Helper()
	names, err := namesOf(checkout)
	must(t, err)
	return names.Namespace
}

// newName is another one, also in a whole copy that has this one itself.
func newName() string {
	if path.Base(Library) == "night-watch" {
		return "day-watch"
	}
	return "night-watch"
}

// A whole copy has no trace of the old name, in any file or name of one, and gofmt is
// content with it. `mage test:forks` runs its tests as well.
func TestWhole(t *testing.T) {
	checkout, dir := checkoutOf(t), filepath.Join(t.TempDir(), "copy")
	old := oldName(t, checkout)
	n := New{Dir: dir, Version: "v1.0.0", Checkout: checkout, Log: io.Discard,
		Project: Project{Module: "example.org/you/" + newName(), Whole: true}}
	must(t, n.Make(t.Context()))
	count := 0
	must(t, filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.Name() == ".git" {
			return fs.SkipDir
		}
		if strings.Contains(strings.ToLower(d.Name()), old) {
			t.Errorf("the old name is left: %s", name)
		}
		if !d.Type().IsRegular() {
			return nil
		}
		count++
		text, err := os.ReadFile(name)
		if bytes.Contains(bytes.ToLower(text), []byte(old)) {
			t.Errorf("the old name is left in %s", name)
		}
		if formatted, failed := format.Source(text); filepath.Ext(name) == ".go" && failed == nil &&
			!bytes.Equal(formatted, text) {
			t.Errorf("gofmt: %s", name)
		}
		return err
	}))
	if tracked := len(strings.Fields(say(t, checkout, "git", "ls-files"))); count < tracked {
		t.Errorf("%d files of %d", count, tracked)
	}
	if os.Getenv("TCAPFLOW_TEST_FORKS") == "all" {
		say(t, dir, "go", "vet", "./...")
		say(t, dir, "go", "test", "./...")
	}
}

// An update of a whole copy takes what upstream changed, under the copy's own name.
func TestUpdateOfWhole(t *testing.T) {
	upstream, dir := checkoutOf(t), filepath.Join(t.TempDir(), "copy")
	names, err := namesOf(upstream)
	must(t, err)
	say(t, upstream, "git", "tag", "v1.0.0")
	n := New{Dir: dir, Version: "v1.0.0", Checkout: upstream, Log: io.Discard,
		Project: Project{Module: "example.org/you/" + newName(), Whole: true}}
	must(t, n.Make(t.Context()))
	put(t, dir, map[string]string{"README.md": "# Mine\n" + read(t, dir, "README.md")})
	commitAll(t, dir)
	put(t, upstream, map[string]string{"docs/news.md": "Of " + names.Program + ".\n"})
	commitAll(t, upstream)
	say(t, upstream, "git", "tag", "v1.1.0")
	put(t, upstream, map[string]string{"README.md": read(t, upstream,
		"README.md") + "\nSee " + names.Program + ".\n"})
	commitAll(t, upstream)
	say(t, upstream, "git", "tag", "v1.2.0")
	must(t, Update{Dir: dir, From: upstream, Log: io.Discard}.Run(t.Context()))
	readme := read(t, dir, "README.md")
	if !strings.HasPrefix(readme, "# Mine\n") || !strings.HasSuffix(readme, "\nSee "+newName()+".\n") {
		t.Errorf("README.md is not merged:\n%s", readme)
	}
	if got := read(t, dir, "docs/news.md"); got != "Of "+newName()+".\n" {
		t.Errorf("docs/news.md: %q", got)
	}
	if r, err := ReadRecord(dir); err != nil || r.Version != "v1.2.0" || !r.Whole {
		t.Errorf("%+v, %v", r, err)
	}
}
