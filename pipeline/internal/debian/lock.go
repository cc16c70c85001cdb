package debian

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tcapflow/tcapflow/spec"
)

// Lock names every package of every set, so that the same commit always assembles
// the same image.
type Lock struct {
	Suite string               `json:"suite"`
	Date  time.Time            `json:"date"` // of the InRelease that it was taken from
	Sets  map[string][]Package `json:"sets"` // by SetKey
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

// Resolve takes a new lock of sets from the signed indexes of a suite: for the
// architectures that they have, and no others. All of it is of one InRelease.
func (m Mirror) Resolve(ctx context.Context, suite string, sets []spec.PackageSet) (Lock, error) {
	byArch := map[string][]spec.PackageSet{}
	var indexes []string
	for _, set := range sets {
		for _, arch := range set.Arches {
			if byArch[arch] == nil {
				indexes = append(indexes, Packages(arch))
			}
			byArch[arch] = append(byArch[arch], set)
		}
	}
	s, err := m.Suite(ctx, suite, indexes...)
	if err != nil {
		return Lock{}, err
	}
	return s.resolve(ctx, byArch)
}

func (s Suite) resolve(ctx context.Context, byArch map[string][]spec.PackageSet) (Lock, error) {
	lock := Lock{Suite: s.Suite, Date: s.Date, Sets: map[string][]Package{}}
	var mu sync.Mutex
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(2) // an index of Debian 13 takes 0.2 GB while it is read
	for arch, sets := range byArch {
		group.Go(func() error {
			ix, err := s.Index(ctx, arch)
			if err != nil {
				return err
			}
			for _, set := range sets {
				packages, err := ix.Resolve(set)
				if err != nil {
					return fmt.Errorf("%s: %w", SetKey(set, arch), err)
				}
				mu.Lock()
				lock.Sets[SetKey(set, arch)] = packages
				mu.Unlock()
			}
			return nil
		})
	}
	return lock, group.Wait()
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
	return Lock{Suite: l.Suite, Date: date, Sets: sets}
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
