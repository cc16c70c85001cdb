package engine

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/moby/moby/client"

	"github.com/tcapflow/tcapflow/spec"
)

// ownDockerd starts a Docker daemon for one test, without a bridge, and points
// DOCKER_HOST to it: what is removed there is nobody else's.
func ownDockerd(t *testing.T) {
	t.Helper()
	if os.Getenv("TCAPFLOW_TEST_ENGINE") != "1" {
		t.Skip("no container engine: set TCAPFLOW_TEST_ENGINE=1")
	}
	program, err := exec.LookPath("dockerd")
	if err != nil || os.Getuid() != 0 {
		t.Skip("to start a Docker daemon of its own, this test needs dockerd and root")
	}
	clearEnv(t)
	dir, err := os.MkdirTemp("", "dockerd-") // a socket's path has at most 107 bytes, unix(7)
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	socket := "unix://" + filepath.Join(dir, "d.sock")
	d := exec.Command(program, "--host="+socket, "--bridge=none", "--iptables=false", "--config-file="+filepath.Join(dir, "none.json"),
		"--data-root="+filepath.Join(dir, "data"), "--exec-root="+filepath.Join(dir, "exec"), "--pidfile="+filepath.Join(dir, "pid"))
	d.Stdout, d.Stderr = &log, &log
	if err := os.WriteFile(filepath.Join(dir, "none.json"), []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := d.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		d.Process.Signal(syscall.SIGTERM)
		d.Wait()
		os.RemoveAll(dir)
	})
	t.Setenv("DOCKER_HOST", socket)
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		if e, err := Connect(t.Context(), "/a", "tcapflow"); err == nil {
			e.Close()
			return
		} else if time.Now().After(end) {
			t.Fatalf("the daemon does not answer: %v\n%s", err, log.String())
		}
	}
}

func connectAs(t *testing.T, checkout string) *Engine { return connectFor(t, checkout, "tcapflow") }

func connectFor(t *testing.T, checkout string, project spec.Namespace) *Engine {
	t.Helper()
	e, err := Connect(t.Context(), checkout, project)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return e
}

// loadProgram gives the engine an image of ours with one file, /program.
func loadProgram(t *testing.T, e *Engine, tag string, program []byte) {
	t.Helper()
	var files bytes.Buffer
	w := tar.NewWriter(&files)
	w.WriteHeader(&tar.Header{Name: "program", Mode: 0o755, Size: int64(len(program))})
	w.Write(program)
	w.Close()
	l, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(files.Bytes())), nil })
	if err != nil {
		t.Fatal(err)
	}
	img, err := mutate.AppendLayers(empty.Image, l)
	if err == nil {
		img, err = mutate.Config(img, v1.Config{Labels: Labelled("builder", nil), Env: []string{"PATH=/"}})
	}
	if err != nil {
		t.Fatal(err)
	}
	ref, err := name.NewTag(tag)
	if err != nil {
		t.Fatal(err)
	}
	var stream bytes.Buffer
	if err := tarball.Write(ref, img, &stream); err != nil {
		t.Fatal(err)
	}
	if err := e.Load(t.Context(), tag, writes(stream.Bytes())); err != nil {
		t.Fatal(err)
	}
}

// compile makes a static program.
func compile(t *testing.T, source string) []byte {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "main.go"), []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	build := exec.Command("go", "build", "-o", filepath.Join(dir, "out"), filepath.Join(dir, "main.go"))
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	program, err := os.ReadFile(filepath.Join(dir, "out"))
	if err != nil {
		t.Fatal(err)
	}
	return program
}

// A daemon without a bridge runs our containers, and gets no network from us. A container
// whose program ended at once says why when the next command is run in it.
func TestNoBridge(t *testing.T) {
	ownDockerd(t)
	e := connectAs(t, "/a")
	loadProgram(t, e, "program:1", compile(t, `package main
import ("os"; "time")
func main() {
	if len(os.Args) > 1 { os.Stderr.WriteString(os.Args[1] + "\n"); os.Exit(255) }
	time.Sleep(time.Hour)
}`))
	c, err := e.Start(t.Context(), Spec{Image: "program:1", Cmd: []string{"/program"}})
	if err != nil {
		t.Fatal(err)
	}
	networks, err := e.NetworkList(t.Context(), client.NetworkListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, n := range networks.Items {
		names = append(names, n.Name)
	}
	if slices.Sort(names); !slices.Equal(names, []string{"host", "none"}) {
		t.Errorf("the engine has the networks %q", names)
	}
	if err := c.Remove(t.Context()); err != nil {
		t.Error(err)
	}
	dead, err := e.Start(t.Context(), Spec{Image: "program:1", Cmd: []string{"/program", "exec /usr/bin/sleep: operation not permitted"}})
	if err != nil {
		t.Fatal(err)
	}
	defer dead.Remove(t.Context())
	for range 50 {
		if _, err = dead.Exec(t.Context(), Command{Args: []string{"/program"}}); err != nil {
			break
		}
	}
	if err == nil || !strings.Contains(err.Error(), "no-new-privileges") || !strings.Contains(err.Error(), "exit status 255") {
		t.Errorf("got %v", err)
	}
}

// Two checkouts know what is theirs, what is the other's, and what is of both.
func TestTwoCheckouts(t *testing.T) {
	ownDockerd(t)
	a, b := connectAs(t, "/a"), connectAs(t, "/b")
	loadProgram(t, a, "tcapflow-builder:1", []byte("x"))
	for i := range 2 { // the second time changes nothing
		if err := a.Use(t.Context(), []string{"tcapflow-builder:1"}, []string{"of-a", "of-both"}); err != nil {
			t.Fatal(err)
		}
		if err := b.Use(t.Context(), []string{"tcapflow-builder:1"}, []string{"of-both", "of-b"}); err != nil {
			t.Fatal(err)
		}
		if n := len(volumesOf(t, a)); n != 3+2 {
			t.Errorf("round %d: %d volumes, want three and a mark for each checkout", i, n)
		}
	}
	image, err := a.ImageID(t.Context(), "tcapflow-builder:1")
	if err != nil {
		t.Fatal(err)
	}
	others, err := a.OfOthers(t.Context())
	if err != nil || !others[image] || !others["of-b"] || !others["of-both"] || others["of-a"] {
		t.Errorf("others use %v, %v", others, err)
	}
	if !a.Made() || !b.Made() || connectAs(t, "/c").Made() {
		t.Error("who made volumes is told wrongly")
	}
	held, _, err := a.Holdings(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, h := range held {
		got[h.Name] = fmt.Sprint(h.Mine, h.More)
	}
	for name, want := range map[string]string{"tcapflow-builder:1": "true true", "of-a": "true false", "of-both": "true true", "of-b": "false true"} {
		if got[name] != want {
			t.Errorf("%s: mine and more are %q, want %q", name, got[name], want)
		}
	}
	if err := a.Forget(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	if held, _, err = b.Holdings(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, h := range held {
		if h.Name == "of-both" && h.More {
			t.Error("a checkout that has been cleaned still holds a volume")
		}
	}
}

// Two projects share an image by its contents, each under a name of its own, and neither
// takes what the other uses. A namespace may begin as another one does.
func TestTwoProjects(t *testing.T) {
	ownDockerd(t)
	a, b := connectFor(t, "/a", "your"), connectFor(t, "/b", "your-tool")
	loadProgram(t, a, a.Tag("builder", "1"), []byte("x"))
	found, err := b.Images(t.Context(), Labelled("builder", nil))
	if err != nil || len(found) != 1 {
		t.Fatalf("%v, %v; want the other project's image", found, err)
	}
	for range 2 { // the second time it has the name
		if ref, err := b.Adopt(t.Context(), found[0], b.Tag("builder", "1")); err != nil || ref != "your-tool-builder:1" {
			t.Fatalf("%s, %v", ref, err)
		}
	}
	for _, e := range []*Engine{a, b} {
		if err := e.Use(t.Context(), []string{e.Tag("builder", "1")}, []string{e.Volume("cache-1")}); err != nil {
			t.Fatal(err)
		}
	}
	held, _, err := a.Holdings(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range held {
		if gone, err := a.Drop(t.Context(), h); err != nil || !gone || !strings.HasPrefix(h.Name, "your-") {
			t.Errorf("%s: gone is %v, %v", h.Name, gone, err)
		}
	}
	if err := a.Forget(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	if left := volumesOf(t, a); len(left) > 0 {
		t.Errorf("%q are left", left)
	}
	if left := volumesOf(t, b); len(left) != 2 {
		t.Errorf("of the other project %q are left, want a cache and a mark", left)
	}
	if _, err := b.ImageID(t.Context(), b.Tag("builder", "1")); err != nil {
		t.Errorf("the other project's image is gone: %v", err)
	}
	if held, _, err := b.Holdings(t.Context()); err != nil || len(held) != 2 {
		t.Errorf("the other project holds %v, %v", held, err)
	}
}

// What was used last goes last, and nothing goes that is in use, or was of late.
func TestTrim(t *testing.T) {
	ownDockerd(t)
	e := connectAs(t, "/a")
	loadProgram(t, e, "tcapflow-root:old", bytes.Repeat([]byte("x"), 1<<20))
	loadProgram(t, e, "tcapflow-root:new", bytes.Repeat([]byte("y"), 1<<20))
	id, err := e.ImageID(t.Context(), "tcapflow-root:old")
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Use(t.Context(), []string{"tcapflow-root:new"}, []string{"today"}); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"old", "mounted", "unknown"} {
		if err := e.makeVolume(t.Context(), name, e.labels(nil)); err != nil {
			t.Fatal(err)
		}
	}
	past := e.newMark("another", time.Now().AddDate(0, 0, -9), []string{id, "old", "mounted"})
	if err := e.makeVolume(t.Context(), past.name, e.markLabels(past)); err != nil {
		t.Fatal(err)
	}
	c, err := e.provider.CreateContainer(t.Context(), e.request(Spec{Image: "tcapflow-root:new", Cmd: []string{"/program"}, Volumes: map[string]string{"/v": "mounted"}}))
	if err != nil {
		t.Fatal(err)
	}
	if freed, err := e.Trim(t.Context(), 1<<30); err != nil || len(freed) > 0 {
		t.Errorf("below the limit, %v went, %v", freed, err)
	}
	freed, err := e.Trim(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	var gone []string
	for _, h := range freed {
		gone = append(gone, h.Name)
	}
	if slices.Sort(gone); !slices.Equal(gone, []string{"old", "tcapflow-root:old"}) {
		t.Errorf("%q went", gone)
	}
	left := volumesOf(t, e)
	for _, name := range []string{"today", "mounted", "unknown", past.name} {
		if !slices.Contains(left, name) {
			t.Errorf("%s is gone; left are %q", name, left)
		}
	}
	if _, err := e.ImageID(t.Context(), "tcapflow-root:new"); err != nil {
		t.Error(err)
	}
	held, _, err := e.Holdings(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range held {
		if h.Used.IsZero() {
			t.Errorf("%s has no last use, and will never go", h.Name)
		}
	}
	if err := (&Container{ID: c.GetContainerID(), engine: e}).Remove(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := e.Trim(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	if slices.Contains(volumesOf(t, e), past.name) {
		t.Error("a mark outlived all that it names")
	}
}

func volumesOf(t *testing.T, e *Engine) (names []string) {
	t.Helper()
	list, err := e.VolumeList(t.Context(), client.VolumeListOptions{Filters: e.owned()})
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range list.Items {
		names = append(names, v.Name)
	}
	return names
}
