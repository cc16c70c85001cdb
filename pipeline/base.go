package pipeline

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/tcapflow/tcapflow/pipeline/internal/cache"
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
	kept, err := cache.Open(o.Cache)
	if err != nil {
		return bases{}, notOurs(project, err)
	}
	if err := kept.Sweep(time.Now()); err != nil {
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
	if err := committed.Fits(needed(project)); err != nil {
		return bases{}, err
	}
	mirror := debianMirror(project.Debian, o, committed, log.Note)
	b := bases{spec: project.Debian, o: o, log: log,
		debian: image.DebianBase{
			Spec: project.Debian, Targets: project.Targets, Mirror: mirror, Lock: committed, Toolchain: toolchain,
			Extras: project.Extras(), Temp: o.Cache,
		},
		alpine:         alpine,
		renewals:       renewalsFile(kept, project.Debian.Lock),
		alpineRenewals: renewalsFile(kept, project.Alpine.Lock),
		patience:       alpinePatience,
	}
	if !o.Locked {
		b.debian.Lock = committed.With(b.renewed())
		b.alpine.Lock = b.alpine.Lock.With(b.renewedAlpine())
	}
	return b, nil
}

// needed are the sets of packages that the project may use.
func needed(project spec.Project) []spec.PackageSet {
	extras := project.Extras()
	return slices.DeleteFunc(project.Locked(), func(set spec.PackageSet) bool {
		same := func(extra spec.PackageSet) bool { return extra.Name == set.Name }
		return slices.ContainsFunc(project.Debian.Extras, same) && !slices.Contains(extras, set.Name)
	})
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
	extras := strings.Join(b.debian.Extras, ", ")
	switch {
	case b.o.Base == "alpine" && extras != "":
		return image.Builder{}, fault.New(fault.Usage, "take -base=debian",
			"the Alpine base does not have what the project's libraries need: %s", extras)
	case b.o.Base == "auto" && extras != "":
		b.log.Note("base debian: it alone has %s, which the project's libraries need", extras)
		return b.ensureDebian(ctx, e, targets)
	}
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
