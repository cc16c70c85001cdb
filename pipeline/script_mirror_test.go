//go:build linux

package pipeline_test

import (
	"bytes"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// mirror serves a Debian archive on loopback (see archive) and sets DEBIAN_MIRROR. What the
// locks pin is there by digest, its indexes are signed by a key of the test's own, which
// stands in $WORK/keyring.asc. MODE is words with commas between; but for tls and behind,
// they concern files whose path contains PART:
//
//	ok       as it is
//	wrong    other bytes of the same length
//	gone     404
//	cut      the connection ends after half of the bytes, each time
//	once     so the first time only
//	slow     in pieces with pauses
//	old      as in the middle of an update: other bytes under the plain name, 404 by hash
//	behind   InRelease is older than the committed lock
//	tls      all over HTTPS, with a CA that stands in $WORK/ca.pem
func mirror(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, !neg && len(args) > 0, "mirror MODE [PART] [MODE PART]…")
	ts.Setenv("DEBIAN_MIRROR", serveMirror(ts, args))
}

// also serves another mirror, which is asked after those that are there.
func also(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, !neg && len(args) > 0, "also MODE [PART] [MODE PART]…")
	ts.Setenv("DEBIAN_MIRROR", ts.Getenv("DEBIAN_MIRROR")+" "+serveMirror(ts, args))
}

// rule is how a mirror treats files whose path contains part.
type rule struct {
	modes []string
	part  string
}

func serveMirror(ts *testscript.TestScript, args []string) (url string) {
	s := &mirrorServer{}
	day, tls := afterLock, false
	for len(args) > 0 {
		r := rule{modes: strings.Split(args[0], ",")}
		if args = args[1:]; len(args) > 0 {
			r.part, args = args[0], args[1:]
		}
		for _, mode := range r.modes {
			tls = tls || mode == "tls"
			if mode == "behind" {
				day = beforeLock
			}
		}
		s.rules = append(s.rules, r)
	}
	a, err := newArchive(day)
	ts.Check(err)
	s.archive = a
	ts.Check(os.WriteFile(filepath.Join(ts.Getenv("WORK"), "keyring.asc"), a.key.Keyring, 0o644))
	var server *httptest.Server
	if tls {
		server = httptest.NewTLSServer(s)
		ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
		ts.Check(os.WriteFile(filepath.Join(ts.Getenv("WORK"), "ca.pem"), ca, 0o644))
	} else {
		server = httptest.NewServer(s)
	}
	ts.Defer(server.Close)
	return server.URL + "/debian"
}

// mirrorServer serves an archive with faults.
type mirrorServer struct {
	rules   []rule
	archive *archive
	seen    sync.Map // paths
}

func (m *mirrorServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	file := strings.TrimPrefix(r.URL.Path, "/debian/")
	for _, rule := range m.rules {
		if !strings.Contains(r.URL.Path, rule.part) {
			continue
		}
		for _, mode := range rule.modes {
			if mode == "slow" {
				w = &slowWriter{w}
			} else if m.spoil(w, mode, file) {
				return
			}
		}
	}
	if text, ok := m.archive.open(file); ok {
		http.ServeContent(w, r, path.Base(file), time.Time{}, bytes.NewReader(text))
		return
	}
	http.NotFound(w, r)
}

// spoil answers as a mode wants it, or reports that it has nothing against the file.
func (m *mirrorServer) spoil(w http.ResponseWriter, mode, file string) bool {
	switch mode {
	case "wrong":
		text, _ := m.archive.open(file)
		w.Write(bytes.Repeat([]byte("x"), len(text)))
	case "gone":
		w.WriteHeader(http.StatusNotFound)
	case "old":
		if strings.Contains(file, "/by-hash/") {
			w.WriteHeader(http.StatusNotFound)
		} else {
			w.Write([]byte("an index of yesterday"))
		}
	case "cut", "once":
		if _, again := m.seen.LoadOrStore(file, true); again && mode == "once" {
			return false
		}
		m.hangUp(w, file)
	default:
		return false
	}
	return true
}

// hangUp sends half of what it promises.
func (m *mirrorServer) hangUp(w http.ResponseWriter, file string) {
	body, ok := m.archive.open(file)
	if !ok {
		body = make([]byte, 100_000)
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.Write(body[:len(body)/2])
	w.(http.Flusher).Flush()
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
