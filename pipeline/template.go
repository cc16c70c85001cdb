package pipeline

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"text/tabwriter"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/semver"

	"github.com/tcapflow/tcapflow/build/defaults"
	"github.com/tcapflow/tcapflow/pipeline/internal/fault"
	"github.com/tcapflow/tcapflow/pipeline/internal/source"
	"github.com/tcapflow/tcapflow/spec"
	"github.com/tcapflow/tcapflow/template"
)

// NewProject makes a project of its own in a folder, which requires this library.
func (p *Pipeline) NewProject(ctx context.Context, dir string, made template.Project) error {
	version, checkout, err := p.libraryVersion(ctx)
	if err != nil {
		return err
	}
	n := template.New{Dir: dir, Project: made, Version: version, Checkout: checkout, Log: p.stderr}
	return ofTemplate(n.Make(ctx))
}

// TemplateStatus prints which library and template the project has, what it overrides, and
// what is newer.
func (p *Pipeline) TemplateStatus(ctx context.Context) error {
	own, _, err := p.libraryVersion(ctx)
	if err != nil {
		return err
	}
	s, err := template.Update{Dir: p.o.Root, Own: own, Log: p.stderr}.Status(ctx)
	if err != nil {
		return ofTemplate(err)
	}
	table := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	if !s.Record.Whole {
		fmt.Fprintf(table, "library\t%s\n", libraryLine(s))
	}
	fmt.Fprintf(table, "template\t%s\n", templateLine(s))
	fmt.Fprintf(table, "overrides\t%s\n", listOr(overridden(p.given), "nothing: all else is the library's"))
	if !s.Record.Whole {
		fmt.Fprintf(table, "changed\t%s\n", listOr(s.Changed, "no file of the template"))
		fmt.Fprintf(table, "thrown away\t%s\n", listOr(s.Gone, "no file of the template"))
	}
	return table.Flush()
}

func libraryLine(s template.Status) string {
	line := s.Library
	switch {
	case s.Replace != "":
		return line + ", which go.mod replaces by " + s.Replace
	case s.Why != nil:
		return line + "; what is newest cannot be asked: " + lastLine(s.Why)
	case semver.Compare(s.Newest, s.Library) > 0:
		return line + "; newest " + s.Newest + ", `mage template:update` takes it"
	}
	return line + ", the newest"
}

func templateLine(s template.Status) string {
	line := s.Record.Version
	switch {
	case s.Record.Whole:
		return line + ", a whole copy; `mage template:update -from=REPOSITORY` takes a newer one"
	case s.Library != line:
		return line + ", not that of the library: `mage template:update` brings both to one version"
	}
	return line
}

// lastLine is what a failed command said in the end.
func lastLine(err error) string {
	lines := strings.Split(strings.TrimSpace(err.Error()), "\n")
	return strings.TrimSpace(lines[len(lines)-1])
}

func listOr(names []string, none string) string {
	if len(names) == 0 {
		return none
	}
	return strings.Join(names, ", ")
}

// overridden names the fields that a project sets, of those for which the library has
// values of its own: Targets, Debian.Lock.
func overridden(p spec.Project) (names []string) {
	own, library := reflect.ValueOf(p), reflect.ValueOf(defaults.Fill(spec.Project{}))
	add := func(name string, own, library reflect.Value) {
		if !own.IsZero() && !reflect.DeepEqual(own.Interface(), library.Interface()) {
			names = append(names, name)
		}
	}
	for _, field := range []string{"Targets", "Distros", "Runtime"} {
		add(field, own.FieldByName(field), library.FieldByName(field))
	}
	for _, base := range []string{"Debian", "Alpine"} {
		one, other := own.FieldByName(base), library.FieldByName(base)
		for i := range one.NumField() {
			if one.Type().Field(i).Name == "LockFile" { // says where a lock is written, and is none
				continue
			}
			add(base+"."+one.Type().Field(i).Name, one.Field(i), other.Field(i))
		}
	}
	return names
}

// TemplateUpdate merges a newer template onto a branch, then builds and checks with the
// newer library: with another process, as this one is made of the older. To is a version,
// empty for the newest; from is the repository that a whole copy was made of.
func (p *Pipeline) TemplateUpdate(ctx context.Context, to, from string) error {
	own, _, err := p.libraryVersion(ctx)
	if err != nil {
		return err
	}
	u := template.Update{Dir: p.o.Root, To: to, From: from, Own: own, Log: p.stderr}
	if err := u.Run(ctx); err != nil {
		return ofTemplate(err)
	}
	return p.checks(ctx, []spec.Check{
		{Name: "mage static", Args: []string{"go", "tool", "mage", "static"}},
		{Name: "mage verify", Args: []string{"go", "tool", "mage", "verify"}},
	})
}

// libraryVersion is the version of this library that go.mod requires, or, in a checkout of
// the library itself, the one that it has now.
func (p *Pipeline) libraryVersion(ctx context.Context) (version, checkout string, err error) {
	name := filepath.Join(p.o.Root, "go.mod")
	text, err := os.ReadFile(name)
	if err != nil {
		return "", "", fault.New(fault.Usage, "run mage in the folder of go.mod", "%w", err)
	}
	f, err := modfile.Parse(name, text, nil)
	if err != nil {
		return "", "", err
	}
	if f.Module.Mod.Path == template.Library {
		tree, err := source.Read(ctx, p.o.Root)
		return "v" + tree.Version.Version, p.o.Root, err
	}
	for _, r := range f.Replace {
		if r.Old.Path == template.Library && r.New.Version == "" {
			checkout = r.New.Path
		}
	}
	if checkout != "" && !filepath.IsAbs(checkout) {
		checkout = filepath.Join(p.o.Root, checkout)
	}
	for _, r := range f.Require {
		if r.Mod.Path == template.Library {
			return r.Mod.Version, checkout, nil
		}
	}
	return "", "", fault.New(fault.Usage, "go get "+template.Library+"@latest",
		"go.mod does not require %s", template.Library)
}

// ofTemplate gives an error of package template its exit code.
func ofTemplate(err error) error {
	var e *template.Error
	if !errors.As(err, &e) {
		return err
	}
	code := fault.Failed
	switch {
	case e.Usage:
		code = fault.Usage
	case e.Fetch:
		code = fault.Fetch
	}
	return &fault.Error{Code: code, Err: e.Err, Next: e.Next, Log: e.Log}
}
