package pipeline

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/tcapflow/tcapflow/build"
	"github.com/tcapflow/tcapflow/build/defaults"
	"github.com/tcapflow/tcapflow/pipeline/internal/fault"
	"github.com/tcapflow/tcapflow/pipeline/internal/options"
	"github.com/tcapflow/tcapflow/spec"
	"github.com/tcapflow/tcapflow/template"
)

// What a project takes over word for word from the library is not its own.
func TestOverridden(t *testing.T) {
	if got := overridden(build.Project); len(got) > 0 {
		t.Errorf("this repository overrides %q", got)
	}
	p := spec.Project{Distros: defaults.Distros, Debian: spec.Debian{Lock: []byte("{}"), Suite: "forky"},
		Targets: spec.Targets{Built: defaults.Targets.Built[:2]}}
	if got, want := overridden(p), []string{"Targets", "Debian.Suite", "Debian.Lock"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestLibraryVersion(t *testing.T) {
	root := t.TempDir()
	p := &Pipeline{o: options.Options{Root: root}}
	for mod, want := range map[string][2]string{
		"module x.example/y\nrequire " + template.Library + " v1.2.3\n":                                             {"v1.2.3"},
		"module x.example/y\nrequire " + template.Library + " v1.2.3\nreplace " + template.Library + " => ../lib\n": {"v1.2.3", filepath.Join(root, "../lib")},
		"module x.example/y\nrequire " + template.Library + " v1.2.3\nreplace " + template.Library + " => /lib\n":   {"v1.2.3", "/lib"},
		"module " + template.Library + "\n": {"v0.0.0-19700101000000-tarball", root},
	} {
		if err := os.WriteFile(filepath.Join(root, "go.mod"), []byte(mod), 0o644); err != nil {
			t.Fatal(err)
		}
		version, checkout, err := p.libraryVersion(t.Context())
		if err != nil || version != want[0] || checkout != want[1] {
			t.Errorf("%s: %s, %s, %v; want %s", mod, version, checkout, err, want)
		}
	}
	if err := os.WriteFile(filepath.Join(root, "go.mod"), []byte("module x.example/y\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	var f *fault.Error
	if _, _, err := p.libraryVersion(t.Context()); !errors.As(err, &f) || f.Code != fault.Usage || f.Next == "" {
		t.Errorf("a project without the library: %v", err)
	}
}

// An error of the template keeps its next step, and gets the exit code of its kind.
func TestOfTemplate(t *testing.T) {
	for want, e := range map[fault.Code]*template.Error{
		fault.Failed: {}, fault.Usage: {Usage: true}, fault.Fetch: {Fetch: true},
	} {
		e.Err, e.Next, e.Log = errors.New("no"), "do", "log"
		var got *fault.Error
		if err := ofTemplate(e); !errors.As(err, &got) || got.Code != want || got.Next != "do" || got.Log != "log" {
			t.Errorf("%v", err)
		}
	}
	if err := errors.New("other"); ofTemplate(err) != err {
		t.Error("an error of something else is changed")
	}
}
