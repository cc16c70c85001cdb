//go:build linux

package pipeline_test

import (
	"bytes"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/clearsign"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/tcapflow/tcapflow/build"
	bd "github.com/tcapflow/tcapflow/build/debian"
	"github.com/tcapflow/tcapflow/internal/pipeline/debian"
	"github.com/tcapflow/tcapflow/internal/pipeline/options"
)

// mirror serves a Debian archive on loopback. What the host's cache has comes from there,
// all else from the host's own mirror. MODE is words with commas between; but for tls,
// they concern files whose path contains PART:
//
//	ok       as it is
//	wrong    other bytes of the same length
//	gone     404
//	cut      the connection ends after half of the bytes, each time
//	once     so the first time only
//	slow     in pieces with pauses
//	forged   InRelease signed with a key of the test's own
//	tls      all over HTTPS, with a CA that stands in $WORK/ca.pem
func mirror(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, !neg && (len(args) == 1 || len(args) == 2), "mirror MODE [PART]")
	o, err := options.Read(options.Args{})
	ts.Check(err)
	real, err := url.Parse(o.Mirror)
	ts.Check(err)
	m := &archive{mode: strings.Split(args[0], ","), files: cachedFiles(o), real: &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(&url.URL{Scheme: real.Scheme, Host: real.Host}) }}}
	if len(args) == 2 {
		m.part = args[1]
	}
	var server *httptest.Server
	if slices.Contains(m.mode, "tls") {
		server = httptest.NewTLSServer(m)
		ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
		ts.Check(os.WriteFile(filepath.Join(ts.Getenv("WORK"), "ca.pem"), ca, 0o644))
	} else {
		server = httptest.NewServer(m)
	}
	ts.Defer(server.Close)
	ts.Setenv("DEBIAN_MIRROR", server.URL+"/debian")
}

type archive struct {
	mode  []string
	part  string
	files map[string]string // of the host's cache, by path below the mirror
	real  *httputil.ReverseProxy
	seen  sync.Map // paths
}

// cachedFiles are the files that the locks pin and the host has.
func cachedFiles(o options.Options) map[string]string {
	files := map[string]string{}
	add := func(name, digest string) {
		if local := filepath.Join(o.Cache, "downloads", "sha256", digest); fileExists(local) {
			files["/debian/"+name] = local
		}
	}
	if lock, err := debian.ParseLock(bd.Lock); err == nil {
		for _, arch := range build.Tools.Arches {
			if packages, err := lock.Packages(build.Tools, arch); err == nil {
				for _, p := range packages {
					add(p.Filename, p.SHA256)
				}
			}
		}
		for _, t := range build.Targets {
			if packages, err := lock.Packages(build.Sysroot, t.Debian); err == nil {
				for _, p := range packages {
					add(p.Filename, p.SHA256)
				}
			}
		}
	}
	for _, l := range build.TcapflowClient.Libraries {
		for _, u := range l.URLs {
			if rest, ok := strings.CutPrefix(u, "{debian}/"); ok {
				add(rest, l.SHA256)
			}
		}
	}
	return files
}

func fileExists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

func (m *archive) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !strings.Contains(r.URL.Path, m.part) {
		m.serve(w, r)
		return
	}
	for _, mode := range m.mode {
		switch mode {
		case "wrong":
			recorded := httptest.NewRecorder()
			m.serve(recorded, r)
			w.Write(bytes.Repeat([]byte("x"), recorded.Body.Len()))
			return
		case "gone":
			http.NotFound(w, r)
			return
		case "forged":
			w.Write(forged())
			return
		case "cut", "once":
			if _, again := m.seen.LoadOrStore(r.URL.Path, true); !again || mode == "cut" {
				m.hangUp(w, r)
				return
			}
		case "slow":
			w = &slowWriter{w}
		}
	}
	m.serve(w, r)
}

func (m *archive) serve(w http.ResponseWriter, r *http.Request) {
	if local, ok := m.files[r.URL.Path]; ok {
		http.ServeFile(w, r, local)
		return
	}
	m.real.ServeHTTP(w, r)
}

// hangUp sends half of what it promises. What the host does not have is not asked for:
// any bytes do.
func (m *archive) hangUp(w http.ResponseWriter, r *http.Request) {
	body := make([]byte, 100_000)
	if local, ok := m.files[r.URL.Path]; ok {
		if text, err := os.ReadFile(local); err == nil {
			body = text
		}
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.Write(body[:len(body)/2])
	panic(http.ErrAbortHandler)
}

type slowWriter struct{ http.ResponseWriter }

func (s *slowWriter) Write(p []byte) (n int, err error) {
	for len(p) > 0 && err == nil {
		var sent int
		sent, err = s.ResponseWriter.Write(p[:min(len(p), 64<<10)])
		s.ResponseWriter.(http.Flusher).Flush()
		n, p = n+sent, p[sent:]
		time.Sleep(50 * time.Millisecond) // a line of 10 Mbit/s
	}
	return n, err
}

// forged is an InRelease whose signature is good, and not of the archive.
func forged() []byte {
	key, err := openpgp.NewEntity("Debian Archive Automatic Signing Key", "", "ftpmaster@localhost", nil)
	if err != nil {
		panic(err)
	}
	var text bytes.Buffer
	w, err := clearsign.Encode(&text, key.PrivateKey, nil)
	if err != nil {
		panic(err)
	}
	io.WriteString(w, "Origin: Debian\nCodename: trixie\nDate: Sat, 09 Aug 2025 09:18:53 UTC\nSHA256:\n")
	w.Close()
	return text.Bytes()
}
