package debian

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"
)

// Security is the name of the archive that security updates come from, which lies beside
// the one of the same mirror that is called debian.
const Security = "debian-security"

// Origin is a suite that packages are taken from.
type Origin struct {
	Suite   string    `json:"suite"`             // trixie-security
	Archive string    `json:"archive,omitempty"` // Security; none: the mirror's own
	Date    time.Time `json:"date"`              // of its InRelease, when something was taken from it
}

// Origins are a release, its updates and its security updates: where Debian's own installer
// has apt look. A static binary owns its libraries' faults, and those of musl.
func Origins(release string) []Origin {
	return []Origin{
		{Suite: release}, {Suite: release + "-updates"}, {Suite: release + "-security", Archive: Security},
	}
}

// archive is the mirror's archive of that name.
func (m Mirror) archive(name string) Mirror {
	if name == Security {
		m.URL, m.Others = "", m.Security
	}
	return m
}

// taken is an origin as a mirror has it now.
type taken struct {
	Origin
	suite Suite
}

// take asks for the suites and their indexes of the architectures, where they have such.
// The first has to be had; of the others only those that are required. Which were not had is
// told in a line each.
func (m Mirror) take(ctx context.Context, origins []Origin, arches []string, optional bool) ([]taken, error) {
	var all []taken
	for i, o := range origins {
		suite, err := m.archive(o.Archive).suiteOf(ctx, o.Suite, arches, i == 0)
		if i > 0 && optional && errors.Is(err, ErrUnavailable) {
			m.note("warning: the lock is without %s: %s", o.Suite, firstLine(err))
			continue
		}
		if err != nil {
			return nil, err
		}
		o.Date = suite.Date
		all = append(all, taken{o, suite})
	}
	return all, nil
}

// suiteOf is Suite with the indexes of the architectures. What a suite of updates does not
// name, it has no updates for.
func (m Mirror) suiteOf(ctx context.Context, name string, arches []string, whole bool) (s Suite, err error) {
	if len(m.urls()) == 0 {
		return Suite{}, unavailable{fmt.Errorf("no mirror is known that has %s", name)}
	}
	var indexes []string
	for _, arch := range arches {
		indexes = append(indexes, Packages(arch))
	}
	err = m.eachMirror(ctx, never, func(url string) (err error) {
		s, err = m.settled(ctx, url, name, func(r Release) []string {
			return slices.DeleteFunc(slices.Clone(indexes), func(i string) bool { return !whole && !r.has(i) })
		})
		return err
	})
	return s, err
}

func (r Release) has(index string) bool {
	_, ok := r.Files[index]
	return ok
}

// merged reads the packages of an architecture of all the suites: of each the newest version,
// and of equal ones that of the earlier suite.
func merged(ctx context.Context, all []taken, arch string) (*Index, error) {
	indexes := make([]*Index, len(all))
	group, ctx := errgroup.WithContext(ctx)
	for i, t := range all {
		if i > 0 && !t.suite.has(Packages(arch)) {
			continue
		}
		group.Go(func() (err error) {
			indexes[i], err = t.suite.Index(ctx, arch)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	for i, more := range indexes[1:] {
		if more != nil {
			indexes[0].update(more, all[i+1].Archive)
		}
	}
	return indexes[0], nil
}

// update takes what another index has newer, or alone.
func (ix *Index) update(more *Index, archive string) {
	for name, p := range more.packages {
		p.Archive = archive
		if old, ok := ix.packages[name]; !ok || CompareVersions(old.Version, p.Version) < 0 {
			ix.packages[name] = p
		}
	}
	ix.provided = map[string][]string{}
	for _, name := range slices.Sorted(maps.Keys(ix.packages)) {
		ix.provide(ix.packages[name])
	}
}

// byArchive sorts packages by the archive that they are in; the values are indexes.
func byArchive(packages []Package) map[string][]int {
	in := map[string][]int{}
	for i, p := range packages {
		in[p.Archive] = append(in[p.Archive], i)
	}
	return in
}

// Origins are the suites that the lock was taken from, with the dates of their InRelease.
func (l Lock) Origins() []Origin {
	return append([]Origin{{Suite: l.Suite, Date: l.Date}}, l.Updates...)
}

// NotBefore has the dates by suite: no InRelease may be older than what was seen of its suite.
func (l Lock) NotBefore() map[string]time.Time {
	dates := map[string]time.Time{}
	for _, o := range l.Origins() {
		dates[o.Suite] = o.Date
	}
	return dates
}

// newest has each origin of both, with the later date.
func newest(a, b []Origin) []Origin {
	all := slices.Clone(a)
	for _, o := range b {
		i := slices.IndexFunc(all, func(old Origin) bool { return old.Suite == o.Suite })
		if i < 0 {
			all = append(all, o)
		} else if o.Date.After(all[i].Date) {
			all[i].Date = o.Date
		}
	}
	return all
}

// sane refuses a lock that names archives or paths that no mirror has.
func (l Lock) sane() error {
	known := func(archive string) bool { return archive == "" || archive == Security }
	for _, o := range l.Updates {
		if !known(o.Archive) || o.Suite != path.Base(o.Suite) {
			return fmt.Errorf("suite %q of archive %q is not known", o.Suite, o.Archive)
		}
	}
	for key, packages := range l.Sets {
		for _, p := range packages {
			if !known(p.Archive) {
				return fmt.Errorf("%s: %s is of archive %q, which is not known", key, p.Name, p.Archive)
			}
		}
	}
	return nil
}
