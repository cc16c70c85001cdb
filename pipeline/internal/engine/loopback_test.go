package engine

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
)

// loopback is a server that answers as an engine does. It shows what is asked of an
// engine, and what is made of answers that none here gives.
type loopback struct {
	*httptest.Server
	answers map[string]string // by method and path without the API version; a pattern of path.Match
	mu      sync.Mutex
	calls   []string
}

var docker20 = map[string]string{
	"GET /_ping":  "OK",
	"HEAD /_ping": "",
	"GET /info":   `{"OSType":"linux","Architecture":"x86_64","NCPU":2,"Plugins":{"Network":["bridge","host","null"]}}`,
}

func newLoopback(t *testing.T, answers ...map[string]string) *loopback {
	t.Helper()
	l := &loopback{answers: map[string]string{}}
	for _, some := range answers {
		for call, answer := range some {
			l.answers[call] = answer
		}
	}
	l.Server = httptest.NewUnstartedServer(l)
	t.Cleanup(l.Close)
	return l
}

// plain starts it and returns its address.
func (l *loopback) plain() string {
	l.Start()
	return "tcp://" + l.Listener.Addr().String()
}

// socket starts it on a Unix socket and returns its path.
func (l *loopback) socket(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "engine.sock")
	listener, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	l.Listener.Close()
	l.Listener = listener
	l.Start()
	return path
}

var apiPrefix = regexp.MustCompile(`^/v(1\.[0-9]+)/`)

func (l *loopback) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	io.Copy(io.Discard, r.Body)
	version := apiPrefix.FindStringSubmatch(r.URL.Path)
	call := r.Method + " " + apiPrefix.ReplaceAllString(r.URL.Path, "/")
	l.mu.Lock()
	l.calls = append(l.calls, strings.TrimSuffix(call+"?"+r.URL.RawQuery, "?"))
	answer, ok := l.answers[call]
	l.mu.Unlock()
	w.Header().Set("Api-Version", "1.41")
	w.Header().Set("Content-Type", "application/json")
	switch {
	case version != nil && version[1] > "1.41": // as Docker 20.10 says it
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprintf(w, `{"message":"client version %s is too new. Maximum supported API version is 1.41"}`, version[1])
	case !ok:
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprintf(w, `{"message":"no such thing: %s"}`, call)
	case strings.HasPrefix(answer, "409 "):
		w.WriteHeader(http.StatusConflict)
		fmt.Fprintf(w, `{"message":%q}`, answer[4:])
	default:
		io.WriteString(w, answer)
	}
}

// called returns what was asked, without pings.
func (l *loopback) called() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(l.calls), func(c string) bool { return strings.HasSuffix(c, "/_ping") })
}
