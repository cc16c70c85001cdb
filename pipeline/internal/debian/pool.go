package debian

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/tcapflow/tcapflow/pipeline/internal/fault"
	"github.com/tcapflow/tcapflow/pipeline/internal/fetch"
)

const parallel = 8 // transfers at once: enough to hide a mirror's latency, few enough to be polite

// Debs fetches packages, several at once, and returns their paths in order. What the pool
// of a mirror has dropped is looked for in those of the others, then in the snapshot
// archive. If it is nowhere, the error is fetch.ErrGone and ErrUnavailable.
func (m Mirror) Debs(ctx context.Context, packages []Package) ([]string, error) {
	paths := make([]string, len(packages))
	in := byArchive(packages)
	for _, archive := range slices.Sorted(maps.Keys(in)) {
		var wanted []Package
		for _, i := range in[archive] {
			wanted = append(wanted, packages[i])
		}
		got, err := m.archive(archive).debs(ctx, wanted)
		if err != nil {
			return nil, err
		}
		for k, i := range in[archive] {
			paths[i] = got[k]
		}
	}
	return paths, nil
}

// debs is Debs for packages of one archive.
func (m Mirror) debs(ctx context.Context, packages []Package) ([]string, error) {
	n := len(packages)
	d := &download{Mirror: m, packages: packages, paths: make([]string, n), gone: make([]error, n)}
	if len(m.urls()) == 0 {
		return d.paths, d.nowhere(ctx)
	}
	err := m.eachMirror(ctx, fetch.Misfit, func(url string) error { return d.pool(ctx, url) })
	if err == nil {
		return d.paths, nil
	}
	left := d.left()
	for _, i := range left {
		if d.gone[i] == nil { // some mirror is away, and the others were not asked for it
			return nil, err
		}
	}
	if len(left) == 0 || ctx.Err() != nil || !errors.Is(err, fetch.ErrGone) || fetch.Misfit(err) {
		return nil, err
	}
	return d.paths, d.archived(ctx, left)
}

// nowhere takes from the cache and the snapshot archive what no mirror is known for.
func (d *download) nowhere(ctx context.Context) error {
	var left []int
	for i, p := range d.packages {
		if d.Cache.Has(p.SHA256) {
			d.paths[i] = d.Cache.Path(p.SHA256)
			continue
		}
		d.gone[i] = fault.New(fault.Fetch, "name a mirror with DEBIAN_MIRROR that has "+p.Archive+" beside it",
			"%s %s: no mirror is known that has %s: %w", p.Name, p.Version, p.Archive, fetch.ErrGone)
		left = append(left, i)
	}
	if left == nil {
		return nil
	}
	return d.archived(ctx, left)
}

// download is one call of Debs.
type download struct {
	Mirror
	packages []Package
	paths    []string // "": not there yet
	gone     []error  // a mirror's answer that it does not have the package
}

func (d *download) left() (indexes []int) {
	for i, p := range d.paths {
		if p == "" {
			indexes = append(indexes, i)
		}
	}
	return indexes
}

// pool takes from one mirror what is not there yet. It asks for all that the mirror may
// have, and stops at the first error of another kind.
func (d *download) pool(ctx context.Context, url string) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(parallel)
	for _, i := range d.left() {
		group.Go(func() error {
			p := d.packages[i]
			local, err := d.Cache.Get(ctx, url+"/"+p.Filename, p.SHA256, p.Size)
			if errors.Is(err, fetch.ErrGone) {
				d.gone[i] = err
				return nil
			}
			d.paths[i] = local
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	if left := d.left(); len(left) > 0 {
		return d.gone[left[0]]
	}
	return nil
}

// archived takes packages from the snapshot archive, one after the other.
func (d *download) archived(ctx context.Context, left []int) error {
	if d.Snapshot == nil {
		return lost(d.gone[left[0]], nil)
	}
	d.note("%s; %d of %d packages are looked for in the snapshot archive %s",
		firstLine(d.gone[left[0]]), len(left), len(d.packages), d.Snapshot.url)
	for _, i := range left {
		local, err := d.snapshots().deb(ctx, d.packages[i])
		if err != nil && ctx.Err() == nil && ofNetwork(err) && !fetch.Misfit(err) {
			return lost(d.gone[i], err)
		}
		if err != nil {
			return err
		}
		d.paths[i] = local
	}
	return nil
}

// lost is the error of a file that has gone from the pools and that the snapshot archive
// does not give either.
func lost(gone, snapshot error) error {
	const next = "see that the address is right, or name another mirror with DEBIAN_MIRROR"
	var f *fault.Error
	if errors.As(gone, &f) {
		gone = f.Err // without its next step
	}
	if snapshot != nil {
		gone = fmt.Errorf("%w; nor in the snapshot archive: %s", gone, firstLine(snapshot))
	}
	return unavailable{&fault.Error{Code: fault.Fetch, Err: gone, Next: next}}
}

// Placeholder stands for the mirror in URLs of pinned files.
const Placeholder = "{debian}"

// Pinned fetches a file of known SHA-256 (lower-case hex) from a URL; where this begins
// with Placeholder, from the first mirror that has it.
func (m Mirror) Pinned(ctx context.Context, url, digest string) (local string, err error) {
	rest, ok := strings.CutPrefix(url, Placeholder)
	if !ok {
		return m.Cache.Get(ctx, url, digest, 0)
	}
	err = m.eachMirror(ctx, fetch.Misfit, func(mirror string) (err error) {
		local, err = m.Cache.Get(ctx, mirror+rest, digest, 0)
		return err
	})
	return local, err
}

// Archived fetches a pinned source tarball of Debian's pool, given as
// "{debian}/pool/main/libp/libpcap/libpcap_1.10.5.orig.tar.xz", from the snapshot archive.
// The error is ErrNotAsked for another URL, and where the archive is switched off.
func (m Mirror) Archived(ctx context.Context, url, digest string) (string, error) {
	rest, ok := strings.CutPrefix(url, Placeholder+"/pool/")
	if !ok || m.Snapshot == nil {
		return "", fmt.Errorf("%s: %w", url, ErrNotAsked)
	}
	m.note("%s is looked for in the snapshot archive %s", path.Base(rest), m.Snapshot.url)
	return m.snapshots().source(ctx, rest, digest)
}

func (m Mirror) snapshots() snapshots { return snapshots{m.Snapshot, m.Cache} }
