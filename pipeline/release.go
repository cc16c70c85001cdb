package pipeline

import (
	"context"
	"os"

	"github.com/tcapflow/tcapflow/elfcheck"
	"github.com/tcapflow/tcapflow/pipeline/internal/release"
	"github.com/tcapflow/tcapflow/spec"
)

// Release brings out/ up to date and packs it into dist/. To publish implies that
// every input is locked. GoReleaser is compiled beside the build.
func (p *Pipeline) Release(ctx context.Context) error {
	tool := p.releaseTool(ctx)
	defer tool.Stop()
	return p.releaseWith(ctx, tool)
}

func (p *Pipeline) releaseTool(ctx context.Context) *release.Tool {
	return release.StartTool(ctx, p.o.Root, os.Environ(), p.o.Locked || p.o.Publish)
}

func (p *Pipeline) releaseWith(ctx context.Context, tool *release.Tool) error {
	packing := *p
	packing.o.Debug = false // a debug twin is not released
	packing.o.Locked = p.o.Locked || p.o.Publish
	r, err := packing.begin(ctx)
	if err != nil {
		return err
	}
	defer r.end()
	if err := r.static(ctx); err != nil {
		return err
	}
	if err := r.show(); err != nil {
		return err
	}
	runtime := r.project.Runtime.Packages
	if err := r.bases.have(ctx, only(runtime, runtime.Arches[0])); err != nil {
		return err
	}
	return release.Run(ctx, release.Options{
		Root: r.o.Root, Out: r.o.Out, Dist: r.o.Dist, Module: r.planning.Module,
		Project: r.project, Targets: r.o.Targets, Source: r.tree.Version,
		Want:   func(t spec.Target) elfcheck.Want { return r.plan(t).Want },
		Mirror: r.bases.debian.Mirror, Lock: r.bases.debian.Lock, Tool: tool,
		Publish: p.o.Publish, Env: os.Environ(), Log: r.log,
	})
}
