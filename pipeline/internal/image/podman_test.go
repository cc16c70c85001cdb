package image

import (
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tcapflow/tcapflow/build"
	"github.com/tcapflow/tcapflow/build/defaults"

	"github.com/tcapflow/tcapflow/pipeline/internal/engine"
	"github.com/tcapflow/tcapflow/spec"
)

// podman431 are answers of podman 4.3.1 with a builder of one target, just loaded, an
// older one that it makes superfluous, and one with another key. To a filter of several
// labels it answers with whatever has one of them; its tags begin with localhost/.
var podman431 = map[string]string{
	"GET /_ping":  "OK",
	"HEAD /_ping": "",
	"GET /info":   `{"OSType":"linux","Architecture":"amd64","NCPU":2,"Plugins":{"Network":["bridge","macvlan","ipvlan"]}}`,
	"GET /images/json": `[
		{"Id":"sha256:aaaa","RepoTags":["localhost/tcapflow-builder:debian-other"],"Labels":{"musl-static.image":"builder","musl-static.builder":"debian","musl-static.builder.key.linux_amd64":"0000","dev.tcapflow.owner":"tcapflow"}},
		{"Id":"sha256:e04d","RepoTags":["localhost/tcapflow-builder:debian-new"],"Labels":{"musl-static.image":"builder","musl-static.builder":"debian","musl-static.builder.key.linux_amd64":"3f18","dev.tcapflow.owner":"tcapflow"}},
		{"Id":"sha256:bbbb","RepoTags":["localhost/tcapflow-builder:debian-old"],"Labels":{"musl-static.image":"builder","musl-static.builder":"debian","musl-static.builder.key.linux_amd64":"3f18","dev.tcapflow.owner":"tcapflow"}}]`,
	"GET /volumes": `{"Volumes":[]}`,
	"GET /images/tcapflow-builder:debian-new/json":           `{"Id":"sha256:e04d"}`,
	"DELETE /images/localhost/tcapflow-builder:debian-old":   `[]`,
	"DELETE /images/localhost/tcapflow-builder:debian-new":   `[]`,
	"DELETE /images/localhost/tcapflow-builder:debian-other": `[]`,
}

var apiVersion = regexp.MustCompile(`^/v1\.[0-9]+/`)

// recorded is an engine that gives these answers, and the calls that change something.
func recorded(t *testing.T, answers map[string]string) (e *engine.Engine, changes func() []string) {
	t.Helper()
	var mu sync.Mutex
	var calls []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		call := r.Method + " " + apiVersion.ReplaceAllString(r.URL.Path, "/")
		mu.Lock()
		calls = append(calls, call+"?"+r.URL.RawQuery)
		mu.Unlock()
		answer, ok := answers[call]
		w.Header().Set("Api-Version", "1.41")
		w.Header().Set("Content-Type", "application/json")
		if !ok {
			w.WriteHeader(http.StatusNotFound)
			answer = `{"message":"no such thing"}`
		}
		io.WriteString(w, answer)
	}))
	t.Cleanup(server.Close)
	t.Setenv("DOCKER_TLS_VERIFY", "")
	t.Setenv("DOCKER_CERT_PATH", "")
	t.Setenv("DOCKER_API_VERSION", "")
	t.Setenv("DOCKER_HOST", "tcp://"+server.Listener.Addr().String())
	e, err := engine.Connect(t.Context(), "/checkout", build.Project.Namespace)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return e, func() []string {
		mu.Lock()
		defer mu.Unlock()
		return slices.DeleteFunc(slices.Clone(calls), func(c string) bool { return strings.HasPrefix(c, "GET ") || strings.HasPrefix(c, "HEAD ") })
	}
}

func amd64() []spec.Target {
	i := slices.IndexFunc(defaults.Targets.Built, func(t spec.Target) bool { return t.Name == "linux/amd64" })
	return defaults.Targets.Built[i : i+1]
}

// A builder that has only one of the labels must not serve.
func TestPresentOfPodman(t *testing.T) {
	e, _ := recorded(t, podman431)
	b := Builder{Base: "debian", Keys: map[string]string{"linux/amd64": "3f18"}}
	if got, err := b.Present(t.Context(), e, amd64()); err != nil || got.Ref != "tcapflow-builder:debian-new" {
		t.Errorf("the builder is %q, %v", got.Ref, err)
	}
	b.Keys["linux/amd64"] = "ffff"
	if got, err := b.Present(t.Context(), e, amd64()); err != nil || got.Ref != "" {
		t.Errorf("a builder of another key serves: %q, %v", got.Ref, err)
	}
}

// What another checkout used today stays for it, though what is there now would serve it.
func TestDropServedOfOthers(t *testing.T) {
	answers := maps.Clone(podman431)
	day := time.Now().UTC().Format(time.DateOnly)
	answers["GET /volumes"] = `{"Volumes":[{"Name":"tcapflow-mark-` + day + `-1","Labels":{"dev.tcapflow.owner":"tcapflow",` +
		`"dev.tcapflow.checkout":"theirs","dev.tcapflow.day":"` + day + `","dev.tcapflow.uses":"sha256:bbbb"}}]}`
	e, changes := recorded(t, answers)
	b := Builder{Base: "debian", Ref: "tcapflow-builder:debian-new", Keys: map[string]string{"linux/amd64": "3f18"}}
	if err := b.dropServed(t.Context(), e, amd64()); err != nil {
		t.Fatal(err)
	}
	if got := changes(); len(got) > 0 {
		t.Errorf("the engine was asked for %q", got)
	}
}

// What was just loaded stays, whatever its tag has become; nothing is forced.
func TestDropServedOfPodman(t *testing.T) {
	e, changes := recorded(t, podman431)
	b := Builder{Base: "debian", Ref: "tcapflow-builder:debian-new", Keys: map[string]string{"linux/amd64": "3f18"}}
	if err := b.dropServed(t.Context(), e, amd64()); err != nil {
		t.Fatal(err)
	}
	got := changes()
	if len(got) != 1 || !strings.HasPrefix(got[0], "DELETE /images/localhost/tcapflow-builder:debian-old?") || strings.Contains(got[0], "force") {
		t.Errorf("the engine was asked for %q", got)
	}
}
