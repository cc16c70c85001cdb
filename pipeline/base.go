package pipeline

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/tcapflow/tcapflow/pipeline/internal/debian"
	"github.com/tcapflow/tcapflow/pipeline/internal/engine"
	"github.com/tcapflow/tcapflow/pipeline/internal/fault"
	"github.com/tcapflow/tcapflow/pipeline/internal/fetch"
	"github.com/tcapflow/tcapflow/pipeline/internal/image"
	"github.com/tcapflow/tcapflow/pipeline/internal/options"
	"github.com/tcapflow/tcapflow/pipeline/internal/progress"
	"github.com/tcapflow/tcapflow/spec"
)

// bases are the two ways to a builder, and the choice between them. What is Alpine's alone
// stands in alpine.go.
type bases struct {
	spec   spec.Debian
	o      options.Options
	log    *progress.Log
	debian image.DebianBase
	alpine image.AlpineBase
	// renewals and alpineRenewals are the files with the package sets that replace those of
	// the committed lock because the mirrors have moved on.
	renewals, alpineRenewals string
	patience                 time.Duration // with mirrors of Alpine, where that is not named
}

func newBases(project spec.Project, o options.Options, goVersion string, log *progress.Log) (bases, error) {
	if err := os.MkdirAll(o.Cache, 0o755); err != nil {
		return bases{}, fault.New(fault.Usage, "name another cache folder with "+project.Namespace.Variable("CACHE"), "%w", err)
	}
	if err := sweepCache(o.Cache); err != nil {
		return bases{}, err
	}
	toolchain := image.Toolchain{Version: goVersion}
	alpine, err := newAlpineBase(project, o, toolchain, log.Note)
	if err != nil {
		return bases{}, err
	}
	committed, err := debian.ParseLock(project.Debian.Lock)
	if err != nil {
		return bases{}, err
	}
	mirror := debianMirror(project.Debian, o, committed, log.Note)
	b := bases{spec: project.Debian, o: o, log: log,
		debian:         image.DebianBase{Spec: project.Debian, Targets: project.Targets, Mirror: mirror, Lock: committed, Toolchain: toolchain, Temp: o.Cache},
		alpine:         alpine,
		renewals:       renewalsFile(o.Cache, project.Debian.Lock),
		alpineRenewals: renewalsFile(o.Cache, project.Alpine.Lock),
		patience:       alpinePatience,
	}
	if !o.Locked {
		b.debian.Lock = committed.With(b.renewed())
		b.alpine.Lock = b.alpine.Lock.With(b.renewedAlpine())
	}
	return b, nil
}

// sweepCache removes unpacked layers, half a gigabyte a time, that a killed run left. An
// assembly takes a minute; what is a day old is of nobody who is still at work.
func sweepCache(cache string) error {
	entries, err := os.ReadDir(cache)
	if err != nil {
		return err
	}
	for _, e := range entries {
		info, err := e.Info()
		if err == nil && e.IsDir() && strings.HasPrefix(e.Name(), "builder-") && time.Since(info.ModTime()) > 24*time.Hour {
			if err := os.RemoveAll(filepath.Join(cache, e.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

// builder names the builder that a base has for a target, without asking the engine.
func (b *bases) builder(base, arch string, t spec.Target) (image.Builder, error) {
	if base == "alpine" {
		return b.alpine.Builder(arch, []spec.Target{t})
	}
	return b.debian.Builder(arch, []spec.Target{t})
}

// ensure gives the engine a builder for the targets: of the base that the user names,
// else of one that is already there, else Alpine where it can be had, else Debian.
func (b *bases) ensure(ctx context.Context, e *engine.Engine, targets []spec.Target) (image.Builder, error) {
	switch b.o.Base {
	case "debian":
		return b.ensureDebian(ctx, e, targets)
	case "alpine":
		return b.ensureAlpine(ctx, e, targets)
	}
	if found, err := b.present(ctx, e, targets); err != nil || found.Ref != "" {
		if err == nil {
			b.log.Note("base %s: the engine has its builder", found.Base)
		}
		return found, err
	}
	found, why, err := b.tryAlpine(ctx, e, targets)
	if err != nil || found.Ref != "" {
		return found, err
	}
	b.log.Note("base debian: %s", why)
	return b.ensureDebian(ctx, e, targets)
}

// present looks for a builder that the engine has, Alpine first. One of Alpine counts that
// has passed its self-check.
func (b *bases) present(ctx context.Context, e *engine.Engine, targets []spec.Target) (image.Builder, error) {
	if alpine, err := b.presentAlpine(ctx, e, targets); err != nil || alpine.Ref != "" {
		return alpine, err
	}
	found, err := b.debian.Builder(e.Arch, targets)
	if err != nil {
		return image.Builder{}, err
	}
	return found.Present(ctx, e, targets)
}

func (b *bases) ensureDebian(ctx context.Context, e *engine.Engine, targets []spec.Target) (image.Builder, error) {
	found, err := b.assemble(ctx, e, targets)
	if !errors.Is(err, fetch.ErrGone) {
		return found, err
	}
	if err := b.renew(ctx, b.sets(e.Arch, targets), err); err != nil {
		return image.Builder{}, err
	}
	return b.assemble(ctx, e, targets)
}

func (b *bases) assemble(ctx context.Context, e *engine.Engine, targets []spec.Target) (image.Builder, error) {
	done := func(error) {}
	found, err := b.debian.Ensure(ctx, e, targets, func() { done = b.log.Stage("assemble builder from Debian %s", b.spec.Suite) })
	done(err)
	return found, err
}
