package pipeline

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"golang.org/x/mod/modfile"

	"github.com/tcapflow/tcapflow/pipeline/internal/fault"
	"github.com/tcapflow/tcapflow/pipeline/internal/source"
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
	return "", "", fault.New(fault.Usage, "go get "+template.Library+"@latest", "go.mod does not require %s", template.Library)
}

// ofTemplate gives an error of package template its exit code.
func ofTemplate(err error) error {
	var e *template.Error
	if !errors.As(err, &e) {
		return err
	}
	code := fault.Failed
	if e.Usage {
		code = fault.Usage
	}
	return &fault.Error{Code: code, Err: e.Err, Next: e.Next, Log: e.Log}
}
