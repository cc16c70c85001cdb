package targets

import (
	"context"

	"github.com/magefile/mage/mg"

	"github.com/tcapflow/tcapflow/pipeline"
)

// Template keeps a project up to date with the library and its template.
type Template mg.Namespace

// Status says which library and template the project has, what it overrides, and what is newer.
//
//	mage template:status
func (Template) Status(ctx context.Context) error {
	return do(ctx, pipeline.Args{}, (*pipeline.Pipeline).TemplateStatus)
}

// Update merges a newer template onto a branch, and builds and checks with the newer library.
//
//	mage template:update
//	mage template:update -to=v1.4.0
//	mage template:update -from=https://git.example.org/upstream   of a whole copy: where it came from
func (Template) Update(ctx context.Context, to, from *string) error {
	return do(ctx, pipeline.Args{}, func(p *pipeline.Pipeline, ctx context.Context) error {
		return p.TemplateUpdate(ctx, textOf(to), textOf(from))
	})
}
