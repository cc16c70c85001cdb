package distro

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"testing/fstest"

	"github.com/tcapflow/tcapflow/build/defaults"
	"github.com/tcapflow/tcapflow/scenario"
	"github.com/tcapflow/tcapflow/spec"
)

// fixture is the project of these tests: testdata/program, everywhere.
var fixture = defaults.Fill(spec.Project{Name: "program", Scenarios: []spec.Scenario{
	scenario.Version("version"),
	scenario.Golden("cat", fstest.MapFS{"a/text": {Data: []byte("one\ntwo\n")}}, "a/text", "cat", "a/text"),
	scenario.Protected(func() ([]byte, error) { return make([]byte, 2*pipeHolds), nil }, "cat", "-"),
	{Name: "talk", SkipForeign: "a test of skips", Run: talk},
	{Name: "docker-run", SkipForeign: "a test of skips", Packing: "image", Run: dockerRun},
}})

// with is the fixture with other places to run in.
func with(rows ...spec.Distro) spec.Project {
	p := fixture
	p.Distros = rows
	return p
}

// talk has a peer say something that the program hears.
func talk(ctx context.Context, place spec.Place) error { return heard(ctx, place, "heard hello as ") }

// dockerRun does the same with the image's own user.
func dockerRun(ctx context.Context, place spec.Place) error {
	fresh, err := place.Fresh(ctx, []string{"NET_RAW"}, nil)
	if err != nil {
		return err
	}
	return heard(ctx, fresh, "heard hello as 65532\n")
}

func heard(ctx context.Context, place spec.Place, want string) error {
	failed := make(chan error, 1)
	ready := &calling{text: "ready", call: func() {
		peer, err := place.Peer(ctx)
		if err == nil {
			_, err = peer.Exec(ctx, spec.Command{Args: []string{"say", "hello"}})
		}
		failed <- err
	}}
	o, err := place.Exec(ctx, spec.Command{Args: []string{"hear"}, Stderr: ready})
	if err != nil {
		return err
	}
	if o.Code != 0 || !bytes.HasPrefix([]byte(o.Stdout), []byte(want)) {
		return fmt.Errorf("got %+v, want %q", o, want)
	}
	return <-failed
}

// calling calls once what is written holds a text.
type calling struct {
	text    string
	call    func()
	once    sync.Once
	written bytes.Buffer
}

func (c *calling) Write(p []byte) (int, error) {
	c.written.Write(p)
	if bytes.Contains(c.written.Bytes(), []byte(c.text)) {
		c.once.Do(func() { go c.call() })
	}
	return len(p), nil
}
