package pipeline

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/tcapflow/tcapflow/build"
	"github.com/tcapflow/tcapflow/pipeline/internal/engine"
	"github.com/tcapflow/tcapflow/pipeline/internal/fault"
	"github.com/tcapflow/tcapflow/pipeline/internal/options"
)

// sharedEngine answers as an engine that holds something of this checkout, of another, of
// both and of nobody, and tells what was removed.
func sharedEngine(t *testing.T, root string) (removed func() []string) {
	t.Helper()
	mark := func(checkout, day, uses string) string {
		return fmt.Sprintf(`{"Name":"tcapflow-mark-%s-%s","Labels":{"dev.tcapflow.owner":"tcapflow","dev.tcapflow.checkout":%q,"dev.tcapflow.day":%q,"dev.tcapflow.uses":%q}}`,
			day, checkout, checkout, day, uses)
	}
	answers := map[string]string{
		"GET /_ping": "OK", "HEAD /_ping": "",
		"GET /info":            `{"OSType":"linux","Architecture":"x86_64","NCPU":2,"Plugins":{"Network":["bridge","host","null"]}}`,
		"GET /containers/json": `[]`,
		"GET /images/json":     `[{"Id":"sha256:1","RepoTags":["tcapflow-builder:mine"],"Size":5000000,"Labels":{"musl-static.image":"builder"}}]`,
		"GET /volumes": `{"Volumes":[{"Name":"mine","Labels":{"dev.tcapflow.owner":"tcapflow"}},{"Name":"both","Labels":{"dev.tcapflow.owner":"tcapflow"}},
			{"Name":"theirs","Labels":{"dev.tcapflow.owner":"tcapflow"}},{"Name":"nobodys","Labels":{"dev.tcapflow.owner":"tcapflow"}},` +
			mark(engine.CheckoutID(root), "2026-11-25", "both mine sha256:1") + "," + mark("theirs", "2026-11-24", "both theirs") + `]}`,
		"GET /system/df": `{"Volumes":[{"Name":"mine","UsageData":{"Size":1000000,"RefCount":0}}]}`,
	}
	version := regexp.MustCompile(`^/v1\.[0-9]+/`)
	var mu sync.Mutex
	var gone []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path := version.ReplaceAllString(r.URL.Path, "/")
		w.Header().Set("Api-Version", "1.41")
		w.Header().Set("Content-Type", "application/json")
		if r.Method == http.MethodDelete {
			mu.Lock()
			defer mu.Unlock()
			gone = append(gone, strings.TrimPrefix(strings.TrimPrefix(path, "/volumes/"), "/images/"))
			io.WriteString(w, "[]")
			return
		}
		io.WriteString(w, answers[r.Method+" "+path])
	}))
	t.Cleanup(server.Close)
	for _, name := range []string{"DOCKER_TLS", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH", "DOCKER_API_VERSION"} {
		t.Setenv(name, "")
	}
	t.Setenv("DOCKER_HOST", "tcp://"+server.Listener.Addr().String())
	return func() []string {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(gone)
	}
}

// mage clean takes what no other checkout uses; -all takes everything, -show nothing.
func TestClean(t *testing.T) {
	for name, test := range map[string]struct {
		how     options.Options
		removed []string // beside marks
		marks   int
		says    []string
	}{
		"show": {options.Options{Show: true}, nil, 0, []string{"5.0 MB  image tcapflow-builder:mine, used 2026-11-25\n",
			"volume both, used 2026-11-25; kept: another checkout uses it, too\n", "volume theirs, used 2026-11-24; kept: not of this checkout (-all takes it)\n",
			"6.0 MB  in the engine", "below 2000.0 MB (TCAPFLOW_ENGINE_CACHE)", "6.0 MB  would be freed\n"}},
		"clean": {options.Options{}, []string{"tcapflow-builder:mine", "mine"}, 1, []string{"6.0 MB  freed\n"}},
		"all":   {options.Options{All: true}, []string{"tcapflow-builder:mine", "mine", "both", "theirs", "nobodys"}, 2, []string{"6.0 MB  freed\n"}},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			removed := sharedEngine(t, root)
			o := options.Options{Root: root, Out: filepath.Join(root, "out"), Dist: filepath.Join(root, "dist"), Cache: filepath.Join(root, "cache"), Keep: 2e9,
				Show: test.how.Show, All: test.how.All}
			var out bytes.Buffer
			p := &Pipeline{project: build.Project, o: o, stdout: &out}
			if err := p.Clean(t.Context()); err != nil {
				t.Fatal(err)
			}
			isMark := func(n string) bool { return strings.HasPrefix(n, "tcapflow-mark-") }
			got := removed()
			things := slices.DeleteFunc(slices.Clone(got), isMark)
			if !slices.Equal(things, test.removed) || len(got)-len(things) != test.marks {
				t.Errorf("%q went; want %q and %d marks", got, test.removed, test.marks)
			}
			for _, text := range test.says {
				if !strings.Contains(out.String(), text) {
					t.Errorf("no %q in\n%s", text, out.String())
				}
			}
			if _, err := os.Stat(o.Out); test.how.Show == os.IsNotExist(err) {
				t.Errorf("show is %v, out/: %v", test.how.Show, err)
			}
		})
	}
}

// What TCAPFLOW_CACHE names by mistake is refused, by clean as by a build, and stays.
func TestCleanRefusesAForeignFolder(t *testing.T) {
	root, home := t.TempDir(), t.TempDir()
	sharedEngine(t, root)
	thesis := filepath.Join(home, "thesis.tex")
	if err := os.WriteFile(thesis, []byte("years of work"), 0o644); err != nil {
		t.Fatal(err)
	}
	o := options.Options{Root: root, Out: filepath.Join(root, "out"), Dist: filepath.Join(root, "dist"), Cache: home, All: true}
	p := &Pipeline{project: build.Project, o: o, stdout: io.Discard}
	for name, try := range map[string]func() error{
		"clean": func() error { return p.Clean(t.Context()) },
		"build": func() error { _, err := newBases(build.Project, o, "go1.26.8", nil); return err },
	} {
		var f *fault.Error
		if err := try(); !errors.As(err, &f) || f.Code != fault.Usage || !strings.Contains(f.Next, "TCAPFLOW_CACHE") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := os.Stat(thesis); err != nil {
		t.Error(err)
	}
}
