package engine

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/moby/moby/api/types/volume"
	"github.com/moby/moby/client"

	"github.com/tcapflow/tcapflow/pipeline/internal/fault"
)

// fake is an engine that answers every call in the same way.
func fake(t *testing.T, answer http.HandlerFunc) *Engine {
	server := httptest.NewServer(answer)
	t.Cleanup(server.Close)
	c, err := client.New(client.WithHost("tcp://"+server.Listener.Addr().String()), client.WithAPIVersion("1.41"))
	if err != nil {
		t.Fatal(err)
	}
	return &Engine{Client: c}
}

// `docker load` answers 200 and tells in the body what went wrong.
func TestLoadFails(t *testing.T) {
	e := fake(t, func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, `{"stream":"Loading layer"}`+"\n"+`{"errorDetail":{"message":"write x: no space left on device"},"error":"write x: no space left on device"}`+"\n")
	})
	var got *fault.Error
	if err := e.Load(t.Context(), "builder:1", writes(nil)); !errors.As(err, &got) || got.Code != fault.Engine || !strings.Contains(got.Next, "mage clean") {
		t.Errorf("got %v", err)
	}
}

// writes gives what writes these bytes.
func writes(b []byte) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := w.Write(b)
		return err
	}
}

// What is wrong with the source of a copy is told as it is, and not as a fault of the engine;
// a fault of the engine is told as one.
func TestCopyFails(t *testing.T) {
	cause := errors.New("main.go changed while it was read")
	edited := func(w io.Writer) error { return errors.Join(writes(make([]byte, 1<<20))(w), cause) }
	drained := func(w http.ResponseWriter, r *http.Request) { io.Copy(io.Discard, r.Body) }
	dead := func(w http.ResponseWriter, r *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err == nil {
			conn.Close()
		}
	}
	for name, test := range map[string]struct {
		answer http.HandlerFunc
		write  func(io.Writer) error
		says   string
	}{
		"edited":            {drained, edited, cause.Error()},
		"dead engine":       {dead, writes(make([]byte, 64<<20)), "container engine: connection lost"},
		"nothing is copied": {drained, func(io.Writer) error { return cause }, cause.Error()},
	} {
		for call, do := range map[string]func(*Engine) error{
			"Put":  func(e *Engine) error { return (&Container{ID: "c", engine: e}).Put(t.Context(), Copy{"/", test.write}) },
			"Load": func(e *Engine) error { return e.Load(t.Context(), "builder:1", test.write) },
		} {
			err := do(fake(t, test.answer))
			if err == nil || !strings.HasPrefix(strings.TrimPrefix(err.Error(), "container engine: load builder:1: "), test.says) {
				t.Errorf("%s, %s: %v", name, call, err)
			}
		}
	}
}

// A volume that another run removed before the container was made comes back with our
// labels: it is found again, and goes when its time has come.
func TestVolumeComesBackLabelled(t *testing.T) {
	e, image := realEngine(t)
	name := e.Volume("cache-test-" + e.checkout)
	c, err := e.Start(t.Context(), Spec{Image: image, Cmd: []string{"sleep", "600"}, Volumes: map[string]string{"/tmp": name}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.removeVolume(context.Background(), name) })
	defer c.Remove(t.Context())
	list, err := e.VolumeList(t.Context(), client.VolumeListOptions{Filters: e.owned()})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(list.Items, func(v volume.Volume) bool { return v.Name == name }) {
		t.Errorf("%s is not among our volumes", name)
	}
}

// The end of the engine is the error that is told, not the cancellation that follows.
func TestWatchEnd(t *testing.T) {
	e := &Engine{}
	ctx, end := e.Watch(t.Context())
	if got := end(io.EOF); got != io.EOF {
		t.Errorf("an error that has nothing to do with the engine became %v", got)
	}
	if ctx.Err() == nil {
		t.Error("the context did not end with the work")
	}
}

// An engine that is gone is lost; one whose user has gone away is not.
func TestAlive(t *testing.T) {
	if err := fake(t, func(http.ResponseWriter, *http.Request) {}).alive(t.Context()); err != nil {
		t.Errorf("an engine that answers is %v", err)
	}
	c, err := client.New(client.WithHost("tcp://127.0.0.1:1"), client.WithAPIVersion("1.41"))
	if err != nil {
		t.Fatal(err)
	}
	dead := &Engine{Client: c}
	var lost *fault.Error
	if err := dead.alive(t.Context()); !errors.Is(err, errLost) || !errors.As(err, &lost) || lost.Code != fault.Engine {
		t.Errorf("a dead engine is %v", err)
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if err := dead.alive(cancelled); err != nil {
		t.Errorf("a cancelled run lost its engine: %v", err)
	}
}

func TestCheckoutID(t *testing.T) {
	a, b, again := CheckoutID("/a"), CheckoutID("/b"), CheckoutID("/a")
	if a == b || a != again {
		t.Error("a folder must have one name of its own")
	}
}

// realEngine is an engine with a builder of ours, for tests of what a fake cannot show.
func realEngine(t *testing.T) (*Engine, string) {
	if os.Getenv("TCAPFLOW_TEST_ENGINE") != "1" {
		t.Skip("no container engine: set TCAPFLOW_TEST_ENGINE=1")
	}
	e, err := Connect(t.Context(), t.TempDir(), "tcapflow")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	images, err := e.Images(t.Context(), Labelled("builder", map[string]string{"musl-static.builder": "debian"}))
	if err != nil {
		t.Fatal(err)
	}
	if len(images) == 0 {
		t.Skip("the engine has no builder: run `mage static -base=debian` first")
	}
	return e, images[0].ID
}

// What goes in comes out: modes, links, times and owners.
func TestTarStreams(t *testing.T) {
	e, image := realEngine(t)
	c, err := e.Start(t.Context(), Spec{Image: image, Cmd: []string{"sleep", "600"}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Remove(t.Context())
	when := time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)
	want := []tar.Header{
		{Name: "in/", Typeflag: tar.TypeDir, Mode: 0o750, Uid: 7, Gid: 8, ModTime: when},
		{Name: "in/run", Typeflag: tar.TypeReg, Mode: 0o755, Size: 2, ModTime: when},
		{Name: "in/secret", Typeflag: tar.TypeReg, Mode: 0o600, Uid: 7, Size: 2, ModTime: when},
		{Name: "in/link", Typeflag: tar.TypeSymlink, Linkname: "run", Mode: 0o777, ModTime: when},
	}
	var stream bytes.Buffer
	w := tar.NewWriter(&stream)
	for _, h := range want {
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		io.WriteString(w, "ab"[:h.Size])
	}
	if err := errors.Join(w.Close(), c.Put(t.Context(), Copy{Dir: "/tmp", Write: writes(stream.Bytes())})); err != nil {
		t.Fatal(err)
	}
	got := map[string]*tar.Header{}
	back, err := c.Get(t.Context(), "/tmp/in")
	if err != nil {
		t.Fatal(err)
	}
	defer back.Close()
	for r := tar.NewReader(back); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		got[h.Name] = h
	}
	for _, h := range want {
		g := got[h.Name]
		if g == nil || g.Typeflag != h.Typeflag || g.Mode&0o777 != h.Mode || g.Uid != h.Uid || g.Size != h.Size || g.Linkname != h.Linkname || !g.ModTime.Equal(when) {
			t.Errorf("%s came back as %+v", h.Name, g)
		}
	}
}

func TestExec(t *testing.T) {
	e, image := realEngine(t)
	c, err := e.Start(t.Context(), Spec{Image: image, Cmd: []string{"sleep", "600"}})
	if err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	code, err := c.Exec(t.Context(), Command{Args: []string{"sh", "-c", "cat; echo err >&2; ls /sys/class/net; exit 7"}, Stdin: strings.NewReader("in "), Stdout: &stdout, Stderr: &stderr})
	if err != nil || code != 7 || stdout.String() != "in lo\n" || stderr.String() != "err\n" {
		t.Errorf("code %d, error %v, output %q and %q; want 7, and no network but lo", code, err, &stdout, &stderr)
	}
	if _, err := c.GetFile(t.Context(), "/etc/none", 10); err == nil {
		t.Error("a file that is not there was read")
	}
	cancelled, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if _, err := c.Exec(cancelled, Command{Args: []string{"sleep", "600"}}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a command outlived its context: %v", err)
	}
	n, err := e.Sweep(t.Context())
	if n != 1 || err != nil {
		t.Errorf("swept %d containers, %v; want the one of this folder", n, err)
	}
}
