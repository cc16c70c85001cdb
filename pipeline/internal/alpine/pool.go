package alpine

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tcapflow/tcapflow/pipeline/internal/fault"
	"github.com/tcapflow/tcapflow/pipeline/internal/fetch"
	"github.com/tcapflow/tcapflow/spec"
)

const parallel = 8 // transfers at once: enough to hide a mirror's latency, few enough to be polite

// Fetch brings locked packages into the cache, several at once, and returns their paths in
// order. A package has a digest, so it does not matter which mirror gives it. Alpine's
// mirrors keep no old version: where none has one any more, the error is fetch.ErrGone.
func (m Mirror) Fetch(ctx context.Context, packages []Package) ([]string, error) {
	paths := make([]string, len(packages))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(parallel)
	for i, p := range packages {
		group.Go(func() error {
			return m.eachMirror(ctx, func(url string) (err error) {
				paths[i], err = m.Cache.Get(ctx, url+"/"+m.Branch+"/"+p.Path, p.SHA256, p.Size)
				return err
			})
		})
	}
	return paths, group.Wait()
}

// Offered sees, before anything is fetched, that a mirror has each package that the cache
// has not. It asks for no more than their names.
func (m Mirror) Offered(ctx context.Context, packages []Package) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(parallel)
	for _, p := range packages {
		if m.Cache.Has(p.SHA256) {
			continue
		}
		group.Go(func() error {
			return m.eachMirror(ctx, func(url string) error {
				return m.head(ctx, url+"/"+m.Branch+"/"+p.Path, p.Size)
			})
		})
	}
	return group.Wait()
}

// head asks for a file's name alone, once: it is about what can be had now.
func (m Mirror) head(ctx context.Context, url string, size int64) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, url, nil)
	if err != nil {
		return err
	}
	client := m.Cache.Client
	if client == nil {
		client = http.DefaultClient
	}
	resp, err := client.Do(req)
	if err != nil {
		return fault.New(fault.Fetch, nextMirror, "%s: %w", url, innermost(err))
	}
	resp.Body.Close()
	switch {
	case resp.StatusCode == http.StatusNotFound || resp.StatusCode == http.StatusGone:
		return fault.New(fault.Fetch, nextMirror, "%s: %w", url, fetch.ErrGone)
	case resp.StatusCode != http.StatusOK:
		return fault.New(fault.Fetch, nextMirror, "%s: the server answered %s", url, resp.Status)
	case resp.ContentLength >= 0 && resp.ContentLength != size:
		return fault.New(fault.Fetch, nextMirror, "%s: has %d bytes, not %d", url, resp.ContentLength, size)
	}
	return nil
}

// innermost is the cause below net/http's error, which says the address once more.
func innermost(err error) error {
	if inner := errors.Unwrap(err); inner != nil {
		return inner
	}
	return err
}

// Resolve takes a new lock of sets from the signed indexes, and of each package its digest,
// for which it has to be fetched. All of an architecture is of one state of one mirror.
func (m Mirror) Resolve(ctx context.Context, sets []spec.PackageSet) (Lock, error) {
	byArch := map[string][]spec.PackageSet{}
	for _, set := range sets {
		for _, arch := range set.Arches {
			byArch[arch] = append(byArch[arch], set)
		}
	}
	lock := Lock{Branch: m.Branch, Indexes: map[string]time.Time{}, Sets: map[string][]Package{}}
	var mu sync.Mutex
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(2)
	for arch, sets := range byArch {
		group.Go(func() error {
			return m.eachMirror(ctx, func(url string) error {
				got, err := m.resolveArch(ctx, url, arch, sets)
				if err == nil {
					mu.Lock()
					lock = lock.With(got)
					mu.Unlock()
				}
				return err
			})
		})
	}
	return lock, group.Wait()
}

func (m Mirror) resolveArch(ctx context.Context, url, arch string, sets []spec.PackageSet) (Lock, error) {
	lock := Lock{Branch: m.Branch, Indexes: map[string]time.Time{}, Sets: map[string][]Package{}}
	var index Index
	for order, repository := range m.Repositories {
		place := repository + "/" + arch
		day, err := m.readIndex(ctx, &index, url, place, order)
		if err != nil {
			return Lock{}, err
		}
		lock.Indexes[place] = day
	}
	for _, set := range sets {
		packages, err := index.Resolve(set)
		if err != nil {
			return Lock{}, fmt.Errorf("%s: %w", SetKey(set, arch), err)
		}
		if err := m.pinAll(ctx, url, arch, packages); err != nil {
			return Lock{}, err
		}
		lock.Sets[SetKey(set, arch)] = packages
	}
	return lock, nil
}

// readIndex fetches and checks an APKINDEX, and adds its packages to an index.
func (m Mirror) readIndex(ctx context.Context, to *Index, url, place string, order int) (time.Time, error) {
	address := url + "/" + m.Branch + "/" + place + "/APKINDEX.tar.gz"
	text, err := m.Cache.Read(ctx, address, maxIndex)
	if err != nil {
		return time.Time{}, err
	}
	_, arch, _ := strings.Cut(place, "/")
	day, err := m.parseIndex(to, text, arch, place, order)
	if err != nil {
		return time.Time{}, fault.New(fault.Fetch, nextMirror, "%s: %w", address, err)
	}
	if known := m.NotBefore[place]; day.Before(known) {
		return time.Time{}, fault.New(fault.Fetch, nextMirror,
			"%s: is of %s, older than the lock's of %s: the mirror is stale, or somebody holds updates back",
			address, day.Format(time.DateOnly), known.Format(time.DateOnly))
	}
	return day, nil
}

// parseIndex checks an APKINDEX.tar.gz and reads it. The day of the entry APKINDEX is
// signed, too.
func (m Mirror) parseIndex(to *Index, text []byte, arch, place string, order int) (day time.Time, err error) {
	a, err := openArchive(bytes.NewReader(text), int64(len(text)), false)
	if err != nil {
		return day, err
	}
	if err := a.verify(m.Keys, arch); err != nil {
		return day, err
	}
	err = eachEntry(a.control, maxIndexText, func(h *entryHeader, body io.Reader) error {
		switch h.Name {
		case "DESCRIPTION":
			return m.checkBranch(body)
		case "APKINDEX":
			day = h.ModTime
			return to.add(body, place, order)
		}
		return nil
	})
	if err == nil && day.IsZero() {
		err = errors.New("no APKINDEX in it")
	}
	return day, err
}

// checkBranch reads what an index says of its origin, as git describe(1) does:
// v3.24.2-14-g54a39ace82a. An index of another branch is signed by the same keys.
func (m Mirror) checkBranch(description io.Reader) error {
	text, err := io.ReadAll(io.LimitReader(description, 4<<10))
	if err != nil {
		return err
	}
	said := strings.TrimSpace(string(text))
	if strings.HasPrefix(m.Branch, "v") && !strings.HasPrefix(said, m.Branch+".") && said != m.Branch &&
		!strings.HasPrefix(said, m.Branch+"-") && !strings.HasPrefix(said, m.Branch+"_") {
		return fmt.Errorf("is of %.40q, not of %s", said, m.Branch)
	}
	return nil
}

// pinAll gives packages of an index the SHA-256 of their files.
func (m Mirror) pinAll(ctx context.Context, url, arch string, packages []Package) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(parallel)
	for i := range packages {
		group.Go(func() error { return m.pin(ctx, url, arch, &packages[i]) })
	}
	return group.Wait()
}

// pin fetches a package and sees that it is the one of the index: so far it has no more
// than the SHA-1 of its control part, and a size. What is good goes into the cache.
func (m Mirror) pin(ctx context.Context, url, arch string, p *Package) error {
	address := url + "/" + m.Branch + "/" + p.Path
	text, err := m.Cache.Read(ctx, address, p.Size)
	if err != nil {
		return err
	}
	if err := m.checkPackage(text, arch, p); err != nil {
		return fault.New(fault.Fetch, nextMirror, "%s: %w", address, err)
	}
	sum := sha256.Sum256(text)
	p.SHA256 = hex.EncodeToString(sum[:])
	_, err = m.Cache.Put(p.SHA256, text)
	return err
}

// checkPackage holds a package against its place in the index, and against the keys.
func (m Mirror) checkPackage(text []byte, arch string, p *Package) error {
	if int64(len(text)) != p.Size {
		return fmt.Errorf("has %d bytes; the index says %d", len(text), p.Size)
	}
	a, err := openArchive(bytes.NewReader(text), int64(len(text)), true)
	if err != nil {
		return err
	}
	if err := a.checkControl(p.checksum); err != nil {
		return err
	}
	if err := a.verify(m.Keys, arch); err != nil {
		return err
	}
	info, err := a.info()
	if err != nil {
		return err
	}
	if info.name != p.Name || info.version != p.Version {
		return fmt.Errorf("is %.80s %.40s", info.name, info.version)
	}
	return a.checkData(info)
}
