package targets

import (
	"context"

	"github.com/tcapflow/tcapflow/pipeline"
	"github.com/tcapflow/tcapflow/spec"
)

// project is what the targets build. Mage calls functions that have no other way to it.
var project spec.Project

// Use sets the project; a magefile calls it once:
//
//	var _ = targets.Use(build.Project)
func Use(p spec.Project) spec.Project {
	project = p
	return p
}

// do does a job of the project's pipeline.
func do(ctx context.Context, a pipeline.Args, job func(*pipeline.Pipeline, context.Context) error) error {
	return pipeline.Do(ctx, project, a, job)
}
