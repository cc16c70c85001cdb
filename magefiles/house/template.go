package house

import (
	"context"

	"github.com/magefile/mage/mg"

	"github.com/tcapflow/tcapflow/build"
	"github.com/tcapflow/tcapflow/pipeline"
	"github.com/tcapflow/tcapflow/template"
)

// Template makes projects of their own.
type Template mg.Namespace

// New makes a project of your own in a new folder.
//
//example:mage template:new ../yourtool -module=example.org/you/yourtool
//example:mage template:new ../yourtool -module=example.org/you/yourtool -clib=sqlite   or libpcap, zlib, openssl, zstd
//example:mage template:new ../yourtool -module=example.org/you/yourtool -whole         a renamed copy of this repository
func (Template) New(ctx context.Context, dir string, module, name, clib *string, whole *bool) error {
	made := template.Project{Module: given(module), Name: given(name), CLib: given(clib), Whole: given(whole)}
	return do(ctx, func(p *pipeline.Pipeline, ctx context.Context) error { return p.NewProject(ctx, dir, made) })
}

func do(ctx context.Context, job func(*pipeline.Pipeline, context.Context) error) error {
	return pipeline.Do(ctx, build.Project, pipeline.Args{}, job)
}

// given is the value of an option, or the zero value where it was not given.
func given[T any](option *T) (value T) {
	if option != nil {
		value = *option
	}
	return value
}
