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

	"github.com/tcapflow/tcapflow/pipeline/internal/engine"
)

// scenario is something that a user does with the installed program.
type scenario struct {
	name        string
	run         func(context.Context, *runner, *place) error
	packing     string // the only one that it is for; empty: each
	skipForeign string // why it cannot be run under qemu-user
}

var scenarios = []scenario{
	{name: "version", run: version},
	{name: "read", run: read},
	{name: "relro", run: relro},
	{name: "no-capability", run: noCapability},
	{name: "capture", run: capture, skipForeign: noLiveCapture},
	{name: "docker-run", run: dockerRun, packing: "image", skipForeign: noLiveCapture},
}

// noLiveCapture is why a scenario cannot be run under qemu-user.
const noLiveCapture = "qemu-user does not translate the ioctls of a live capture"

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

// relro: while the program runs, its tables of addresses are read-only. The ELF header
// only asks for it.
func relro(ctx context.Context, _ *runner, p *place) error {
	program := p.program[len(p.program)-1]
	var stderr bytes.Buffer
	helper := []string{tools + "helper", "relro", program, tools + "capture.pcap"}
	code, err := p.Exec(ctx, engine.Command{User: p.user, Stderr: &stderr,
		Args: slices.Concat(helper, p.program, []string{"read", "-"})})
	o := outcome{code: code, stderr: stderr.String()}
	if err == nil {
		err = o.started(p.program)
	}
	if err == nil && code != 0 {
		err = errors.New(lastLines(o.stderr, 2))
	}
	return err
}

// noCapability: a user without rights is told in one line what is missing. The program of
// an image has the capability of its file wherever the container has it, also under
// no-new-privileges when the container's own process had it; it gets a container without.
func noCapability(ctx context.Context, r *runner, p *place) error {
	if p.loaded != "" && len(p.program) == 1 {
		return dockerRunNoCapability(ctx, r, p)
	}
	o, err := p.exec(ctx, p.user, "capture", "-i", "any", "-duration", "5s")
	if err != nil {
		return err
	}
	return o.refusedInOneLine()
}

func (o outcome) refusedInOneLine() error {
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

// captureArgs ask for a capture of so many packets. On a slow machine the sender's
// container takes seconds to start.
func captureArgs(packets int) []string {
	return []string{"capture", "-i", "any", "-count", strconv.Itoa(packets), "-duration", "20s"}
}

// capture: root with CAP_NET_RAW alone sees what another container of the same network
// sends. That network is a loopback interface with no way out.
func capture(ctx context.Context, r *runner, p *place) error {
	want, err := totalsOf(string(r.want))
	if err != nil {
		return err
	}
	stdout, stderr := &bytes.Buffer{}, newWatcher("capturing on")
	command := engine.Command{User: "0:0", Args: slices.Concat(p.program, captureArgs(want.Packets)),
		Stdout: stdout, Stderr: stderr}
	code, err := whileCapturing(stderr,
		func() (int, error) { return p.Exec(ctx, command) },
		func() error { return r.send(ctx, p.image, p.Container) })
	o := outcome{code, stdout.String(), stderr.String()}
	if err := errors.Join(err, o.started(p.program)); err != nil {
		return err
	}
	return o.captured(want)
}

// captured compares the summary of a capture with that of a reading of the same frames.
func (o outcome) captured(want totals) error {
	got, err := totalsOf(o.stdout)
	if err != nil || o.code != 0 || fmt.Sprint(got) != fmt.Sprint(want) {
		return o.failed(fmt.Sprintf("want the summary to have %+v", want))
	}
	return nil
}

// whileCapturing waits for a capture to end, and calls send once it says that it captures.
func whileCapturing(stderr *watcher, wait func() (int, error), send func() error) (code int, err error) {
	ended := make(chan error, 1)
	go func() {
		var err error
		code, err = wait()
		ended <- err
	}()
	select {
	case <-stderr.seen:
		sent := send()
		err = errors.Join(<-ended, sent)
	case err = <-ended:
	}
	return code, err
}

// send sends the frames of the capture on the loopback interface of a container, from
// another one, which shares its network.
func (r *runner) send(ctx context.Context, image string, to *engine.Container) error {
	var stderr bytes.Buffer
	sender, err := r.engine.Start(ctx, engine.Spec{Image: image, User: "0:0", Caps: []string{"NET_RAW"},
		Network:    "container:" + to.ID,
		Entrypoint: []string{tools + "helper"}, Cmd: []string{"replay", "lo", tools + "capture.pcap"},
		Before: []engine.Copy{tarFiles(r.files())}, Stderr: &stderr})
	if err != nil {
		return err
	}
	defer sender.Remove(ctx)
	code, err := sender.Wait(ctx)
	if err == nil && code != 0 {
		err = errors.New(lastLines(stderr.String(), 1))
	}
	return err
}
