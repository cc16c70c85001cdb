package pipeline

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/tcapflow/tcapflow/pipeline/internal/alpine"
	"github.com/tcapflow/tcapflow/pipeline/internal/cache"
	"github.com/tcapflow/tcapflow/pipeline/internal/engine"
	"github.com/tcapflow/tcapflow/pipeline/internal/fault"
	"github.com/tcapflow/tcapflow/pipeline/internal/fetch"
	"github.com/tcapflow/tcapflow/pipeline/internal/files"
	"github.com/tcapflow/tcapflow/pipeline/internal/image"
	"github.com/tcapflow/tcapflow/pipeline/internal/options"
	"github.com/tcapflow/tcapflow/pipeline/internal/progress"
	"github.com/tcapflow/tcapflow/spec"
)

// newAlpineBase is the base with the committed lock. A lock of another branch than the
// project's names nothing.
func newAlpineBase(project spec.Project, o options.Options, toolchain image.Toolchain,
	note func(string, ...any)) (image.AlpineBase, error) {
	lock, err := alpine.ParseLock(project.Alpine.Lock)
	if err != nil {
		return image.AlpineBase{}, err
	}
	if lock.Branch != project.Alpine.Branch {
		lock = alpine.Lock{Branch: project.Alpine.Branch}
	}
	mirror := alpineMirror(project.Alpine, o, lock, note)
	return image.AlpineBase{Spec: project.Alpine, Targets: project.Targets, Mirror: mirror, Lock: lock,
		Toolchain: toolchain, Temp: o.Cache}, nil
}

// alpineMirror is Alpine's archive as the options name it. An index must not be older than
// the one that the committed lock was taken from.
func alpineMirror(base spec.Alpine, o options.Options, committed alpine.Lock,
	note func(string, ...any)) alpine.Mirror {
	return alpine.Mirror{
		URLs: o.AlpineMirrors, Branch: base.Branch, Repositories: base.Repositories, Keys: base.Keys,
		Cache:     &fetch.Cache{Dir: cache.Folder(o.Cache).Downloads(), Borrow: cache.Folder(o.Cache).Borrow},
		NotBefore: committed.Indexes,
		Note:      eachLineOnce(note),
	}
}

// noAlpineLock is the step that makes a lock, which the base needs.
const noAlpineLock = "`mage images:lock` writes it where a mirror of Alpine's packages can be reached " +
	"(ALPINE_MIRROR)"

// ensureAlpine gives the engine a builder of the base that the user has named. What the lock
// does not name, or what no mirror has any more, is resolved from the signed index, unless
// the run is locked.
func (b *bases) ensureAlpine(ctx context.Context, e *engine.Engine,
	targets []spec.Target) (image.Builder, error) {
	found, err := b.assembleAlpine(ctx, e, targets)
	if !errors.Is(err, fetch.ErrGone) && !errors.Is(err, alpine.ErrNotLocked) {
		return found, err
	}
	if err := b.renewAlpine(ctx, b.alpine.Sets(e.Arch, targets), err); err != nil {
		return image.Builder{}, err
	}
	return b.assembleAlpine(ctx, e, targets)
}

func (b *bases) assembleAlpine(ctx context.Context, e *engine.Engine,
	targets []spec.Target) (image.Builder, error) {
	done := func(error) {}
	found, err := b.alpine.Ensure(ctx, e, targets, func() {
		done = b.log.Stage("assemble builder from Alpine %s", b.alpine.Spec.Branch)
	})
	done(err)
	return found, err
}

// renewAlpine resolves sets anew, of which the lock does not name one or names a package that
// no mirror has any more, and keeps them for later runs. cause is what was missed.
func (b *bases) renewAlpine(ctx context.Context, sets []spec.PackageSet, cause error) error {
	if b.o.Locked {
		if errors.Is(cause, alpine.ErrNotLocked) {
			return fault.New(fault.Fetch, noAlpineLock+"; or use the debian base", "%w", cause)
		}
		const next = "`mage images:lock` renews the lock; look at the change, then commit it"
		return fault.New(fault.Fetch, next, "a locked package is gone: %w", cause)
	}
	b.log.Note("%s; resolving from the signed index. `mage images:lock` makes that permanent",
		firstLine(cause))
	lost, err := b.lostAlpine(ctx, sets)
	if err != nil || len(lost) == 0 {
		return err
	}
	done := b.log.Stage("resolve packages of Alpine %s", b.alpine.Spec.Branch)
	lock, err := b.alpine.Mirror.Resolve(ctx, lost)
	done(err)
	if err != nil {
		return err
	}
	b.alpine.Lock = b.alpine.Lock.With(lock)
	text, err := alpine.Lock{Branch: b.alpine.Spec.Branch}.With(b.renewedAlpine()).With(lock).Bytes()
	if err != nil {
		return err
	}
	return files.Write(b.alpineRenewals, text)
}

// lostAlpine are those of the sets, of one architecture each, that are not locked or cannot
// be had as they are locked.
func (b *bases) lostAlpine(ctx context.Context, sets []spec.PackageSet) ([]spec.PackageSet, error) {
	var lost []spec.PackageSet
	for _, set := range sets {
		packages, err := b.alpine.Lock.Packages(set, set.Arches[0])
		if err == nil {
			_, err = b.alpine.Mirror.Fetch(ctx, packages)
		}
		if errors.Is(err, fetch.ErrGone) || errors.Is(err, alpine.ErrNotLocked) {
			lost = append(lost, set)
		} else if err != nil {
			return nil, err
		}
	}
	return lost, nil
}

// renewedAlpine reads the sets that earlier runs have renewed. A file that cannot be read, or
// is of another branch, counts as none.
func (b *bases) renewedAlpine() alpine.Lock {
	text, err := os.ReadFile(b.alpineRenewals)
	if err != nil {
		return alpine.Lock{}
	}
	lock, err := alpine.ParseLock(text)
	if err != nil {
		b.log.Note("warning: %s is damaged and is not used (%s)", b.alpineRenewals, firstLine(err))
		return alpine.Lock{}
	}
	if lock.Branch != b.alpine.Spec.Branch {
		return alpine.Lock{}
	}
	return lock
}

// alpinePatience is how long auto takes to find out whether a mirror has what is locked, and
// how long it waits for one that gives nothing more.
const alpinePatience = 15 * time.Second

// tryAlpine gives the engine an Alpine builder where that can be had as it is locked, and
// soon, and where it passes its self-check. Else it says in a line why not; what it has
// found out about a builder it does not try again.
func (b *bases) tryAlpine(ctx context.Context, e *engine.Engine,
	targets []spec.Target) (found image.Builder, why string, err error) {
	expected, err := b.alpine.Builder(e.Arch, targets)
	if err != nil {
		return image.Builder{}, firstLine(err) + ": " + noAlpineLock, nil
	}
	if why := b.unfit(expected, targets); why != "" {
		return image.Builder{}, why, nil
	}
	if why = b.offered(ctx, e.Arch, targets); why != "" || ctx.Err() != nil {
		return image.Builder{}, why, ctx.Err()
	}
	b.log.Note("base alpine: a mirror has its packages")
	found, err = b.assembleSoon(ctx, e, targets)
	if ctx.Err() != nil {
		return image.Builder{}, "", ctx.Err()
	}
	if err != nil {
		return image.Builder{}, "an Alpine builder cannot be made: " + firstLine(err), nil
	}
	if why, err = b.selfCheck(ctx, e, found, targets); err != nil || why == "" {
		return found, "", err
	}
	return image.Builder{}, why, b.dropUnfit(ctx, e, found)
}

// offered says in a line why the locked packages cannot be had now; "": they can.
func (b *bases) offered(ctx context.Context, arch string, targets []spec.Target) (why string) {
	packages, err := b.alpine.Packages(arch, targets)
	if err == nil {
		limited, cancel := context.WithTimeout(ctx, b.patience)
		defer cancel()
		err = b.alpine.Mirror.Offered(limited, packages)
		if limited.Err() != nil && ctx.Err() == nil {
			return fmt.Sprintf("no mirror of Alpine answers within %v", b.patience)
		}
	}
	switch {
	case err == nil || ctx.Err() != nil:
		return ""
	case errors.Is(err, fetch.ErrGone):
		return "the lock of Alpine's packages is out of date: " + firstLine(err)
	}
	return firstLine(err)
}

// errSlow is why a mirror is given up that has answered.
var errSlow = errors.New("its mirror gives nothing more")

// assembleSoon assembles a builder, and gives up when nothing arrives for a while that is
// not here yet.
func (b *bases) assembleSoon(ctx context.Context, e *engine.Engine,
	targets []spec.Target) (image.Builder, error) {
	packages, err := b.alpine.Packages(e.Arch, targets)
	if err != nil {
		return image.Builder{}, err
	}
	fetching, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go b.watchTransfer(fetching, cancel)
	if _, err = b.alpine.Mirror.Fetch(fetching, packages); err != nil {
		if errors.Is(context.Cause(fetching), errSlow) {
			err = errSlow
		}
		return image.Builder{}, err
	}
	cancel(nil)
	return b.assembleAlpine(ctx, e, targets)
}

// watchTransfer ends a transfer by which no byte has come for as long as patience lasts.
func (b *bases) watchTransfer(ctx context.Context, cancel context.CancelCauseFunc) {
	last, since := b.alpine.Mirror.Cache.Bytes(), time.Now()
	tick := time.NewTicker(b.patience / 15)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if now := b.alpine.Mirror.Cache.Bytes(); now != last {
			last, since = now, time.Now()
		} else if time.Since(since) > b.patience {
			cancel(errSlow)
			return
		}
	}
}

// presentAlpine looks for a builder that the engine has, that is locked, and that has passed
// its self-check, or passes it now.
func (b *bases) presentAlpine(ctx context.Context, e *engine.Engine,
	targets []spec.Target) (image.Builder, error) {
	expected, err := b.alpine.Builder(e.Arch, targets)
	if err != nil {
		return image.Builder{}, nil // not locked: tryAlpine says so where it matters
	}
	if b.unfit(expected, targets) != "" {
		return image.Builder{}, nil
	}
	found, err := expected.Present(ctx, e, targets)
	if err != nil || found.Ref == "" {
		return found, err
	}
	why, err := b.selfCheck(ctx, e, found, targets)
	if err != nil || why == "" {
		return found, err
	}
	b.log.Note("base alpine: %s", why)
	return image.Builder{}, b.dropUnfit(ctx, e, found)
}

// lockAlpine renews the project's lock of Alpine's packages, where a mirror of it answers.
// That none does is no error: the other base does not need it.
func (p *Pipeline) lockAlpine(ctx context.Context, log *progress.Log) error {
	base := p.project.Alpine
	if base.LockFile == "" {
		return nil
	}
	old, err := alpine.ParseLock(base.Lock)
	if err != nil {
		return err
	}
	if old.Branch != base.Branch {
		old = alpine.Lock{Branch: base.Branch}
	}
	mirror := alpineMirror(base, p.o, old, log.Note)
	done := log.Stage("resolve packages of Alpine %s", base.Branch)
	lock, err := mirror.Resolve(ctx, []spec.PackageSet{base.Tools, base.Sysroot})
	done(err)
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		log.Note("the lock of Alpine's packages stays as it is: %s", firstLine(err))
		return nil
	}
	text, err := lock.Bytes()
	if err != nil {
		return err
	}
	changes := lock.Changes(old)
	for _, line := range changes {
		fmt.Fprintln(p.stdout, line)
	}
	fmt.Fprintf(p.stdout, "%d packages of Alpine %s changed\n", len(changes), base.Branch)
	return files.Write(p.lockFile(base.LockFile), text)
}
