package fetch

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tcapflow/tcapflow/pipeline/internal/fault"
)

var content = bytes.Repeat([]byte("SCCP management "), 4096)

func digestOf(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// serve starts a server on loopback and gives its URL and a count of requests.
func serve(t *testing.T, h http.HandlerFunc) (url string, requests *atomic.Int64) {
	t.Helper()
	requests = new(atomic.Int64)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		h(w, r)
	}))
	t.Cleanup(s.Close)
	return s.URL + "/file", requests
}

func cache(t *testing.T) *Cache {
	return &Cache{Dir: t.TempDir(), Pause: time.Microsecond}
}

func wholeFile(w http.ResponseWriter, r *http.Request) {
	http.ServeContent(w, r, "file", time.Time{}, bytes.NewReader(content))
}

// cutAt answers with the first n bytes of what was asked for and then closes the connection.
func cutAt(n int, w http.ResponseWriter, from int) {
	w.Header().Set("Content-Length", strconv.Itoa(len(content)-from))
	if from > 0 {
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, len(content)-1, len(content)))
		w.WriteHeader(http.StatusPartialContent)
	}
	w.Write(content[from : from+n])
	http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}

// noTemp fails the test if a file that is not named by its digest is left in the cache.
func noTemp(t *testing.T, c *Cache) {
	t.Helper()
	left, err := filepath.Glob(filepath.Join(c.Dir, "sha256", ".*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left in the cache: %v %v", left, err)
	}
}

func check(t *testing.T, c *Cache, got string, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(got)
	if err != nil {
		t.Fatal(err)
	}
	if got != c.Path(digestOf(content)) || !bytes.Equal(text, content) {
		t.Errorf("%s holds %d bytes that are not those of the server", got, len(text))
	}
	noTemp(t, c)
}

// code is the exit code that an error asks for.
func code(err error) fault.Code {
	var f *fault.Error
	if !errors.As(err, &f) {
		return 0
	}
	return f.Code
}

func TestGetOnce(t *testing.T) {
	url, requests := serve(t, wholeFile)
	c := cache(t)
	got, err := c.Get(t.Context(), url, digestOf(content), int64(len(content)))
	check(t, c, got, err)
	if c.Bytes() != int64(len(content)) {
		t.Errorf("counted %d bytes of %d", c.Bytes(), len(content))
	}
	got, err = c.Get(t.Context(), url, digestOf(content), 1)
	check(t, c, got, err)
	if n := requests.Load(); n != 1 {
		t.Errorf("%d requests for a file that is in the cache", n)
	}
}

func TestGetWrongDigest(t *testing.T) {
	url, requests := serve(t, wholeFile)
	c := cache(t)
	other := digestOf([]byte("another file"))
	_, err := c.Get(t.Context(), url, other, 0)
	if !errors.Is(err, ErrDigest) || code(err) != fault.Fetch || !strings.Contains(err.Error(), url) {
		t.Errorf("got %v", err)
	}
	if requests.Load() != 1 || c.Has(other) {
		t.Errorf("%d requests; kept: %t", requests.Load(), c.Has(other))
	}
	noTemp(t, c)
}

// A digest becomes a path: what is none must not reach the disk or the network.
func TestGetNoDigest(t *testing.T) {
	url, requests := serve(t, wholeFile)
	c := cache(t)
	outside := strings.Repeat("/", 64-len("../../secret")) + "../../secret"
	if err := os.WriteFile(filepath.Join(c.Dir, "..", "secret"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, digest := range []string{"", "abc", digestOf(nil)[:63], digestOf(nil) + "0", strings.ToUpper(digestOf(content)), outside} {
		if got, err := c.Get(t.Context(), url, digest, 0); err == nil {
			t.Errorf("%q: got %s", digest, got)
		}
	}
	if requests.Load() != 0 {
		t.Error("asked the server")
	}
}

func TestGetResumed(t *testing.T) {
	var ranges []string
	url, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		ranges = append(ranges, r.Header.Get("Range"))
		switch len(ranges) {
		case 1:
			cutAt(1000, w, 0)
		case 2:
			cutAt(500, w, 1000)
		default:
			wholeFile(w, r)
		}
	})
	c := cache(t)
	got, err := c.Get(t.Context(), url, digestOf(content), 0)
	check(t, c, got, err)
	if want := "[ bytes=1000- bytes=1500-]"; fmt.Sprint(ranges) != want {
		t.Errorf("asked for %v, want %s", ranges, want)
	}
	if c.Bytes() != int64(len(content)) {
		t.Errorf("%d bytes came over the network, want %d", c.Bytes(), len(content))
	}
}

// A server may know no Range, refuse it, or answer with another range than was asked for.
func TestGetNotResumed(t *testing.T) {
	second := map[string]http.HandlerFunc{
		"whole file again": func(w http.ResponseWriter, r *http.Request) { w.Write(content) },
		"416":              func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusRequestedRangeNotSatisfiable) },
		"another range":    func(w http.ResponseWriter, r *http.Request) { cutAt(100, w, 10) },
		"no Content-Range": func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusPartialContent)
			w.Write(content)
		},
	}
	for name, answer := range second {
		t.Run(name, func(t *testing.T) {
			n := 0
			url, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
				switch n++; n {
				case 1:
					cutAt(1000, w, 0)
				case 2:
					answer(w, r)
				default:
					wholeFile(w, r)
				}
			})
			c := cache(t)
			got, err := c.Get(t.Context(), url, digestOf(content), 0)
			check(t, c, got, err)
		})
	}
}

func TestGetGone(t *testing.T) {
	for _, status := range []int{http.StatusNotFound, http.StatusGone} {
		url, requests := serve(t, func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(status) })
		c := cache(t)
		_, err := c.Get(t.Context(), url, digestOf(content), 0)
		if !errors.Is(err, ErrGone) || errors.Is(err, ErrDown) || code(err) != fault.Fetch || requests.Load() != 1 {
			t.Errorf("%d: %v after %d requests", status, err, requests.Load())
		}
		noTemp(t, c)
	}
}

func TestGetRetriesAreBounded(t *testing.T) {
	url, requests := serve(t, func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusBadGateway) })
	c := cache(t)
	_, err := c.Get(t.Context(), url, digestOf(content), 0)
	if code(err) != fault.Fetch || errors.Is(err, ErrGone) || !errors.Is(err, ErrDown) ||
		!strings.Contains(err.Error(), "502") || !strings.Contains(err.Error(), "HTTPS_PROXY") {
		t.Errorf("got %v", err)
	}
	if n := requests.Load(); n != attempts {
		t.Errorf("%d requests, want %d", n, attempts)
	}
	noTemp(t, c)
}

// A server that asks for patience gets it, within bounds.
func TestGetRetryAfter(t *testing.T) {
	for header, want := range map[string]time.Duration{
		"7": 7 * time.Second, "": time.Second, "-5": time.Second,
		"86400": longestWait, "99999999999999999999": time.Second,
		"Fri, 31 Dec 1999 23:59:59 GMT": time.Second,
	} {
		synctest.Test(t, func(t *testing.T) {
			n := 0
			answer := func(*http.Request) (*http.Response, error) {
				if n++; n > 1 {
					return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(bytes.NewReader(content))}, nil
				}
				return &http.Response{StatusCode: http.StatusTooManyRequests, Body: http.NoBody,
					Header: http.Header{"Retry-After": {header}}}, nil
			}
			c := &Cache{Dir: t.TempDir(), Client: &http.Client{Transport: roundTrip(answer)}}
			start := time.Now()
			got, err := c.Get(t.Context(), "http://busy.example/file", digestOf(content), 0)
			check(t, c, got, err)
			if waited := time.Since(start); waited != want {
				t.Errorf("Retry-After %q: waited %v, want %v", header, waited, want)
			}
		})
	}
}

// Of a server that is down each file need not find that out anew; after a while it is
// asked again, and what it has is taken.
func TestServerIsDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked, up := 0, false
		answer := func(*http.Request) (*http.Response, error) {
			if asked++; up {
				return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(bytes.NewReader(content))}, nil
			}
			return nil, syscall.ECONNREFUSED
		}
		c := &Cache{Dir: t.TempDir(), Client: &http.Client{Transport: roundTrip(answer)}}
		for _, file := range []string{"a", "b", "c"} {
			_, err := c.Get(t.Context(), "http://down.example/"+file, digestOf(content), 0)
			if !errors.Is(err, syscall.ECONNREFUSED) || !errors.Is(err, ErrDown) {
				t.Errorf("%s: %v", file, err)
			}
			if code(err) != fault.Fetch || asked != attempts {
				t.Errorf("%s: %v after %d requests", file, err, asked)
			}
		}
		up = true
		got, err := c.Get(t.Context(), "http://up.example/a", digestOf([]byte("another")), 0)
		if !errors.Is(err, ErrDigest) {
			t.Errorf("another host: %s, %v", got, err)
		}
		time.Sleep(downFor + time.Second)
		got, err = c.Get(t.Context(), "http://down.example/a", digestOf(content), 0)
		check(t, c, got, err)
	})
}

// A name that is not known stays unknown; a name server that does not answer may do so soon.
func TestGetNoHost(t *testing.T) {
	for unknown, want := range map[bool]int{true: 1, false: attempts} {
		asked := 0
		c := cache(t)
		c.Client = &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			asked++
			return nil, &net.DNSError{Name: "none.example", IsNotFound: unknown, IsTemporary: !unknown}
		})}
		_, err := c.Get(t.Context(), "http://none.example/file", digestOf(content), 0)
		if code(err) != fault.Fetch || asked != want {
			t.Errorf("unknown %t: %v after %d attempts, want %d", unknown, err, asked, want)
		}
	}
}

func TestGetStalled(t *testing.T) {
	release := make(chan struct{})
	url, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", strconv.Itoa(len(content)))
		w.WriteHeader(http.StatusOK)
		http.NewResponseController(w).Flush()
		select {
		case <-release:
		case <-r.Context().Done():
		}
	})
	defer close(release)
	c := cache(t)
	c.stall = 10 * time.Millisecond
	// Counted here: under load a request may end before the server has seen it.
	requests := 0
	c.Client = &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		requests++
		return http.DefaultTransport.RoundTrip(r)
	})}
	_, err := c.Get(t.Context(), url, digestOf(content), 0)
	if !errors.Is(err, errStalled) || code(err) != fault.Fetch || requests != attempts {
		t.Errorf("got %v after %d requests", err, requests)
	}
	// A user who cancelled nothing must not read "interrupted".
	if errors.Is(err, context.Canceled) {
		t.Errorf("%v counts as cancelled", err)
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// slowly gives a few bytes at a time, each after a pause.
type slowly struct {
	r     io.Reader
	pause time.Duration
}

func (s slowly) Read(p []byte) (int, error) {
	time.Sleep(s.pause)
	return s.r.Read(p[:min(len(p), len(content)/8)])
}

// A slow transfer is no stalled one: eight parts, 15 seconds each, under a limit of 20.
func TestGetSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &Cache{Dir: t.TempDir(), Client: &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			body := io.NopCloser(slowly{bytes.NewReader(content), 15 * time.Second})
			return &http.Response{StatusCode: http.StatusOK, Body: contextBody{r.Context(), body}}, nil
		})}}
		got, err := c.Get(t.Context(), "http://slow.example/file", digestOf(content), 0)
		check(t, c, got, err)
		if c.Bytes() != int64(len(content)) {
			t.Errorf("%d bytes came over the network: the transfer was cut", c.Bytes())
		}
	})
}

// contextBody ends with its request's context, as net/http's bodies do.
type contextBody struct {
	ctx context.Context
	io.ReadCloser
}

func (b contextBody) Read(p []byte) (int, error) {
	if b.ctx.Err() != nil {
		return 0, b.ctx.Err()
	}
	return b.ReadCloser.Read(p)
}

func TestTooLong(t *testing.T) {
	url, requests := serve(t, wholeFile)
	c := cache(t)
	limit := int64(len(content) - 1)
	if _, err := c.Get(t.Context(), url, digestOf(content), limit); !errors.Is(err, ErrLonger) || code(err) != fault.Fetch {
		t.Errorf("Get: %v", err)
	}
	if _, err := c.Read(t.Context(), url, limit); !errors.Is(err, ErrLonger) {
		t.Errorf("Read: %v", err)
	}
	if requests.Load() != 2 {
		t.Errorf("%d requests, want one for each call", requests.Load())
	}
	noTemp(t, c)
	if text, err := c.Read(t.Context(), url, limit+1); err != nil || !bytes.Equal(text, content) {
		t.Errorf("a file of just the limit: %d bytes, %v", len(text), err)
	}
}

func TestGetUnknownCA(t *testing.T) {
	s := httptest.NewTLSServer(http.HandlerFunc(wholeFile))
	defer s.Close()
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	c := cache(t)
	if _, err := c.Get(t.Context(), s.URL, digestOf(content), 0); code(err) != fault.Fetch || !strings.Contains(err.Error(), "SSL_CERT_FILE") {
		t.Errorf("got %v", err)
	}
	c.Client = s.Client()
	got, err := c.Get(t.Context(), s.URL, digestOf(content), 0)
	check(t, c, got, err)
}

func TestGetCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	url, requests := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Write(content[:100])
		http.NewResponseController(w).Flush()
		cancel()
		<-r.Context().Done()
	})
	c := cache(t)
	if _, err := c.Get(ctx, url, digestOf(content), 0); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if requests.Load() != 1 {
		t.Errorf("%d requests", requests.Load())
	}
	noTemp(t, c)
}

// Errors of this machine are not tried again and do not blame the network.
func TestLocalErrors(t *testing.T) {
	url, requests := serve(t, wholeFile)
	t.Run("folder", func(t *testing.T) {
		c := cache(t)
		c.Dir = filepath.Join(c.Dir, "file")
		if err := os.WriteFile(c.Dir, nil, 0o644); err != nil {
			t.Fatal(err)
		}
		_, err := c.Get(t.Context(), url, digestOf(content), 0)
		if code(err) != fault.Failed || !strings.Contains(err.Error(), "mage vars") || requests.Load() != 0 {
			t.Errorf("got %v after %d requests", err, requests.Load())
		}
	})
	t.Run("disk full", func(t *testing.T) {
		full, err := os.OpenFile("/dev/full", os.O_RDWR, 0) // full(4)
		if err != nil {
			t.Skip(err)
		}
		defer full.Close()
		c := cache(t)
		err = c.retry(t.Context(), url, func() error { return c.resume(t.Context(), url, full, 1<<20) })
		if !errors.Is(err, syscall.ENOSPC) || code(err) != fault.Failed || !strings.Contains(err.Error(), "mage vars") || requests.Load() != 1 {
			t.Errorf("got %v after %d requests", err, requests.Load())
		}
	})
}

func TestGetConcurrently(t *testing.T) {
	url, _ := serve(t, wholeFile)
	c := cache(t)
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			got, err := c.Get(t.Context(), url, digestOf(content), 0)
			if err != nil || got != c.Path(digestOf(content)) {
				t.Errorf("%s, %v", got, err)
			}
		})
	}
	group.Wait()
	check(t, c, c.Path(digestOf(content)), nil)
}

// A server that labels a .tar.gz with its compression must not have it unpacked on the way.
func TestGetNoContentEncoding(t *testing.T) {
	url, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			t.Errorf("asks for %q", r.Header.Get("Accept-Encoding"))
		}
		w.Header().Set("Content-Encoding", "gzip")
		w.Write(content)
	})
	c := cache(t)
	got, err := c.Get(t.Context(), url, digestOf(content), 0)
	check(t, c, got, err)
}
