package distro

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/tcapflow/tcapflow/pipeline/internal/engine"
	"github.com/tcapflow/tcapflow/pipeline/internal/fault"
	"github.com/tcapflow/tcapflow/spec"
)

// Exec implements spec.Place.
func (p *place) Exec(ctx context.Context, c spec.Command) (spec.Outcome, error) {
	var stdout, stderr bytes.Buffer
	command := p.command(c, p.program)
	command.Stdout, command.Stderr = &stdout, also(&stderr, c.Stderr)
	code, err := p.container.Exec(ctx, command)
	o := spec.Outcome{Code: code, Stdout: stdout.String(), Stderr: stderr.String()}
	if err == nil {
		err = started(o, p.program)
	}
	return o, err
}

// command runs a program, of one word or more, as c says.
func (p *place) command(c spec.Command, program []string) engine.Command {
	command := engine.Command{Args: slices.Concat(program, c.Args), User: c.User}
	if command.User == "" {
		command.User = p.user
	}
	if c.Dir != "" {
		command.Dir = folder(c.Dir)
	}
	if c.Stdin != nil {
		command.Stdin = bytes.NewReader(c.Stdin)
	}
	return command
}

// also writes to both; the second may be nil.
func also(w, second io.Writer) io.Writer {
	if second == nil {
		return w
	}
	return io.MultiWriter(w, second)
}

// started recognizes that the program could not be executed, in the words of runc, of
// qemu-user and of a dynamic linker. The kernel answers ENOENT for a program that is
// there when its interpreter is not, execve(2).
func started(o spec.Outcome, program []string) error {
	path := program[len(program)-1]
	text := o.Stdout + o.Stderr
	has := func(words ...string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(text, w) })
	}
	engine := has("exec "+path+": ", "OCI runtime exec failed")
	switch {
	case engine && has("no such file or directory"), has("Could not open '/lib"):
		return fmt.Errorf("exec %s: no such file or directory: "+
			"the binary wants an interpreter that is not there, so it is not static", path)
	case engine:
		return fmt.Errorf("exec %s: %s", path, fault.Tail(text, 1))
	case has("error while loading shared libraries", "version `GLIBC"):
		return fmt.Errorf("exec %s: the binary is not static: %s", path, fault.Tail(text, 1))
	}
	return nil
}

// folder is where Put's folders lie in a container.
func folder(name string) string { return tools + path.Clean("/" + name)[1:] }

// Put implements spec.Place.
func (p *place) Put(ctx context.Context, name string, files fs.FS) error {
	return p.container.Put(ctx, tarFS(folder(name), files))
}

// Peer implements spec.Place.
func (p *place) Peer(ctx context.Context) (spec.Place, error) {
	peer := *p
	peer.loaded, peer.others = "", nil
	s := p.spec
	s.Network = "container:" + p.container.ID
	s.Before = p.content
	var err error
	if peer.container, err = p.engine.Start(ctx, s); err != nil {
		return nil, err
	}
	p.others = append(p.others, &peer)
	if p.packing == "deb" {
		return &peer, p.copyProgram(ctx, &peer)
	}
	return &peer, nil
}

// maxProgram bounds what is copied, bytes.
const maxProgram = 1 << 30

// copyProgram gives a peer the program's file alone: it need not be installed there.
func (p *place) copyProgram(ctx context.Context, to *place) error {
	name := p.program[len(p.program)-1]
	program, err := p.container.GetFile(ctx, name, maxProgram)
	if err != nil {
		return err
	}
	h := &tar.Header{Typeflag: tar.TypeReg, Name: name[1:], Mode: 0o755, Size: int64(len(program))}
	return to.container.Put(ctx, engine.Copy{Dir: "/", Write: func(w io.Writer) error {
		t := tar.NewWriter(w)
		if err := t.WriteHeader(h); err != nil {
			return err
		}
		if _, err := t.Write(program); err != nil {
			return err
		}
		return t.Close()
	}})
}

// Protected implements spec.Place.
func (p *place) Protected(ctx context.Context, c spec.Command) error {
	if len(c.Stdin) <= pipeHolds {
		return fmt.Errorf("the program is given %d bytes, and a pipe holds %d: it would be seen before it reads",
			len(c.Stdin), pipeHolds)
	}
	program := p.program[len(p.program)-1]
	var stderr bytes.Buffer
	command := p.command(c, slices.Concat([]string{tools + "helper", "relro", program}, p.program))
	command.Stderr = &stderr
	code, err := p.container.Exec(ctx, command)
	if err == nil {
		err = started(spec.Outcome{Code: code, Stderr: stderr.String()}, p.program)
	}
	if err == nil && code != 0 {
		err = errors.New(fault.Tail(stderr.String(), 2))
	}
	return err
}

// pipeHolds is what fits into a pipe that nobody reads, pipe(7): 64 KiB.
const pipeHolds = 64 << 10 // bytes

// Packing implements spec.Place.
func (p *place) Packing() string { return p.packing }

// Foreign implements spec.Place.
func (p *place) Foreign() bool { return p.foreign }

// Version implements spec.Place.
func (p *place) Version() string { return p.version }

// fresh is a place that starts a container for each run.
type fresh struct {
	*place
	add, drop []string

	running chan *engine.Container // the one that Exec has started
}

// Fresh implements spec.Place.
func (p *place) Fresh(_ context.Context, add, drop []string) (spec.Place, error) {
	if p.packing != "image" || p.foreign {
		return nil, fmt.Errorf("only an image that the engine's kernel runs can be started afresh, not a %s", p.packing)
	}
	return &fresh{place: p, add: add, drop: drop, running: make(chan *engine.Container, 1)}, nil
}

// Exec implements spec.Place.
func (f *fresh) Exec(ctx context.Context, c spec.Command) (spec.Outcome, error) {
	var stdout, stderr bytes.Buffer
	run, err := f.engine.Start(ctx, engine.Spec{
		Image: f.image, Cmd: c.Args, Usual: true, Caps: f.add, Drop: f.drop,
		Stdout: &stdout, Stderr: also(&stderr, c.Stderr),
	})
	if err != nil {
		return spec.Outcome{}, err
	}
	defer run.Remove(ctx)
	f.running <- run
	code, err := run.Wait(ctx)
	select {
	case <-f.running: // no peer has taken it
	default:
	}
	o := spec.Outcome{Code: code, Stdout: stdout.String(), Stderr: stderr.String()}
	if err == nil {
		err = started(o, f.program)
	}
	return o, err
}

// Peer implements spec.Place: the network is that of the container that runs now.
func (f *fresh) Peer(ctx context.Context) (spec.Place, error) {
	select {
	case run := <-f.running:
		beside := *f.place
		beside.container = run
		peer, err := beside.Peer(ctx)
		f.others = append(f.others, beside.others...)
		return peer, err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
