package pipeline

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/tcapflow/tcapflow/pipeline/internal/cache"
	"github.com/tcapflow/tcapflow/pipeline/internal/debian"
	"github.com/tcapflow/tcapflow/pipeline/internal/fault"
	"github.com/tcapflow/tcapflow/pipeline/internal/fetch"
	"github.com/tcapflow/tcapflow/pipeline/internal/files"
	"github.com/tcapflow/tcapflow/pipeline/internal/key"
	"github.com/tcapflow/tcapflow/pipeline/internal/options"
	"github.com/tcapflow/tcapflow/spec"
)

// debianMirror is Debian's archive as the options name it. InRelease must not be older
// than the one that the committed lock was taken from.
func debianMirror(
	base spec.Debian, o options.Options, committed debian.Lock, note func(string, ...any),
) debian.Mirror {
	return debian.Mirror{
		URL: o.Mirrors[0], Others: o.Mirrors[1:], Snapshot: debian.NewSnapshot(o.Snapshot), Keyring: base.Keyring,
		Cache:     &fetch.Cache{Dir: cache.Folder(o.Cache).Downloads(), Borrow: cache.Folder(o.Cache).Borrow},
		Security:  o.Security,
		NotBefore: committed.NotBefore(),
		Note:      eachLineOnce(note),
	}
}

// eachLineOnce leaves out what was said before: packages are fetched in parallel, and many
// of them meet the same fault of a mirror.
func eachLineOnce(note func(string, ...any)) func(string, ...any) {
	var said sync.Map
	return func(format string, args ...any) {
		line := fmt.Sprintf(format, args...)
		if _, again := said.LoadOrStore(line, true); !again {
			note("%s", line)
		}
	}
}

// builderSets are what a builder for the targets is made of: each set with the one
// architecture that is wanted of it.
func (b *bases) sets(arch string, targets []spec.Target) []spec.PackageSet {
	sets := []spec.PackageSet{only(b.spec.Tools, arch)}
	for _, set := range b.spec.Extras {
		if slices.Contains(b.debian.Extras, set.Name) {
			sets = append(sets, only(set, arch))
		}
	}
	for _, t := range targets {
		sets = append(sets, only(b.spec.Sysroot, t.Debian))
	}
	return sets
}

func only(set spec.PackageSet, arch string) spec.PackageSet {
	set.Arches = []string{arch}
	return set
}

// renewalsFile is where renewed sets stand, as long as the committed lock is this one.
func renewalsFile(kept cache.Folder, lock []byte) string {
	return kept.Lock(key.Of(string(lock)))
}

// renewed reads the sets that earlier runs have renewed. A file that cannot be read counts
// as none: it is made again when it is needed.
func (b *bases) renewed() debian.Lock {
	text, err := os.ReadFile(b.renewals)
	if err != nil {
		return debian.Lock{}
	}
	now := time.Now()
	_ = os.Chtimes(b.renewals, now, now) // what nobody reads is swept
	lock, err := debian.ParseLock(text)
	if err != nil {
		b.log.Note("warning: %s is damaged and is not used (%s)", b.renewals, firstLine(err))
		return debian.Lock{}
	}
	return lock
}

// renew resolves anew, from the signed index, those of the sets that hold a package which
// can be had nowhere any more, and keeps them for later runs. The others stay as they are
// locked, so that no index is needed of an architecture that has lost nothing, and what is
// built changes no more than it must. cause is what was missed.
func (b *bases) renew(ctx context.Context, sets []spec.PackageSet, cause error) error {
	if b.o.Locked {
		const next = "`mage images:lock` renews the lock; look at the change, then commit it"
		return fault.New(fault.Fetch, next, "a locked package is gone: %w", cause)
	}
	b.log.Note("the mirror has moved on (%s); resolving again from its signed index. "+
		"`mage images:lock` makes that permanent", firstLine(cause))
	lost, err := b.lost(ctx, sets)
	if err != nil || len(lost) == 0 {
		return err
	}
	done := b.log.Stage("resolve packages of Debian %s", b.spec.Suite)
	lock, err := b.debian.Mirror.Resolve(ctx, b.debian.Lock.Origins(), false, lost)
	done(err)
	if err != nil {
		return err
	}
	b.debian.Lock = b.debian.Lock.With(lock)
	text, err := debian.Lock{Suite: b.spec.Suite}.With(b.renewed()).With(lock).Bytes()
	if err != nil {
		return err
	}
	return files.Write(b.renewals, text)
}

// lost are those of the sets, of one architecture each, that cannot be had as they are locked.
func (b *bases) lost(ctx context.Context, sets []spec.PackageSet) ([]spec.PackageSet, error) {
	var lost []spec.PackageSet
	for _, set := range sets {
		if err := b.debs(ctx, set); errors.Is(err, fetch.ErrGone) {
			lost = append(lost, set)
		} else if err != nil {
			return nil, err
		}
	}
	return lost, nil
}

// debs brings the packages of a set, of one architecture, into the cache.
func (b *bases) debs(ctx context.Context, set spec.PackageSet) error {
	packages, err := b.debian.Lock.Packages(set, set.Arches[0])
	if err == nil {
		_, err = b.debian.Mirror.Debs(ctx, packages)
	}
	return err
}

// have sees that a set of one architecture can be had; if it is gone, it is renewed.
func (b *bases) have(ctx context.Context, set spec.PackageSet) error {
	err := b.debs(ctx, set)
	if errors.Is(err, fetch.ErrGone) {
		err = b.renew(ctx, []spec.PackageSet{set}, err)
	}
	return err
}
