package debian

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tcapflow/tcapflow/pipeline/internal/fault"
	"github.com/tcapflow/tcapflow/pipeline/internal/fetch"
)

const (
	maxInRelease    = 4 << 20 // bytes; Debian 13's has 140 KB
	parallelIndexes = 4       // fetched at once
)

// Sources is the index of source packages, as InRelease names it.
const Sources = "main/source/Sources.xz"

// Packages is the index of an architecture's packages, as InRelease names it.
func Packages(arch string) string { return "main/binary-" + arch + "/Packages.xz" }

// Suite is a suite whose InRelease was checked.
type Suite struct {
	Release
	URL    string // of the mirror that has it
	mirror Mirror
}

// Suite returns a suite as the first mirror has it whose InRelease is good and which has
// the indexes that are wanted (Packages, Sources). These are in the cache then, all named by
// the one InRelease: nothing is ever put together from two. errors.Is(err, ErrUnavailable)
// tells that it cannot be had today.
func (m Mirror) Suite(ctx context.Context, name string, indexes ...string) (s Suite, err error) {
	err = m.eachMirror(ctx, never, func(url string) (err error) {
		s, err = m.settled(ctx, url, name, func(Release) []string { return indexes })
		return err
	})
	return s, err
}

// settled asks one mirror, and once more after each pause while it is in the middle of an
// update: what was seen may have been the very moment.
func (m Mirror) settled(
	ctx context.Context, url, name string, indexes func(Release) []string,
) (Suite, error) {
	pauses := m.Pauses
	if pauses == nil {
		pauses = []time.Duration{time.Second, 3 * time.Second}
	}
	for n := 0; ; n++ {
		s, err := m.ask(ctx, url, name, indexes)
		if !errors.Is(err, ErrUpdating) || n == len(pauses) {
			return s, err
		}
		if n == 0 {
			m.note("%s; trying again", firstLine(err))
		}
		select {
		case <-ctx.Done():
			return Suite{}, ctx.Err()
		case <-time.After(pauses[n]):
		}
	}
}

// ask fetches and checks dists/NAME/InRelease of one mirror, and fetches the indexes that
// are wanted of it.
func (m Mirror) ask(ctx context.Context, url, name string, indexes func(Release) []string) (Suite, error) {
	s, err := m.release(ctx, url, name)
	if err != nil {
		return Suite{}, err
	}
	group, gctx := errgroup.WithContext(ctx)
	group.SetLimit(parallelIndexes)
	for _, index := range indexes(s.Release) {
		group.Go(func() error { _, err := s.fetch(gctx, index); return err })
	}
	if err := group.Wait(); err != nil {
		return Suite{}, err
	}
	m.see(s.Release)
	return s, nil
}

func (m Mirror) release(ctx context.Context, mirror, name string) (Suite, error) {
	url := mirror + "/dists/" + name + "/InRelease"
	text, err := m.Cache.Read(ctx, url, maxInRelease)
	if err != nil {
		return Suite{}, err
	}
	release, err := ParseRelease(text, m.Keyring, time.Now())
	if errors.Is(err, errStale) {
		return Suite{}, fault.New(fault.Fetch, "name another mirror with DEBIAN_MIRROR", "%s: %w", url, err)
	}
	if err != nil {
		const next = "try another mirror with DEBIAN_MIRROR; if the archive's keys have changed, " +
			"renew build/debian/archive-keyring.asc"
		return Suite{}, fault.New(fault.Fetch, next, "%s: %w", url, forged{err})
	}
	if release.Suite != name {
		return Suite{}, fault.New(fault.Fetch, "try another mirror with DEBIAN_MIRROR", "%s: %w", url,
			forged{fmt.Errorf("is of suite %q", release.Suite)})
	}
	if known, locked := m.NotBefore[name]; locked && release.Date.Before(known) {
		return Suite{}, behind(mirror, release, "the lock's", known)
	} else if seen := m.seen(name); !locked && release.Date.Before(seen) {
		return Suite{}, behind(mirror, release, "that", seen)
	}
	return Suite{Release: release, URL: mirror, mirror: m}, nil
}

// ErrForged is what an InRelease is that the archive did not sign for this suite.
var ErrForged = errors.New("not signed by the archive")

// forged makes an error ErrForged without a change of its text.
type forged struct{ error }

func (f forged) Unwrap() error        { return f.error }
func (f forged) Is(target error) bool { return target == ErrForged }

// Index reads the packages of an architecture.
func (s Suite) Index(ctx context.Context, arch string) (*Index, error) {
	r, err := s.open(ctx, Packages(arch))
	if err != nil {
		return nil, err
	}
	ix, err := ParseIndex(r)
	if err != nil {
		return nil, fmt.Errorf("index of %s/%s: %w", s.Suite, arch, err)
	}
	return ix, nil
}

// fetch brings an index that InRelease names into the cache. Its name below by-hash says
// what it is; the plain name, for a mirror that keeps no by-hash tree, may stand for a
// newer or an older file, which its digest tells.
func (s Suite) fetch(ctx context.Context, name string) (string, error) {
	file, ok := s.Files[name]
	if !ok {
		return "", fmt.Errorf("suite %s has no %s", s.Suite, name)
	}
	base, cache := s.URL+"/dists/"+s.Suite+"/", s.mirror.Cache
	local, err := cache.Get(ctx, base+path.Dir(name)+"/by-hash/SHA256/"+file.SHA256, file.SHA256, file.Size)
	if errors.Is(err, fetch.ErrGone) {
		local, err = cache.Get(ctx, base+name, file.SHA256, file.Size)
	}
	if fetch.Misfit(err) || errors.Is(err, fetch.ErrGone) {
		return "", updating(s.URL, s.Release, name, err)
	}
	return local, err
}

// open returns the decompressed text of an index.
func (s Suite) open(ctx context.Context, name string) (io.Reader, error) {
	local, err := s.fetch(ctx, name)
	if err != nil {
		return nil, err
	}
	packed, err := os.ReadFile(local)
	if err != nil {
		return nil, err
	}
	return decompress(name, bytes.NewReader(packed))
}

// Source is a file of a source package, as the signed Sources index names it.
type Source struct {
	Version string // upstream's, without epoch and Debian revision
	URL     string
	File
}

// Source finds the upstream tarball of a source package.
func (s Suite) Source(ctx context.Context, name string) (Source, error) {
	r, err := s.open(ctx, Sources)
	if err != nil {
		return Source{}, err
	}
	var found Source
	err = stanzas(r, func(f map[string]string) error {
		if f["Package"] != name || f["Extra-Source-Only"] == "yes" {
			return nil
		}
		files, err := parseDigests(f["Checksums-Sha256"])
		if err != nil {
			return err
		}
		for file, digest := range files {
			if strings.Contains(file, ".orig.tar.") && !strings.HasSuffix(file, ".asc") {
				url := s.URL + "/" + f["Directory"] + "/" + file
				found = Source{Version: UpstreamVersion(f["Version"]), URL: url, File: digest}
			}
		}
		return nil
	})
	if err == nil && found.URL == "" {
		err = fmt.Errorf("suite %s has no source of %s", s.Suite, name)
	}
	return found, err
}

// UpstreamVersion cuts epoch and Debian revision off (Debian Policy §5.6.12).
func UpstreamVersion(v string) string {
	if _, after, ok := strings.Cut(v, ":"); ok {
		v = after
	}
	if i := strings.LastIndexByte(v, '-'); i >= 0 {
		v = v[:i]
	}
	return v
}
