package plan

import (
	"bytes"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tcapflow/tcapflow/build/defaults"

	"github.com/tcapflow/tcapflow/spec"
)

var update = flag.Bool("update", false, "rewrite golden files")

// project is none that exists, so that a fork's program does not change the goldens.
func project() spec.Project {
	return spec.Project{
		Name: "prog", Summary: "a program", Main: "./cmd/prog", Tags: []string{"netgo", "sqlite"},
		Stamp: spec.Stamp{Version: "main.version", Commit: "main.commit", Libc: "main.libc"},
		Libraries: []spec.Library{{
			Name: "libz", Version: "1.3", Licence: "Zlib", URLs: []string{"https://example.com/z.tar.gz"}, SHA256: strings.Repeat("a", 64), Build: "make libz.a",
		}},
	}
}

func options() Options {
	return Options{Version: "1.2.3+5.gabc1234", Commit: "abc", Date: "2026-03-04T05:06:07Z", GoVersion: "go1.26.8", Module: "example.com/m", Forbidden: []string{"/home/user"}}
}

// render writes a plan with one decision on a line.
func render(b Build) []byte {
	var out bytes.Buffer
	list := func(title string, words []string) {
		fmt.Fprintln(&out, title)
		for _, w := range words {
			fmt.Fprintln(&out, "  "+w)
		}
	}
	fmt.Fprintf(&out, "%s\nvariant %q\ndir %s\noutput %s\n", b.Target.Name, b.Variant, b.Dir, b.Output)
	list("env", b.Env)
	list("args", b.Args)
	w := b.Want
	list("want", []string{
		fmt.Sprintf("%v %v %v", w.Class, w.Machine, w.Data), fmt.Sprintf("not PIE because %q", w.NonPIE), fmt.Sprint("stack ", w.MinStack), fmt.Sprint("forbidden ", w.Forbidden),
		w.Go.Version + " " + w.Go.Path,
	})
	for _, key := range slices.Sorted(maps.Keys(w.Go.Settings)) {
		fmt.Fprintln(&out, "  "+key+"="+w.Go.Settings[key])
	}
	for _, l := range b.Libraries {
		list("library "+l.Name+" "+l.Version+": "+l.Library.Build, l.Env)
	}
	return out.Bytes()
}

func TestGoldens(t *testing.T) {
	known := map[string]bool{}
	for _, target := range defaults.Targets.Built {
		for _, debug := range []bool{false, true} {
			o := options()
			o.Debug = debug
			b := For(project(), target, o)
			t.Run(strings.TrimSuffix(target.Name+"/"+b.Variant, "/"), func(t *testing.T) {
				golden := filepath.Join("testdata", b.Dir+".golden")
				known[golden] = true
				if *update {
					if err := os.WriteFile(golden, render(b), 0o644); err != nil {
						t.Fatal(err)
					}
				}
				want, err := os.ReadFile(golden)
				if err != nil {
					t.Fatal(err)
				}
				if got := render(b); !bytes.Equal(got, want) {
					t.Errorf("got (-update writes it to %s)\n%s", golden, got)
				}
			})
		}
	}
	files, err := filepath.Glob("testdata/*.golden")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if !known[file] {
			t.Errorf("%s is of no target", file)
		}
	}
}

// The key changes with each input, and with nothing else.
func TestKey(t *testing.T) {
	type input struct {
		project       spec.Project
		target        spec.Target
		options       Options
		tree, builder string
	}
	fresh := func() input { return input{project(), defaults.Targets.Built[0], options(), "tree", "builder"} }
	key := func(i input) string { return For(i.project, i.target, i.options).Key(i.tree, i.builder) }
	first := key(fresh())
	if len(first) != 64 || first != key(fresh()) {
		t.Fatalf("key %s, then %s", first, key(fresh()))
	}
	seen := map[string]string{first: "nothing"}
	for name, change := range map[string]func(*input){
		"tree":           func(i *input) { i.tree += "2" },
		"builder":        func(i *input) { i.builder += "2" },
		"debug":          func(i *input) { i.options.Debug = true },
		"version":        func(i *input) { i.options.Version = "2" },
		"commit":         func(i *input) { i.options.Commit = "2" },
		"target":         func(i *input) { i.target = defaults.Targets.Built[1] },
		"C flags":        func(i *input) { i.target.CFlags = []string{"-march=x86-64-v2"} },
		"main":           func(i *input) { i.project.Main = "./cmd/other" },
		"name":           func(i *input) { i.project.Name = "other" },
		"tags":           func(i *input) { i.project.Tags = []string{"netgo"} },
		"stamp":          func(i *input) { i.project.Stamp.Version = "main.v" },
		"date stamp":     func(i *input) { i.project.Stamp.Date = "main.date" },
		"no library":     func(i *input) { i.project.Libraries = nil },
		"library digest": func(i *input) { i.project.Libraries[0].SHA256 = strings.Repeat("b", 64) },
		"library recipe": func(i *input) { i.project.Libraries[0].Build = "make" },
		"library name":   func(i *input) { i.project.Libraries[0].Name = "libother" },
	} {
		i := fresh()
		change(&i)
		k := key(i)
		if other, ok := seen[k]; ok {
			t.Errorf("%s: the same key as with a change of %s", name, other)
		}
		seen[k] = name
	}
	for name, change := range map[string]func(*input){
		"where the host has its files": func(i *input) { i.options.Forbidden = []string{"/srv/other"} },
		"a date that is not stamped":   func(i *input) { i.options.Date = "2027-01-01T00:00:00Z" },
		"where a library comes from":   func(i *input) { i.project.Libraries[0].URLs = []string{"https://mirror.example"} },
		"summary":                      func(i *input) { i.project.Summary = "other words" },
	} {
		i := fresh()
		change(&i)
		if key(i) != first {
			t.Errorf("%s changes the key", name)
		}
	}
}

// A library that is built later finds those before it in its sysroot.
func TestEarlierLibraries(t *testing.T) {
	key := func(change func([]spec.Library)) string {
		p := project()
		p.Libraries = append(p.Libraries, spec.Library{Name: "libpng", SHA256: strings.Repeat("c", 64), Build: "make libpng.a"})
		change(p.Libraries)
		libraries := For(p, defaults.Targets.Built[0], options()).Libraries
		return libraries[len(libraries)-1].Key("builder")
	}
	first := key(func([]spec.Library) {})
	for name, change := range map[string]func([]spec.Library){
		"bytes":  func(l []spec.Library) { l[0].SHA256 = strings.Repeat("b", 64) },
		"recipe": func(l []spec.Library) { l[0].Build = "make" },
	} {
		if key(change) == first {
			t.Errorf("the %s of an earlier library do not count", name)
		}
	}
}

// A library is compiled once for a target, whatever program links it.
func TestLibraryKey(t *testing.T) {
	key := func(p spec.Project, target spec.Target, o Options) string {
		return For(p, target, o).Libraries[0].Key("builder")
	}
	other, o := project(), options()
	other.Name, other.Main, o.Version = "other", "./other", "9"
	if key(other, defaults.Targets.Built[0], o) != key(project(), defaults.Targets.Built[0], options()) {
		t.Error("the key of a library depends on the program")
	}
	if key(project(), defaults.Targets.Built[1], options()) == key(project(), defaults.Targets.Built[0], options()) {
		t.Error("two targets share a library")
	}
}

// What a target's row says of position independence reaches Go, the linker and the gate.
func TestNonPIE(t *testing.T) {
	target := defaults.Targets.Built[0]
	target.NonPIE = "no start files for it"
	b := For(project(), target, options())
	words := strings.Join(b.Args, " ")
	for _, want := range []string{"-buildmode=exe", " -static -no-pie "} {
		if !strings.Contains(words, want) {
			t.Errorf("no %q in %s", want, words)
		}
	}
	if strings.Contains(words, "-static-pie") || strings.Contains(words, "buildmode=pie") {
		t.Error(words)
	}
	if b.Want.NonPIE == "" || b.Want.Go.Settings["-buildmode"] != "exe" {
		t.Errorf("the gate wants %+v", b.Want)
	}
}

// What a library asks the linker for stands behind the program's own.
func TestLink(t *testing.T) {
	p := project()
	p.Libraries[0].Link = []string{"-lc++"}
	words := strings.Join(For(p, defaults.Targets.Built[0], options()).Args, " ")
	if !strings.Contains(words, "-latomic -lcompat -lc++'") {
		t.Error(words)
	}
}
