package serve

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/tcapflow/tcapflow/internal/logs"
)

func listen(t *testing.T, debug bool) (*Server, *bytes.Buffer) {
	t.Helper()
	var log bytes.Buffer
	s, err := Listen(Options{Address: "127.0.0.1:0", Debug: debug, ContentType: "text/x",
		Log: logs.New(&log, logs.Options{JSON: true}), Metrics: func() []byte { return []byte("n 1\n") }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s, &log
}

func get(t *testing.T, s *Server, path, host string) (int, string) {
	t.Helper()
	r, err := http.NewRequest(http.MethodGet, "http://"+s.Address()+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Host = host
	r.Header.Set("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(body)
}

func TestRoutes(t *testing.T) {
	s, _ := listen(t, false)
	if code, body := get(t, s, "/metrics", ""); code != 200 || body != "n 1\n" {
		t.Errorf("metrics: %d %q", code, body)
	}
	if code, body := get(t, s, "/healthz", ""); code != 200 || body != "ok\n" {
		t.Errorf("healthz: %d %q", code, body)
	}
	for _, ready := range []bool{false, true, false} {
		s.Ready(ready)
		if code, _ := get(t, s, "/readyz", ""); (code == 200) != ready || !ready && code != 503 {
			t.Errorf("readyz: %d", code)
		}
	}
	for _, path := range []string{"/", "/debug/buildinfo", "/debug/pprof/", "/debug/pprof/heap"} {
		if code, _ := get(t, s, path, ""); code != 404 {
			t.Errorf("%s: %d", path, code)
		}
	}
}

func TestDebug(t *testing.T) {
	s, _ := listen(t, true)
	for path, want := range map[string]string{
		"/debug/buildinfo": "go1.", "/debug/pprof/": "goroutine", "/debug/pprof/goroutine?debug=1": "serve",
	} {
		if code, body := get(t, s, path, ""); code != 200 || !strings.Contains(body, want) {
			t.Errorf("%s: %d, without %q", path, code, want)
		}
		if code, _ := get(t, s, path, "evil.example"); code != 403 {
			t.Errorf("%s of another host: %d", path, code)
		}
	}
}

// TestProfile has both kinds of profiles begin as gzip does: go tool pprof reads that.
func TestProfile(t *testing.T) {
	s, _ := listen(t, true)
	for _, path := range []string{"/debug/pprof/heap?gc=1", "/debug/pprof/profile?seconds=1"} {
		if code, body := get(t, s, path, ""); code != 200 || !strings.HasPrefix(body, "\x1f\x8b") {
			t.Errorf("%s: %d, %.20q", path, code, body)
		}
	}
	if code, _ := get(t, s, "/debug/pprof/nothing", ""); code != 404 {
		t.Errorf("a profile that is not there: %d", code)
	}
}

func TestDebugIsLocal(t *testing.T) {
	_, err := Listen(Options{Address: "0.0.0.0:0", Debug: true})
	if !errors.Is(err, ErrNotLoopback) {
		t.Error(err)
	}
}

// TestProbesAreSampled has one line in a thousand of what comes all the time, and all
// others.
func TestProbesAreSampled(t *testing.T) {
	s, log := listen(t, false)
	for range 1500 {
		get(t, s, "/healthz", "")
	}
	for range 3 {
		get(t, s, "/nothing", "")
	}
	s.Close() // waits for the last line
	text := log.String()
	if n := strings.Count(text, "/healthz"); n != 2 || !strings.Contains(text, `"requests":1000`) {
		t.Errorf("%d lines of 1500 probes: %s", n, text)
	}
	if n := strings.Count(text, "/nothing"); n != 3 || !strings.Contains(text, `"status":404`) {
		t.Errorf("%d lines of 3 requests", n)
	}
	if n := strings.Count(text, `"trace_id":"0af7651916cd43dd8448eb211c80319c"`); n != 5 {
		t.Errorf("%d lines with a trace", n)
	}
}
