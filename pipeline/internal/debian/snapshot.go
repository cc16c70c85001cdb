package debian

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"path"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/tcapflow/tcapflow/pipeline/internal/fault"
	"github.com/tcapflow/tcapflow/pipeline/internal/fetch"
)

// Snapshot is Debian's archive of all packages that there ever were. It has no look-up by
// SHA-256: package and version give SHA-1 digests, by which it names files. Whether one is
// the wanted file is told by its SHA-256. The interface is described in the file API of
// https://salsa.debian.org/snapshot-team/snapshot.
//
// It is slow, and limits how much one may ask of it: one file at a time is asked for.
type Snapshot struct {
	url  string
	turn sync.Mutex
}

// NewSnapshot gives the archive at an address without a trailing slash. That of "" is nil,
// which has nothing.
func NewSnapshot(url string) *Snapshot {
	if url == "" {
		return nil
	}
	return &Snapshot{url: url}
}

// snapshots is the archive with the cache that its files go into.
type snapshots struct {
	*Snapshot
	cache *fetch.Cache
}

// ErrNotAsked says that the snapshot archive was not asked: it is switched off, or has no
// such files.
var ErrNotAsked = errors.New("the snapshot archive is not asked")

const (
	maxAnswer    = 4 << 20          // bytes; an answer has some kilobytes
	maxVersions  = 4                // Debian revisions of one upstream version that are looked at
	answerWithin = 60 * time.Second // for all attempts together
)

// answer is what the archive says of a version's files.
type answer struct {
	Result []struct {
		Hash         string `json:"hash"`         // SHA-1, lower-case hex
		Architecture string `json:"architecture"` // of a binary package
		Version      string `json:"version"`      // in a list of versions
	} `json:"result"`
	FileInfo map[string][]struct {
		Name string `json:"name"`
		Size int64  `json:"size"` // bytes
	} `json:"fileinfo"` // by SHA-1
}

// deb fetches a package, unless somebody has done so meanwhile.
func (s snapshots) deb(ctx context.Context, p Package) (string, error) {
	s.turn.Lock()
	defer s.turn.Unlock()
	if s.cache.Has(p.SHA256) {
		return s.cache.Path(p.SHA256), nil
	}
	a, err := s.ask(ctx, "/mr/binary/"+escape(p.Name)+"/"+escape(p.Version)+"/binfiles?fileinfo=1")
	if err != nil {
		return "", err
	}
	var hashes []string
	for _, r := range a.Result {
		if r.Architecture == p.Arch && a.fits(r.Hash, path.Base(p.Filename), p.Size) {
			hashes = append(hashes, r.Hash)
		}
	}
	return s.file(ctx, hashes, p.Name+" "+p.Version+" for "+p.Arch, p.SHA256, p.Size)
}

// source fetches an upstream tarball, given by its path below the pool. The path has not
// the Debian revision that the archive asks for: those of the upstream version are tried.
func (s snapshots) source(ctx context.Context, file, digest string) (string, error) {
	name, base := path.Base(path.Dir(file)), path.Base(file)
	version, _, ok := strings.Cut(strings.TrimPrefix(base, name+"_"), ".orig.tar.")
	s.turn.Lock()
	defer s.turn.Unlock()
	if !ok {
		return "", fmt.Errorf("%s is no upstream tarball: %w", base, ErrNotAsked)
	}
	list, err := s.ask(ctx, "/mr/package/"+escape(name)+"/")
	if err != nil {
		return "", err
	}
	var hashes []string
	for _, revision := range list.revisions(version) {
		files, err := s.ask(ctx, "/mr/package/"+escape(name)+"/"+escape(revision)+"/srcfiles?fileinfo=1")
		if err != nil {
			return "", err
		}
		for _, f := range files.Result {
			if files.fits(f.Hash, base, 0) {
				hashes = append(hashes, f.Hash)
			}
		}
	}
	return s.file(ctx, hashes, base, digest, 0)
}

// revisions are the first Debian versions of an upstream version, all of one tarball.
func (a answer) revisions(upstream string) (versions []string) {
	for _, r := range a.Result {
		if UpstreamVersion(r.Version) == upstream && len(versions) < maxVersions {
			versions = append(versions, r.Version)
		}
	}
	return versions
}

var sha1Hex = regexp.MustCompile(`^[0-9a-f]{40}$`)

// fits tells whether a hash is that of a file of this name, and of this size unless it is 0.
func (a answer) fits(hash, name string, size int64) bool {
	for _, f := range a.FileInfo[hash] {
		if f.Name == name && (size == 0 || f.Size == size) {
			return sha1Hex.MatchString(hash)
		}
	}
	return false
}

// escape makes a word of a path. A colon, of an epoch, is escaped too: the archive's own
// server takes it in no other form.
func escape(word string) string { return strings.ReplaceAll(url.PathEscape(word), ":", "%3A") }

// ask fetches and reads what the archive says at a path.
func (s snapshots) ask(ctx context.Context, path string) (answer, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, answerWithin, errNoAnswer)
	defer cancel()
	text, err := s.cache.Read(ctx, s.url+path, maxAnswer)
	if cause := context.Cause(ctx); errors.Is(cause, errNoAnswer) {
		return answer{}, fault.New(fault.Fetch, "", "%s: %w", s.url+path, cause)
	}
	if err != nil {
		return answer{}, err
	}
	var a answer
	if err := json.Unmarshal(text, &a); err != nil {
		return answer{}, fault.New(fault.Fetch, "", "%s: %w", s.url+path, err)
	}
	return a, nil
}

var errNoAnswer = fmt.Errorf("no answer in %v", answerWithin)

// file fetches the first of the files that has the wanted digest.
func (s snapshots) file(ctx context.Context, hashes []string, what, digest string, size int64) (
	local string, err error) {
	err = error(fault.New(fault.Fetch, "", "%s has no %s", s.url, what))
	for _, hash := range hashes {
		if local, err = s.cache.Get(ctx, s.url+"/file/"+hash, digest, size); !fetch.Misfit(err) {
			return local, err
		}
	}
	return "", err
}
