// Package pipeline builds a Go program that needs C libraries for any Linux: fully static,
// checked, packed, and run where its users run it. A project is a value of spec.Project;
// the jobs are methods, each in a file of its own, and each line of a job is a stage, a
// package below internal:
//
//	arguments + environment → options ┐
//	the project ──────────────────────┴→ run: tree, lock, mirrors, plans, manifest
//	→ image → builder → elfcheck → artifact → out/ → release → dist/ → distro
//
// The magefile of a project:
//
//	import (
//		// mage:import
//		"github.com/tcapflow/tcapflow/magefiles/targets"
//
//		"example.org/you/yourtool/build"
//	)
//
//	var _ = targets.Use(build.Project)
package pipeline

import (
	"context"
	"io"
	"os"

	"github.com/tcapflow/tcapflow/build/defaults"
	"github.com/tcapflow/tcapflow/pipeline/internal/fault"
	"github.com/tcapflow/tcapflow/pipeline/internal/interrupt"
	"github.com/tcapflow/tcapflow/pipeline/internal/options"
	"github.com/tcapflow/tcapflow/spec"
)

// Args are what a user gives on the command line; nil means not given. For the rest, the
// environment is read.
type Args = options.Args

// Pipeline does the jobs of a project. Results go to the standard output, what is logged
// to the standard error.
type Pipeline struct {
	project        spec.Project
	o              options.Options
	stdout, stderr io.Writer
}

// newPipeline reads the options for the project in the working folder. Where the project says
// nothing, it is given the library's defaults. The error tells wrong use, in one line.
func newPipeline(project spec.Project, a Args) (*Pipeline, error) {
	project = defaults.Fill(project)
	o, err := options.Read(project, a)
	if err != nil {
		return nil, err
	}
	return &Pipeline{project: project, o: o, stdout: os.Stdout, stderr: os.Stderr}, nil
}

// Do makes a Pipeline and does a job with it, until that ends or is interrupted. The error
// has the exit code that mage passes on: 1 the build or a check failed, 2 wrong use,
// 3 the engine is missing or refused, 4 an input could not be fetched.
func Do(ctx context.Context, project spec.Project, a Args, job func(*Pipeline, context.Context) error) error {
	ctx, release := interrupt.Context(ctx)
	defer release()
	p, err := newPipeline(project, a)
	if err == nil {
		err = job(p, ctx)
	}
	return fault.Exit(err)
}

// Misuse is an error of wrong use, with the next step; mage passes on exit code 2.
func Misuse(next, format string, args ...any) error {
	return fault.Exit(fault.New(fault.Usage, next, format, args...))
}
