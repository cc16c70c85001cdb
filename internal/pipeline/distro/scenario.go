package distro

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/tcapflow/tcapflow/internal/pipeline/engine"
)

// scenario is something that a user does with the installed program.
type scenario struct {
	name        string
	run         func(context.Context, *runner, *place) error
	skipForeign string // why it cannot be run under qemu-user
}

var scenarios = []scenario{
	{name: "version", run: version},
	{name: "read", run: read},
	{name: "no-capability", run: noCapability},
	{name: "capture", run: capture, skipForeign: "qemu-user does not translate the ioctls of a live capture"},
}

// outcome is how a run of the program ended.
type outcome struct {
	code           int
	stdout, stderr string
}

// exec runs the program with arguments as a user; an error says that it did not start.
func (p *place) exec(ctx context.Context, user string, args ...string) (outcome, error) {
	var stdout, stderr bytes.Buffer
	code, err := p.Exec(ctx, engine.Command{Args: slices.Concat(p.program, args), User: user, Stdout: &stdout, Stderr: &stderr})
	o := outcome{code, stdout.String(), stderr.String()}
	if err == nil {
		err = o.started(p.program)
	}
	return o, err
}

// started recognizes that the program could not be executed, in the words of runc, of
// qemu-user and of a dynamic linker. The kernel answers ENOENT for a program that is
// there when its interpreter is not, execve(2).
func (o outcome) started(program []string) error {
	path := program[len(program)-1]
	text := o.stdout + o.stderr
	has := func(words ...string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(text, w) })
	}
	engine := has("exec "+path+": ", "OCI runtime exec failed")
	switch {
	case engine && has("no such file or directory"), has("Could not open '/lib"):
		return fmt.Errorf("exec %s: no such file or directory: the binary wants an interpreter that is not there, so it is not static", path)
	case engine:
		return fmt.Errorf("exec %s: %s", path, lastLines(text, 1))
	case has("error while loading shared libraries", "version `GLIBC"):
		return fmt.Errorf("exec %s: the binary is not static: %s", path, lastLines(text, 1))
	}
	return nil
}

// failed says how a run differs from what was wanted.
func (o outcome) failed(want string) error {
	return fmt.Errorf("%s, got exit status %d\nstdout: %s\nstderr: %s", want, o.code, lastLines(o.stdout, 3), lastLines(o.stderr, 5))
}

// version: the program says which version it is: that of the package.
func version(ctx context.Context, r *runner, p *place) error {
	o, err := p.exec(ctx, p.user, "version")
	if err != nil {
		return err
	}
	line, _, _ := strings.Cut(o.stdout, "\n")
	if want := r.Project.Name + " " + p.version; o.code != 0 || line != want {
		return o.failed(fmt.Sprintf("want the line %q", want))
	}
	return nil
}

// read: a capture file is read with the same result everywhere, to the byte.
func read(ctx context.Context, r *runner, p *place) error {
	o, err := p.exec(ctx, p.user, "read", tools+"capture.pcap")
	if err != nil {
		return err
	}
	if o.code != 0 {
		return o.failed("want the capture to be read")
	}
	if o.stdout == string(r.want) {
		return nil
	}
	got, want := strings.SplitAfter(o.stdout, "\n"), strings.SplitAfter(string(r.want), "\n")
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			return fmt.Errorf("line %d differs\ngot:  %s\nwant: %s", i+1, strings.TrimSpace(got[i]), strings.TrimSpace(want[i]))
		}
	}
	return fmt.Errorf("%d lines, want %d", len(got)-1, len(want)-1)
}

// noCapability: a user without rights is told in one line what is missing.
func noCapability(ctx context.Context, _ *runner, p *place) error {
	o, err := p.exec(ctx, p.user, "capture", "-i", "any", "-duration", "5s")
	if err != nil {
		return err
	}
	if o.code == 0 || !strings.Contains(o.stderr, "CAP_NET_RAW") || strings.Count(o.stderr, "\n") != 1 || strings.Contains(o.stderr, "goroutine ") {
		return o.failed("want one line that names CAP_NET_RAW")
	}
	return nil
}

// totals is what a live capture must have in common with a reading of the same frames:
// times differ, and with them what is late.
type totals struct {
	Type    string         `json:"type"`
	Packets int            `json:"packets"`
	Chunks  int            `json:"sctp_chunks"`
	TCAP    map[string]int `json:"tcap"`
}

func totalsOf(lines string) (totals, error) {
	var t totals
	err := json.Unmarshal([]byte(lastLines(lines, 1)), &t)
	if err == nil && t.Type != "summary" {
		err = errors.New("the last line is not the summary")
	}
	return t, err
}

// capture: root with CAP_NET_RAW alone sees what another container of the same network
// sends. That network is a loopback interface with no way out.
func capture(ctx context.Context, r *runner, p *place) error {
	want, err := totalsOf(string(r.want))
	if err != nil {
		return err
	}
	files, err := tarFiles(r.files())
	if err != nil {
		return err
	}
	sender, err := r.engine.Start(ctx, engine.Spec{Image: p.image, User: "0:0", Caps: []string{"NET_RAW"}, Network: "container:" + p.ID,
		Entrypoint: []string{tools + "helper"}, Cmd: []string{"hold"}, Before: []engine.Copy{{Dir: "/", Tar: files}}})
	if err != nil {
		return err
	}
	defer sender.Remove(ctx)
	o, err := p.captureWhile(ctx, want.Packets, func() error {
		var stderr bytes.Buffer
		code, err := sender.Exec(ctx, engine.Command{Args: []string{tools + "helper", "replay", "lo", tools + "capture.pcap"}, Stderr: &stderr})
		if err == nil && code != 0 {
			err = errors.New(lastLines(stderr.String(), 1))
		}
		return err
	})
	if err != nil {
		return err
	}
	got, err := totalsOf(o.stdout)
	if err != nil || o.code != 0 || fmt.Sprint(got) != fmt.Sprint(want) {
		return o.failed(fmt.Sprintf("want the summary to have %+v", want))
	}
	return nil
}

// captureWhile starts a capture of so many packets, calls send once it captures, and
// waits for its end.
func (p *place) captureWhile(ctx context.Context, packets int, send func() error) (outcome, error) {
	var stdout bytes.Buffer
	stderr := &watcher{text: "capturing on", seen: make(chan struct{})}
	ended := make(chan error, 1)
	var code int
	go func() {
		var err error
		code, err = p.Exec(ctx, engine.Command{User: "0:0", Stdout: &stdout, Stderr: stderr,
			Args: slices.Concat(p.program, []string{"capture", "-i", "any", "-count", strconv.Itoa(packets), "-duration", "10s"})})
		ended <- err
	}()
	var sendErr error
	select {
	case <-stderr.seen:
		sendErr = send()
		if err := <-ended; err != nil {
			return outcome{}, err
		}
	case err := <-ended:
		if err != nil {
			return outcome{}, err
		}
	}
	o := outcome{code, stdout.String(), stderr.String()}
	return o, errors.Join(sendErr, o.started(p.program))
}

// watcher keeps what is written and closes seen once it holds a text.
type watcher struct {
	text string
	seen chan struct{}

	mu   sync.Mutex
	data []byte
	done bool
}

func (w *watcher) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.data = append(w.data, p...)
	if !w.done && bytes.Contains(w.data, []byte(w.text)) {
		w.done = true
		close(w.seen)
	}
	return len(p), nil
}

func (w *watcher) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return string(w.data)
}
