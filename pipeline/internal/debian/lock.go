package debian

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tcapflow/tcapflow/pipeline/internal/fault"
	"github.com/tcapflow/tcapflow/spec"
)

// Lock names every package of every set, so that the same commit always assembles
// the same image.
type Lock struct {
	Suite string    `json:"suite"`
	Date  time.Time `json:"date"` // of the InRelease that it was taken from
	// Updates are the suites beside it whose newer packages were taken.
	Updates []Origin `json:"updates,omitempty"`
	// Asked has what each set was resolved from, by its name: see asked.
	Asked map[string][]string  `json:"asked,omitempty"`
	Sets  map[string][]Package `json:"sets"` // by SetKey
}

// asked is what a set asks for, a word each: its packages, and with a minus sign what it
// leaves out.
func asked(set spec.PackageSet) []string {
	words := slices.Clone(set.Packages)
	for name := range set.Skip {
		words = append(words, "-"+name)
	}
	if set.NoDepends {
		words = append(words, "no dependencies")
	}
	if set.Base {
		words = append(words, "the base system")
	}
	slices.Sort(words)
	return words
}

// Older lists those of the sets that the lock does not have as they stand now, each with
// the architectures that are to be resolved.
func (l Lock) Older(sets []spec.PackageSet) (older []spec.PackageSet) {
	for _, set := range sets {
		had, known := l.Asked[set.Name]
		if known && !slices.Equal(had, asked(set)) {
			older = append(older, set)
			continue
		}
		var missing []string
		for _, arch := range set.Arches {
			if !l.has(set, arch) {
				missing = append(missing, arch)
			}
		}
		if missing != nil {
			set.Arches = missing
			older = append(older, set)
		}
	}
	return older
}

// has tells whether all that a set lists is locked.
func (l Lock) has(set spec.PackageSet, arch string) bool {
	packages, ok := l.Sets[SetKey(set, arch)]
	for _, name := range set.Packages {
		named := func(p Package) bool { return p.Name == name }
		ok = ok && slices.ContainsFunc(packages, named)
	}
	return ok
}

// Fits is an error in one line where a set asks for other packages than those that were
// locked for it.
func (l Lock) Fits(sets []spec.PackageSet) error {
	older := l.Older(sets)
	if len(older) == 0 {
		return nil
	}
	set := older[0]
	had, now := l.Asked[set.Name], asked(set)
	var differ []string
	for _, word := range now {
		if had != nil && !slices.Contains(had, word) {
			differ = append(differ, "+"+word)
		}
	}
	for _, word := range had {
		if !slices.Contains(now, word) {
			differ = append(differ, "-"+word)
		}
	}
	what := strings.Join(append(set.Arches[:0:0], set.Arches...), ", ")
	if differ != nil {
		what = strings.Join(differ, ", ")
	}
	return fault.New(fault.Usage, "`mage images:lock` resolves this set and keeps the others",
		"the lock of Debian's packages is older than the list: set %s (%s)", set.Name, what)
}

// Keeping has the packages of an older lock in the place of its own, from whichever set:
// only what the older one does not have is taken from the index. So a package has one
// version in all sets of an architecture.
func (l Lock) Keeping(old Lock) Lock {
	pins := map[string]Package{}
	for key, packages := range old.Sets {
		for _, p := range packages {
			pins[path.Base(key)+" "+p.Name] = p
		}
	}
	kept := Lock{Suite: l.Suite, Date: l.Date, Updates: l.Updates, Asked: l.Asked, Sets: map[string][]Package{}}
	for key, packages := range l.Sets {
		kept.Sets[key] = slices.Clone(packages)
		for i, p := range packages {
			if pin, ok := pins[path.Base(key)+" "+p.Name]; ok {
				kept.Sets[key][i] = pin
			}
		}
	}
	return kept
}

// Only leaves out what is of none of the sets.
func (l Lock) Only(sets []spec.PackageSet) Lock {
	only := Lock{
		Suite: l.Suite, Date: l.Date, Updates: l.Updates,
		Asked: map[string][]string{}, Sets: map[string][]Package{},
	}
	for _, set := range sets {
		only.Asked[set.Name] = asked(set)
		for _, arch := range set.Arches {
			if packages, ok := l.Sets[SetKey(set, arch)]; ok {
				only.Sets[SetKey(set, arch)] = packages
			}
		}
	}
	return only
}

// SetKey names a set for one architecture: tools/amd64.
func SetKey(set spec.PackageSet, arch string) string { return set.Name + "/" + arch }

// ParseLock reads what Lock.Bytes wrote.
func ParseLock(text []byte) (Lock, error) {
	var l Lock
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&l); err != nil {
		return Lock{}, fmt.Errorf("build/debian/lock.json: %w", err)
	}
	if err := l.sane(); err != nil {
		return Lock{}, fmt.Errorf("build/debian/lock.json: %w", err)
	}
	return l, nil
}

// Bytes is the lock as it is committed: indented, in a fixed order.
func (l Lock) Bytes() ([]byte, error) {
	text, err := json.MarshalIndent(l, "", " ")
	return append(text, '\n'), err
}

// Packages returns the locked packages of a set.
func (l Lock) Packages(set spec.PackageSet, arch string) ([]Package, error) {
	packages, ok := l.Sets[SetKey(set, arch)]
	if !ok {
		return nil, fmt.Errorf("build/debian/lock.json has no set %s", SetKey(set, arch))
	}
	return packages, nil
}

// Resolve takes a new lock of sets from the signed indexes of suites, the first of which is
// a release: for the architectures that they have, and no others. All that is of a suite is
// of one InRelease. Where the others are optional, those that cannot be had today are left
// out, with a line.
func (m Mirror) Resolve(
	ctx context.Context, origins []Origin, optional bool, sets []spec.PackageSet,
) (Lock, error) {
	byArch := map[string][]spec.PackageSet{}
	for _, set := range sets {
		for _, arch := range set.Arches {
			byArch[arch] = append(byArch[arch], set)
		}
	}
	all, err := m.take(ctx, origins, slices.Sorted(maps.Keys(byArch)), optional)
	if err != nil {
		return Lock{}, err
	}
	lock := Lock{Suite: all[0].Suite, Date: all[0].Date, Sets: map[string][]Package{}}
	for _, t := range all[1:] {
		lock.Updates = append(lock.Updates, t.Origin)
	}
	return lock, lock.resolve(ctx, all, byArch)
}

// resolve fills in the sets.
func (l Lock) resolve(ctx context.Context, all []taken, byArch map[string][]spec.PackageSet) error {
	var mu sync.Mutex
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(2) // an index of Debian 13 takes 0.2 GB while it is read
	for arch, sets := range byArch {
		group.Go(func() error {
			ix, err := merged(ctx, all, arch)
			if err != nil {
				return err
			}
			for _, set := range sets {
				packages, err := ix.Resolve(set)
				if err != nil {
					return fmt.Errorf("%s: %w", SetKey(set, arch), err)
				}
				mu.Lock()
				l.Sets[SetKey(set, arch)] = packages
				mu.Unlock()
			}
			return nil
		})
	}
	return group.Wait()
}

// With returns the lock with the sets of another in place of its own; other sets stay.
// A set is taken whole, so each is of one InRelease.
func (l Lock) With(other Lock) Lock {
	sets := maps.Clone(l.Sets)
	if sets == nil {
		sets = map[string][]Package{}
	}
	maps.Copy(sets, other.Sets)
	date := l.Date
	if other.Date.After(date) {
		date = other.Date
	}
	updates := newest(l.Updates, other.Updates)
	return Lock{Suite: l.Suite, Date: date, Updates: updates, Asked: l.Asked, Sets: sets}
}

// Changes lists the packages that differ from an older lock, a line each, sorted.
func (l Lock) Changes(old Lock) []string {
	versions := func(l Lock) map[string]string {
		m := map[string]string{}
		for set, packages := range l.Sets {
			for _, p := range packages {
				m[set+" "+p.Name] = p.Version
			}
		}
		return m
	}
	before, after := versions(old), versions(l)
	var lines []string
	for what, version := range after {
		if was, ok := before[what]; !ok {
			lines = append(lines, what+" "+version+" (new)")
		} else if was != version {
			lines = append(lines, what+" "+was+" → "+version)
		}
	}
	for what, was := range before {
		if _, ok := after[what]; !ok {
			lines = append(lines, what+" "+was+" (gone)")
		}
	}
	slices.Sort(lines)
	return lines
}
