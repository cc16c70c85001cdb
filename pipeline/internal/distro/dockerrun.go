package distro

import (
	"bytes"
	"context"
	"errors"

	"github.com/tcapflow/tcapflow/pipeline/internal/engine"
)

// dockerRun: `docker run --cap-add NET_RAW IMAGE capture …` captures, with the image's
// own user and entry point. That user is not root, and a capability of the container is
// none of its user's: the program's file has to give it.
func dockerRun(ctx context.Context, r *runner, p *place) error {
	want, err := totalsOf(string(r.want))
	if err != nil {
		return err
	}
	stdout, stderr := &bytes.Buffer{}, newWatcher("capturing on")
	c, err := r.engine.Start(ctx, engine.Spec{Image: p.image, Cmd: captureArgs(want.Packets),
		Usual: true, Caps: []string{"NET_RAW"}, Stdout: stdout, Stderr: stderr})
	if err != nil {
		return err
	}
	defer c.Remove(ctx)
	code, err := whileCapturing(stderr,
		func() (int, error) { return c.Wait(ctx) },
		func() error { return r.send(ctx, p.image, c) })
	o := outcome{code, stdout.String(), stderr.String()}
	if err := errors.Join(err, o.started(p.program)); err != nil {
		return err
	}
	return o.captured(want)
}

// dockerRunNoCapability: in a container that lacks the capability which the file would
// give, the program starts all the same, and says in one line what is missing. With the
// effective bit the kernel would refuse to execute it, capabilities(7).
func dockerRunNoCapability(ctx context.Context, r *runner, p *place) error {
	var stdout, stderr bytes.Buffer
	c, err := r.engine.Start(ctx, engine.Spec{Image: p.image, Cmd: []string{"capture", "-i", "any", "-duration", "5s"},
		Usual: true, Drop: []string{"ALL"}, Stdout: &stdout, Stderr: &stderr})
	if err != nil {
		return err
	}
	defer c.Remove(ctx)
	code, err := c.Wait(ctx)
	o := outcome{code, stdout.String(), stderr.String()}
	if err := errors.Join(err, o.started(p.program)); err != nil {
		return err
	}
	return o.refusedInOneLine()
}
