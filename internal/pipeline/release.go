package pipeline

import (
	"context"
	"io"
	"os"

	"github.com/tcapflow/tcapflow/build"
	"github.com/tcapflow/tcapflow/internal/pipeline/elfcheck"
	"github.com/tcapflow/tcapflow/internal/pipeline/options"
	"github.com/tcapflow/tcapflow/internal/pipeline/plan"
	"github.com/tcapflow/tcapflow/internal/pipeline/progress"
	"github.com/tcapflow/tcapflow/internal/pipeline/release"
)

// Release brings out/ up to date and packs it into dist/. To publish implies that
// every input is locked. GoReleaser is compiled beside the build.
func Release(ctx context.Context, o options.Options, publish bool, stdout, stderr io.Writer) error {
	tool := release.StartTool(ctx, o.Root, os.Environ(), o.Locked || publish)
	defer tool.Stop()
	return releaseWith(ctx, o, publish, tool, stdout, stderr)
}

func releaseWith(ctx context.Context, o options.Options, publish bool, tool *release.Tool,
	stdout, stderr io.Writer,
) error {
	o.Debug = false
	o.Locked = o.Locked || publish
	if err := Static(ctx, o, stdout, stderr); err != nil {
		return err
	}
	log := progress.New(stderr, o.Live)
	defer log.Close()
	s, err := newStatic(ctx, o, log)
	if err != nil {
		return err
	}
	if err := s.bases.have(ctx, only(build.Runtime, build.Runtime.Arches[0])); err != nil {
		return err
	}
	return release.Run(ctx, release.Options{
		Root: o.Root, Out: o.Out, Dist: o.Dist, Module: s.planning.Module, Project: build.TcapflowClient, Targets: o.Targets,
		Source: s.tree.Version,
		Want:   func(t build.Target) elfcheck.Want { return plan.For(s.project, t, s.planning).Want },
		Mirror: s.bases.debian.Mirror, Lock: s.bases.debian.Lock, Tool: tool,
		Publish: publish, Env: os.Environ(), Log: log,
	})
}
