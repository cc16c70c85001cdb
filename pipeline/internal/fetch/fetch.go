// Package fetch brings files of known SHA-256 from the network into a cache that
// is addressed by content.
//
// In: a URL and the digest that the file must have. Out: the path of a file that
// has this digest. A file is written beside its place and renamed into it, so the
// cache never holds a half one; a transfer that is cut is resumed with a Range
// request, a bounded number of times.
package fetch

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tcapflow/tcapflow/pipeline/internal/fault"
	"github.com/tcapflow/tcapflow/pipeline/internal/files"
)

// ErrGone says that the server answered and does not have the file (HTTP 404 or 410).
var ErrGone = errors.New("not on the server")

// ErrDigest says that the server gave a file with another digest.
var ErrDigest = errors.New("SHA-256 differs")

// ErrLonger says that the server gave more bytes than the file has: it is another file.
var ErrLonger = errors.New("longer than announced")

// errStalled ends an attempt that may be worth another.
var errStalled = errors.New("the transfer stalled")

// lowerHex is how a SHA-256 is spelled, here and in Debian's indexes. A digest becomes a
// file name, so nothing else may pass.
var lowerHex = regexp.MustCompile(`^[0-9a-f]{64}$`)

// Cache fetches into Dir, which is made when it is needed.
type Cache struct {
	Dir    string
	Client *http.Client  // nil: http.DefaultClient, which honours HTTPS_PROXY and SSL_CERT_FILE
	Borrow func(string)  // may put a missing file there, by its path; nil: nobody can
	Pause  time.Duration // before the second attempt, doubled for each after it; 0: one second

	stall time.Duration // no byte for so long counts as a cut transfer; 0: 20 seconds
	bytes atomic.Int64
	down  sync.Map // host → outage
}

// Bytes counts what came over the network so far.
func (c *Cache) Bytes() int64 { return c.bytes.Load() }

// Path is where a file with this digest (lower-case hex) stands once it is fetched.
func (c *Cache) Path(digest string) string { return filepath.Join(c.Dir, "sha256", digest) }

// Has reports whether the file is there. Its bytes were checked when it was written.
func (c *Cache) Has(digest string) bool {
	_, err := os.Stat(c.Path(digest))
	if err != nil && c.Borrow != nil {
		c.Borrow(c.Path(digest))
		_, err = os.Stat(c.Path(digest))
	}
	return err == nil
}

// Get returns the path of the file with the given SHA-256, fetched from url if the
// cache does not have it. size bounds the transfer in bytes; 0 means at most 1 GiB.
func (c *Cache) Get(ctx context.Context, url, digest string, size int64) (string, error) {
	if !lowerHex.MatchString(digest) {
		return "", fmt.Errorf("%s: %q is no SHA-256 in lower-case hex", url, digest)
	}
	if c.Has(digest) {
		return c.Path(digest), nil
	}
	if size <= 0 {
		size = 1 << 30
	}
	part, err := files.Create(c.Path(digest))
	if err != nil {
		return "", explain(url, err)
	}
	defer part.Discard()
	if err := c.retry(ctx, url, func() error { return c.resume(ctx, url, part.File, size) }); err != nil {
		return "", err
	}
	if err := checkDigest(part.File, url, digest); err != nil {
		return "", err
	}
	return c.Path(digest), part.Commit()
}

// Put keeps a file whose digest the caller has computed.
func (c *Cache) Put(digest string, text []byte) (string, error) {
	if !lowerHex.MatchString(digest) {
		return "", fmt.Errorf("%q is no SHA-256 in lower-case hex", digest)
	}
	if c.Has(digest) {
		return c.Path(digest), nil
	}
	return c.Path(digest), files.Write(c.Path(digest), text)
}

// Read returns the body of url, at most limit bytes. Nothing is known of its
// digest: the caller checks a signature.
func (c *Cache) Read(ctx context.Context, url string, limit int64) ([]byte, error) {
	part, err := files.Create(filepath.Join(c.Dir, "read")) // swept there, where a run is killed
	if err != nil {
		return nil, explain(url, err)
	}
	defer part.Discard()
	tmp := part.File
	if err := c.retry(ctx, url, func() error { return c.resume(ctx, url, tmp, limit) }); err != nil {
		return nil, err
	}
	if _, err := tmp.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	return io.ReadAll(tmp)
}

// resume appends to tmp what is missing of url.
func (c *Cache) resume(ctx context.Context, url string, tmp *os.File, limit int64) (err error) {
	attempt, cancel := context.WithCancel(ctx)
	defer cancel()
	stall := c.stall
	if stall == 0 {
		stall = 20 * time.Second
	}
	watch := time.AfterFunc(stall, cancel)
	defer watch.Stop()
	defer func() {
		if err != nil && attempt.Err() != nil && ctx.Err() == nil {
			err = fmt.Errorf("%w: no byte in %s", errStalled, stall) // else it looks as if the user had cancelled
		}
	}()
	have, err := tmp.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(attempt, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	// Some servers label a .tar.gz "Content-Encoding: gzip", and net/http would unpack it.
	req.Header.Set("Accept-Encoding", "identity")
	if have > 0 {
		req.Header.Set("Range", "bytes="+strconv.FormatInt(have, 10)+"-")
	}
	resp, err := c.client().Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if err := start(resp, tmp, have); err != nil {
		return err
	}
	if have, err = tmp.Seek(0, io.SeekEnd); err != nil {
		return err
	}
	n, err := io.Copy(tmp, io.LimitReader(&stallReader{resp.Body, watch, stall}, limit-have+1))
	c.bytes.Add(n)
	if have+n > limit {
		return fmt.Errorf("%w: more than %d bytes", ErrLonger, limit)
	}
	return err
}

// start reads the status line: it decides whether the body continues the file or begins it anew.
func start(resp *http.Response, tmp *os.File, have int64) error {
	switch resp.StatusCode {
	case http.StatusPartialContent:
		if strings.HasPrefix(resp.Header.Get("Content-Range"), fmt.Sprintf("bytes %d-", have)) {
			return nil
		}
		if err := tmp.Truncate(0); err != nil {
			return err
		}
		return errors.New("the server resumes at another byte than asked for")
	case http.StatusOK:
		if have == 0 {
			return nil
		}
		return tmp.Truncate(0)
	case http.StatusRequestedRangeNotSatisfiable:
		if err := tmp.Truncate(0); err != nil {
			return err
		}
		return errors.New("the server cannot resume")
	case http.StatusNotFound, http.StatusGone:
		return ErrGone
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		return busy{resp.Status, retryAfter(resp.Header)}
	default:
		return fmt.Errorf("the server answered %s", resp.Status)
	}
}

func (c *Cache) client() *http.Client {
	if c.Client != nil {
		return c.Client
	}
	return http.DefaultClient
}

// stallReader puts the watchdog off at every read that brings bytes.
type stallReader struct {
	r     io.Reader
	watch *time.Timer
	stall time.Duration
}

func (s *stallReader) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	if n > 0 {
		s.watch.Reset(s.stall)
	}
	return n, err
}

func checkDigest(f *os.File, url, want string) error {
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return err
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != want {
		return &fault.Error{Code: fault.Fetch, Err: fmt.Errorf("%s: %w: %s, wanted %s", url, ErrDigest, got, want),
			Next: "do not use this file; see who answers for that host, then for the pin"}
	}
	return nil
}
