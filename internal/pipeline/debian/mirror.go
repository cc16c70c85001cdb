// Package debian reads a Debian archive and assembles image layers from its packages.
//
// It goes the way apt goes, in-process and with no root, no maintainer script and no
// tool of the host: InRelease is checked against an archive keyring, each index by
// the digest in InRelease, each .deb by the digest in the index (or in a lock that
// was taken from it). In: a mirror, a lock, a set of packages. Out: a Layer.
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

	"github.com/tcapflow/tcapflow/internal/pipeline/fault"
	"github.com/tcapflow/tcapflow/internal/pipeline/fetch"
)

const (
	maxInRelease = 4 << 20 // bytes; Debian 13's has 140 KB
	parallel     = 8       // transfers at once: enough to hide a mirror's latency, few enough to be polite
)

// Mirror is a Debian archive: URL + "/dists/…" and URL + "/pool/…".
type Mirror struct {
	URL     string // without a trailing slash
	Keyring []byte // armored OpenPGP keys that may sign InRelease
	Cache   *fetch.Cache
}

// Suite is a suite whose InRelease was checked.
type Suite struct {
	Release
	mirror Mirror
}

// Suite fetches and checks dists/NAME/InRelease.
func (m Mirror) Suite(ctx context.Context, name string) (Suite, error) {
	url := m.URL + "/dists/" + name + "/InRelease"
	text, err := m.Cache.Read(ctx, url, maxInRelease)
	if err != nil {
		return Suite{}, err
	}
	release, err := ParseRelease(text, m.Keyring, time.Now())
	if err != nil {
		return Suite{}, fault.New(fault.Fetch, "try another mirror with DEBIAN_MIRROR; if the archive's keys have changed, renew build/debian/archive-keyring.asc", "%s: %w", url, err)
	}
	if release.Suite != name {
		return Suite{}, fault.New(fault.Fetch, "try another mirror with DEBIAN_MIRROR", "%s: is of suite %q", url, release.Suite)
	}
	return Suite{Release: release, mirror: m}, nil
}

// Index fetches the Packages file of an architecture, by its digest.
func (s Suite) Index(ctx context.Context, arch string) (*Index, error) {
	r, err := s.open(ctx, "main/binary-"+arch+"/Packages.xz")
	if err != nil {
		return nil, err
	}
	ix, err := ParseIndex(r)
	if err != nil {
		return nil, fmt.Errorf("index of %s/%s: %w", s.Suite, arch, err)
	}
	return ix, nil
}

// open returns the decompressed text of an index that InRelease names.
func (s Suite) open(ctx context.Context, name string) (io.Reader, error) {
	file, ok := s.Files[name]
	if !ok {
		return nil, fmt.Errorf("suite %s has no %s", s.Suite, name)
	}
	base := s.mirror.URL + "/dists/" + s.Suite
	local, err := s.mirror.Cache.Get(ctx, base+"/"+path.Dir(name)+"/by-hash/SHA256/"+file.SHA256, file.SHA256, file.Size)
	if errors.Is(err, fetch.ErrGone) { // a mirror that keeps no by-hash tree
		local, err = s.mirror.Cache.Get(ctx, base+"/"+name, file.SHA256, file.Size)
	}
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
	r, err := s.open(ctx, "main/source/Sources.xz")
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
				found = Source{Version: UpstreamVersion(f["Version"]), URL: s.mirror.URL + "/" + f["Directory"] + "/" + file, File: digest}
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

// Debs fetches packages, several at once, and returns their paths in order.
func (m Mirror) Debs(ctx context.Context, packages []Package) ([]string, error) {
	paths := make([]string, len(packages))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(parallel)
	for i, p := range packages {
		group.Go(func() (err error) {
			paths[i], err = m.Cache.Get(ctx, m.URL+"/"+p.Filename, p.SHA256, p.Size)
			return err
		})
	}
	return paths, group.Wait()
}
