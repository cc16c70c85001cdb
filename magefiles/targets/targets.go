// Package targets has the mage targets. Each hands its arguments to the pipeline; what
// a job does is in package pipeline, a file each.
package targets

import (
	"context"

	"github.com/magefile/mage/mg"

	"github.com/tcapflow/tcapflow/pipeline"
)

// Static builds fully static, verified binaries into out/.
//
//example:mage static                                 all targets
//example:mage static -targets=linux/386,linux/arm64  some
//example:mage static -debug                          unstripped twins, for a debugger
//example:mage static -base=debian                    not auto (Alpine where it can be had, else Debian)
//example:mage static -locked                         stop where a locked input is gone
//example:mage static -json                           the artifacts, for a program
func Static(ctx context.Context, targets, base *string, debug, locked, json *bool) error {
	return do(ctx, pipeline.Args{Targets: targets, Base: base, Debug: debug, Locked: locked, JSON: json}, (*pipeline.Pipeline).Static)
}

// Verify runs the gate on every artifact of out/, or on the files that are named.
//
//example:mage verify
//example:mage verify -files=/usr/bin/true,dist/tcapflow-client -json
func Verify(ctx context.Context, files *string, json *bool) error {
	return do(ctx, pipeline.Args{Files: files, JSON: json},
		func(p *pipeline.Pipeline, _ context.Context) error { return p.Verify() })
}

// Targets lists the platforms that are built, and those left out with the reason.
func Targets(ctx context.Context) error {
	return do(ctx, pipeline.Args{}, func(p *pipeline.Pipeline, _ context.Context) error { return p.Targets() })
}

// Clean frees what the builds of this checkout left in the engine and on disk.
//
//example:mage clean -show   only show, with sizes and days of last use
//example:mage clean -all    of all checkouts; downloads and compiled C libraries, too
func Clean(ctx context.Context, show, all *bool) error {
	return do(ctx, pipeline.Args{Show: show, All: all}, (*pipeline.Pipeline).Clean)
}

// Images holds what concerns builder images.
type Images mg.Namespace

// Lock renews the lock of the builder's packages from the mirror's signed index.
//
//example:mage images:lock        the sets that the project has changed, or else all
//example:mage images:lock -all   all
func (Images) Lock(ctx context.Context, all *bool) error {
	return do(ctx, pipeline.Args{All: all}, (*pipeline.Pipeline).LockImages)
}

// Release packs the verified binaries into dist/: archives, packages, images, checksums.
//
//example:mage release            a snapshot, or a release where HEAD is a clean tag
//example:mage release -publish   and publish it; every input must be locked
func Release(ctx context.Context, publish *bool) error {
	return do(ctx, pipeline.Args{Publish: publish}, (*pipeline.Pipeline).Release)
}

// Lint runs gofmt, go vet, staticcheck, and the checks that the project names itself.
func Lint(ctx context.Context) error {
	return do(ctx, pipeline.Args{}, (*pipeline.Pipeline).Lint)
}

// Test holds the tests by level; plain `mage test` runs all.
type Test mg.Namespace

// All proves everything: lint, tests at each level, then static, release and distros.
func (Test) All(ctx context.Context) error {
	return do(ctx, pipeline.Args{}, (*pipeline.Pipeline).Test)
}

// Unit runs the tests that need no container engine.
func (Test) Unit(ctx context.Context) error {
	return do(ctx, pipeline.Args{}, (*pipeline.Pipeline).Unit)
}

// Distros runs what dist/ holds in scratch, distroless, Debian and others.
//
//example:mage test:distros
//example:mage test:distros -only=debian12/386       cells whose path matches
//example:mage test:distros -require=debian,scratch  what cannot be had today of these fails
//example:mage test:distros -json                    the report, for a program
func (Test) Distros(ctx context.Context, only, require *string, json *bool) error {
	return do(ctx, pipeline.Args{Only: only, Require: require, JSON: json}, (*pipeline.Pipeline).Distros)
}

// Bench holds benchmarks.
type Bench mg.Namespace

// Build measures `mage static` beside the old way; it empties the engine of our images first.
//
//example:mage bench:build
//example:mage bench:build -json   the figures, for a program
func (Bench) Build(ctx context.Context, json *bool) error {
	return do(ctx, pipeline.Args{JSON: json}, (*pipeline.Pipeline).BenchBuild)
}
