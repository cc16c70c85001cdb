package engine

import (
	"context"

	"github.com/moby/moby/api/pkg/stdcopy"
	"github.com/moby/moby/client"
)

// attach hands on what the container's main process writes, if the spec wants it. It is
// called before the start, so that nothing is missed; an engine's logs are another
// matter: with some log drivers they cannot be read.
func (c *Container) attach(ctx context.Context, s Spec) error {
	if s.Stdout == nil && s.Stderr == nil {
		return nil
	}
	stream, err := c.engine.ContainerAttach(ctx, c.ID,
		client.ContainerAttachOptions{Stream: true, Stdout: true, Stderr: true})
	if err != nil {
		return explain(err)
	}
	c.written = make(chan error, 1)
	go func() {
		defer stream.Close()
		_, err := stdcopy.StdCopy(writer(s.Stdout), writer(s.Stderr), stream.Reader)
		c.written <- err
	}()
	return nil
}

// Wait waits until the main process of a container whose spec has writers is over, and
// all that it wrote is in them. It returns the exit code.
func (c *Container) Wait(ctx context.Context) (code int, err error) {
	ctx, end := c.engine.Watch(ctx)
	defer func() { err = end(err) }()
	select {
	case err = <-c.written:
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err != nil {
		return 0, explain(err)
	}
	ended := c.engine.ContainerWait(ctx, c.ID, client.ContainerWaitOptions{})
	select {
	case result := <-ended.Result:
		return int(result.StatusCode), nil
	case err = <-ended.Error:
		return 0, explain(err)
	}
}
