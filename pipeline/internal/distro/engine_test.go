package distro

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tcapflow/tcapflow/build/defaults"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/moby/moby/client"

	"github.com/tcapflow/tcapflow/pipeline/internal/debian"
	"github.com/tcapflow/tcapflow/pipeline/internal/engine"
	"github.com/tcapflow/tcapflow/pipeline/internal/fault"
	"github.com/tcapflow/tcapflow/pipeline/internal/image"
	"github.com/tcapflow/tcapflow/pipeline/internal/layer"
	"github.com/tcapflow/tcapflow/spec"
)

// world is an engine, and a dist/ with the program built by the host's go.
type world struct {
	t      *testing.T
	engine *engine.Engine
	target spec.Target
	dist   string
}

func newWorld(t *testing.T, buildFlags ...string) world {
	if os.Getenv("TCAPFLOW_TEST_ENGINE") != "1" {
		t.Skip("starts containers: set TCAPFLOW_TEST_ENGINE=1")
	}
	e, err := engine.Connect(t.Context(), t.TempDir(), fixture.Namespace)
	if err != nil {
		t.Fatal(err)
	}
	w := world{t: t, engine: e, target: defaults.Targets.OfArch(e.Arch), dist: t.TempDir()}
	program := filepath.Join(t.TempDir(), "program")
	cmd := exec.Command("go", append(append([]string{"build", "-o", program, "-ldflags=-X main.version=1.2.3"}, buildFlags...), "./testdata/program")...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+e.Arch)
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	text, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	w.pack(text)
	return w
}

// pack writes dist/: an archive and an image.
func (w world) pack(program []byte) {
	var archive bytes.Buffer
	zipped := gzip.NewWriter(&archive)
	entries := tar.NewWriter(zipped)
	err := entries.WriteHeader(&tar.Header{Name: "program", Mode: 0o755, Size: int64(len(program)), Typeflag: tar.TypeReg})
	if err == nil {
		_, err = entries.Write(program)
	}
	w.must(err)
	w.must(entries.Close())
	w.must(zipped.Close())
	w.must(os.WriteFile(filepath.Join(w.dist, "x.tar.gz"), archive.Bytes(), 0o644))
	packed := func(file, kind, format string) map[string]any {
		return map[string]any{"path": "dist/" + file, "type": kind, "extra": map[string]string{"Format": format},
			"goos": "linux", "goarch": w.target.GOARCH}
	}
	list, err := json.Marshal([]any{
		packed("x.tar.gz", "Archive", "tar.gz"),
		packed("x.deb", "Linux Package", "deb"), // only named: no test gets as far as to install it
	})
	w.must(err)
	w.must(os.WriteFile(filepath.Join(w.dist, "artifacts.json"), list, 0o644))

	l, err := layer.Assemble(w.t.Context(), w.t.TempDir(), layer.Entries(layer.Entry{Name: "usr/bin/program", Data: program, Mode: 0o755}))
	w.must(err)
	img, err := image.New(v1.Config{User: "65532:65532", Entrypoint: []string{"/usr/bin/program"}, Labels: map[string]string{versionLabel: "1.2.3"}}, w.target.GOARCH, l)
	w.must(err)
	index, err := layout.Write(filepath.Join(w.dist, "images", "scratch"), empty.Index)
	w.must(err)
	w.must(index.AppendImage(img, layout.WithPlatform(v1.Platform{OS: "linux", Architecture: w.target.GOARCH})))
}

func (w world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w world) run(ctx context.Context, d spec.Distro, only string) (map[string]Result, error) {
	d.Targets = []string{w.target.Name}
	report, err := Run(ctx, w.engine, Options{Project: with(d), Dist: w.dist, Targets: defaults.Targets.Built, Only: only,
		Temp: w.t.TempDir(), Stdout: w.t.Output(), Stderr: w.t.Output()})
	cells := map[string]Result{}
	for _, c := range report.Cells {
		cells[c.Name[strings.LastIndex(c.Name, "/")+1:]] = c
	}
	return cells, err
}

// nothingLeft checks that the run left no container.
func (w world) nothingLeft() {
	w.t.Helper()
	n, err := w.engine.Sweep(context.WithoutCancel(w.t.Context()))
	if err != nil || n != 0 {
		w.t.Errorf("%d containers were left (%v)", n, err)
	}
}

func TestEngineImage(t *testing.T) {
	w := newWorld(t)
	cells, err := w.run(t.Context(), spec.Distro{Name: "scratch", Packed: "scratch"}, "")
	for _, name := range []string{"version", "cat", "talk", "docker-run"} {
		if cells[name].Status != Pass {
			t.Errorf("%s: %+v", name, cells[name])
		}
	}
	// Linked by Go alone, it has no such segment.
	if c := cells["relro"]; c.Status != Fail || !strings.Contains(c.Reason, "no PT_GNU_RELRO") {
		t.Errorf("relro: %+v", c)
	}
	if err == nil {
		t.Error("no error although cells failed")
	}
	w.nothingLeft()
}

// A PIE that go links itself wants glibc's interpreter.
func TestEngineDynamic(t *testing.T) {
	w := newWorld(t, "-buildmode=pie")
	cells, err := w.run(t.Context(), spec.Distro{Name: "scratch", Packed: "scratch"}, "")
	if err == nil || len(cells) != len(fixture.Scenarios) {
		t.Fatalf("%d cells, error %v", len(cells), err)
	}
	for name, c := range cells {
		if c.Status != Fail || !strings.Contains(c.Reason, "the binary wants an interpreter that is not there") {
			t.Errorf("%s: %+v", name, c)
		}
	}
	w.nothingLeft()
}

func TestEngineArchive(t *testing.T) {
	const tag = "tcapflow-test-distro:archive"
	w := newWorld(t)
	l, err := layer.Assemble(t.Context(), t.TempDir(), layer.Entries(layer.Entry{Name: "opt/"}))
	w.must(err)
	w.must(image.Load(t.Context(), w.engine, tag, v1.Config{Labels: engine.Labelled("builder", nil)}, w.target.GOARCH, l))
	defer w.engine.ImageRemove(context.WithoutCancel(t.Context()), tag, client.ImageRemoveOptions{})
	cells, err := w.run(t.Context(), spec.Distro{Name: "tiny", Image: "docker.io/library/" + tag}, "tiny///version|cat|talk")
	if err != nil || cells["version"].Status != Pass || cells["cat"].Status != Pass || cells["talk"].Status != Pass {
		t.Errorf("%+v, %v", cells, err)
	}
	w.nothingLeft()
}

func TestEngineNoRegistry(t *testing.T) {
	w := newWorld(t)
	cells, err := w.run(t.Context(), spec.Distro{Name: "far", Image: "localhost:1/none:1"}, "")
	if err == nil || !strings.Contains(err.Error(), "nothing was run") {
		t.Errorf("error %v, want one that says that nothing was run", err)
	}
	for name, c := range cells {
		if c.Status != Skip || !strings.Contains(c.Reason, "cannot be pulled") {
			t.Errorf("%s: %+v", name, c)
		}
	}
}

// canceller cancels a run at the first thing that is printed.
type canceller struct{ cancel context.CancelFunc }

func (c canceller) Write(p []byte) (int, error) { c.cancel(); return len(p), nil }

func TestEngineCancelled(t *testing.T) {
	w := newWorld(t)
	ctx, cancel := context.WithCancel(t.Context())
	_, err := Run(ctx, w.engine, Options{Project: with(spec.Distro{Name: "scratch", Packed: "scratch", Targets: []string{w.target.Name}}), Dist: w.dist,
		Targets: defaults.Targets.Built, Temp: t.TempDir(), Stdout: canceller{cancel}, Stderr: t.Output()})
	if err == nil || ctx.Err() == nil {
		t.Errorf("error %v, want that of the context", err)
	}
	w.nothingLeft()
}

// No system is set up by running programs of another architecture.
func TestEngineForeignSystem(t *testing.T) {
	w := newWorld(t)
	foreign := spec.Target{Name: "linux/s390x", GOARCH: "s390x", Debian: "s390x"}
	row := spec.Distro{Name: "debian13", Suite: "trixie"}
	_, err := System(t.Context(), w.engine, row, foreign, debian.Mirror{}, t.TempDir(), t.Output())
	if codeOf(err) != fault.Engine || !strings.Contains(err.Error(), "for linux/s390x cannot be set up") {
		t.Errorf("got %v", err)
	}
}
