package template

import (
	"bytes"
	"errors"
	"flag"
	"go/format"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
	"golang.org/x/mod/modfile"
)

var update = flag.Bool("update", false, "write files/base/tools anew")

// The tools of a new project are those of this repository, but for what only checks its
// own house.
func TestTools(t *testing.T) {
	for _, name := range []string{"go.mod", "go.sum"} {
		text, err := os.ReadFile(filepath.Join("..", "tools", name))
		if err != nil {
			t.Fatal(err)
		}
		if name == "go.mod" {
			text = toolsOfProject(t, text)
		}
		file := filepath.Join("files", "base", "tools", name+suffix)
		if *update {
			if err := os.WriteFile(file, text, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if have, err := os.ReadFile(file); err != nil || !bytes.Equal(have, text) {
			t.Errorf("%s is not what ../tools/%s says (%v); -update writes it anew", file, name, err)
		}
	}
}

func toolsOfProject(t *testing.T, text []byte) []byte {
	t.Helper()
	f, err := modfile.Parse("go.mod", text, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.DropTool("github.com/OpenPeeDeeP/depguard/v2/cmd/depguard"); err != nil {
		t.Fatal(err)
	}
	f.Cleanup()
	if text, err = f.Format(); err != nil {
		t.Fatal(err)
	}
	return bytes.Replace(text, []byte("module "+Library+"/tools"), []byte("module [[.Module]]/tools"), 1)
}

// A new project begins with the versions that this repository has.
func TestVersions(t *testing.T) {
	text, err := os.ReadFile("../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	f, err := modfile.Parse("go.mod", text, nil)
	if err != nil {
		t.Fatal(err)
	}
	mage := ""
	for _, r := range f.Require {
		if r.Mod.Path == "github.com/magefile/mage" {
			mage = r.Mod.Version
		}
	}
	if f.Module.Mod.Path != Library || f.Go.Version != goVersion || f.Toolchain.Name != toolchain ||
		mage != mageVersion {
		t.Errorf("go.mod has %s, go %s, %s, mage %s", f.Module.Mod.Path, f.Go.Version, f.Toolchain.Name, mage)
	}
	// With one of these, `go run MODULE/cmd/newtool@VERSION` is refused (go.dev/ref/mod#go-install).
	if len(f.Replace) > 0 || len(f.Exclude) > 0 {
		t.Error("go.mod has a replace or an exclude line")
	}
}

// Each project has few files, all of its own name, and well-formed.
func TestRender(t *testing.T) {
	for _, clib := range CLibs() {
		t.Run(clib, func(t *testing.T) {
			got, err := Project{Module: "example.org/you/your-tool", CLib: clib}.Render("v1.2.3")
			if err != nil {
				t.Fatal(err)
			}
			if n := len(got) + 1; n > 18 { // and go.sum
				t.Errorf("%d files, want at most 18", n)
			}
			for _, name := range []string{"go.mod", "build/project.go", "cmd/your-tool/main.go", RecordName} {
				if got[name] == nil {
					t.Errorf("no %s", name)
				}
			}
			if want := clib != "none"; (got["cmd/your-tool/"+clib+".go"] != nil) != want {
				t.Errorf("the file that links %s is there: %t", clib, !want)
			}
			for name, text := range got {
				wellFormed(t, name, text)
			}
		})
	}
}

func wellFormed(t *testing.T, name string, text []byte) {
	t.Helper()
	if bytes.Contains(text, []byte("[[")) || bytes.Contains(text, []byte("<no value>")) ||
		strings.Contains(name, "NAME") {
		t.Errorf("%s: an action of the template is left", name)
	}
	switch path.Ext(name) {
	case ".go":
		if formatted, err := format.Source(text); err != nil || !bytes.Equal(formatted, text) {
			t.Errorf("%s is not as gofmt has it (%v):\n%s", name, err, text)
		}
	case ".yaml", ".yml":
		var parsed any
		if err := yaml.Unmarshal(text, &parsed); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	case ".mod":
		if _, err := modfile.Parse(name, text, nil); err != nil {
			t.Error(err)
		}
	}
}

func TestFill(t *testing.T) {
	for _, good := range []struct{ module, name, want string }{
		{"example.org/you/yourtool", "", "yourtool"},
		{"example.org/you/yourtool/v2", "", "yourtool"},
		{"example.org/you/Repo", "your-tool", "your-tool"},
	} {
		p, err := Project{Module: good.module, Name: good.name}.fill()
		if err != nil || p.Name != good.want || p.CLib != "none" {
			t.Errorf("%+v: %+v, %v", good, p, err)
		}
	}
	for _, bad := range []Project{
		{}, {Module: "a b"}, {Module: "/x"}, {Module: "example.org/You"},
		{Module: "example.org/x/y", Name: "../y"}, {Module: "example.org/x/y"},
		{Module: "example.org/x/build"}, {Module: "example.org/x/yy", CLib: "glib"},
		{Module: "example.org/x/yy", Name: "yy\nzz"}, {Module: "example.org/x/yy", Name: "-yy"},
		{Module: "example.org/x/yy", CLib: "zlib", Whole: true},
	} {
		var e *Error
		if _, err := bad.fill(); !errors.As(err, &e) || !e.Usage || e.Next == "" {
			t.Errorf("%+v: %v", bad, err)
		}
	}
}

func TestFolder(t *testing.T) {
	empty, full := t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(full, "mine"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for dir, ok := range map[string]bool{empty: true, filepath.Join(empty, "new"): true, full: false,
		"": false, "-module=x": false} {
		if err := checkFolder(dir); (err == nil) != ok {
			t.Errorf("%q: %v", dir, err)
		}
	}
}

// A record is read as it was written, also by a version that knows more.
func TestRecord(t *testing.T) {
	dir := t.TempDir()
	if _, err := ReadRecord(dir); err == nil {
		t.Error("a folder without a record has one")
	}
	text := `{"version": "v1.0.0", "name": "yourtool", "module": "example.org/you/yourtool", "clib": "zlib",
		"colour": "red"}`
	if err := os.WriteFile(filepath.Join(dir, RecordName), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	r, err := ReadRecord(dir)
	if err != nil || r.Version != "v1.0.0" || r.CLib != "zlib" || r.Name != "yourtool" {
		t.Errorf("%+v, %v", r, err)
	}
}
