package engine

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/pkg/stdcopy"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/mount"
	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"

	"github.com/tcapflow/tcapflow/pipeline/internal/stream"
)

// Spec is a container to start.
type Spec struct {
	Image      string
	Entrypoint []string // empty: the image's
	Cmd        []string // the main process; it must live as long as the container is used
	User       string   // uid:gid; empty: the image's
	Env        map[string]string
	Dir        string
	Volumes    map[string]string // volume name by the path where it is mounted; an empty name is a volume of the container's own
	Tmpfs      map[string]string // options by path
	Caps       []string          // capabilities beside none, such as NET_RAW
	Usual      bool              // as `docker run`: Caps come on top of the engine's own, and files may give some
	Drop       []string          // of the engine's own capabilities
	Network    string            // network mode; empty: none at all
	Before     []Copy            // put in before the start; not into volumes, which podman mounts later
	Stdout     io.Writer         // what the main process writes, until Wait returns; nil: dropped
	Stderr     io.Writer
}

// Copy is a tar stream for a folder of the container: Write writes it, and its error is the
// error of the copy.
type Copy struct {
	Dir   string
	Write func(io.Writer) error
}

// Container is a running container. The caller removes it.
type Container struct {
	ID      string
	engine  *Engine
	written chan error // one, when the main process has written all; nil: nobody listens
}

// Start creates and starts a container. On an error nothing is left of it.
func (e *Engine) Start(ctx context.Context, s Spec) (*Container, error) {
	created, err := e.provider.CreateContainer(ctx, e.request(s))
	if created == nil {
		return nil, explain(err)
	}
	c := &Container{ID: created.GetContainerID(), engine: e}
	if err != nil {
		return nil, c.discard(ctx, explain(err))
	}
	for _, copy := range s.Before {
		if err := c.Put(ctx, copy); err != nil {
			return nil, c.discard(ctx, err)
		}
	}
	if err := c.attach(ctx, s); err != nil {
		return nil, c.discard(ctx, err)
	}
	if err := created.Start(ctx); err != nil {
		return nil, c.discard(ctx, explain(err))
	}
	return c, nil
}

// discard removes a container that is of no use because of err. Where even that fails,
// err is the one to tell; Sweep finds what is left.
func (c *Container) discard(ctx context.Context, err error) error {
	_ = c.Remove(ctx)
	return err
}

func (e *Engine) request(s Spec) testcontainers.ContainerRequest {
	network := s.Network
	if network == "" {
		network = "none"
	}
	return testcontainers.ContainerRequest{
		Image:      s.Image,
		Entrypoint: s.Entrypoint,
		Cmd:        s.Cmd,
		Env:        s.Env,
		Tmpfs:      s.Tmpfs,
		Labels:     e.labels(map[string]string{e.namespace.Label("checkout"): e.checkout}),
		ConfigModifier: func(c *container.Config) {
			c.User, c.WorkingDir = s.User, s.Dir
		},
		HostConfigModifier: func(h *container.HostConfig) {
			h.NetworkMode = container.NetworkMode(network)
			h.CapDrop, h.CapAdd = []string{"ALL"}, s.Caps
			h.SecurityOpt = []string{"no-new-privileges"}
			if s.Usual {
				h.CapDrop, h.SecurityOpt = s.Drop, nil
			}
			for path, volume := range s.Volumes {
				h.Mounts = append(h.Mounts, e.mount(volume, path))
			}
		},
	}
}

// mount mounts a volume. One that another run has removed since it was made is made again by
// the engine, which is told our labels: without them nobody would ever find it.
func (e *Engine) mount(volume, path string) mount.Mount {
	m := mount.Mount{Type: mount.TypeVolume, Source: volume, Target: path}
	if volume != "" {
		m.VolumeOptions = &mount.VolumeOptions{Labels: e.labels(nil)}
	}
	return m
}

// Put unpacks a tar stream into the container, with its modes, owners, links and times.
func (c *Container) Put(ctx context.Context, copy Copy) error {
	return stream.Through(copy.Write, func(r io.Reader) error {
		_, err := c.engine.CopyToContainer(ctx, c.ID,
			client.CopyToContainerOptions{DestinationPath: copy.Dir, Content: r})
		return explain(err)
	})
}

// Get returns a path of the container as a tar stream; the caller closes it.
func (c *Container) Get(ctx context.Context, path string) (io.ReadCloser, error) {
	result, err := c.engine.CopyFromContainer(ctx, c.ID, client.CopyFromContainerOptions{SourcePath: path})
	if err != nil {
		return nil, explain(err)
	}
	return result.Content, nil
}

// Has tells whether there is a file or folder at a path.
func (c *Container) Has(ctx context.Context, path string) (bool, error) {
	_, err := c.engine.ContainerStatPath(ctx, c.ID, client.ContainerStatPathOptions{Path: path})
	if errdefs.IsNotFound(err) {
		return false, nil
	}
	return err == nil, explain(err)
}

// GetFile returns the bytes of a regular file, at most limit.
func (c *Container) GetFile(ctx context.Context, path string, limit int64) ([]byte, error) {
	stream, err := c.Get(ctx, path)
	if err != nil {
		return nil, err
	}
	defer stream.Close()
	entries := tar.NewReader(stream)
	h, err := entries.Next()
	if err != nil {
		return nil, fmt.Errorf("%s in the container: %w", path, err)
	}
	if h.Typeflag != tar.TypeReg || h.Size > limit {
		return nil, fmt.Errorf("%s in the container: not a file of at most %d bytes", path, limit)
	}
	return io.ReadAll(entries)
}

// Command is a process to run in a container.
type Command struct {
	Args   []string
	Env    []string
	Dir    string
	User   string
	Stdin  io.Reader // nil: none
	Stdout io.Writer // nil: dropped
	Stderr io.Writer
}

// Exec runs a command and returns its exit code. When the engine dies or hangs
// meanwhile, that is an error within 20 seconds.
func (c *Container) Exec(ctx context.Context, cmd Command) (code int, err error) {
	ctx, end := c.engine.Watch(ctx)
	defer func() { err = end(err) }()
	made, err := c.engine.ExecCreate(ctx, c.ID, client.ExecCreateOptions{
		Cmd: cmd.Args, Env: cmd.Env, WorkingDir: cmd.Dir, User: cmd.User,
		AttachStdin: cmd.Stdin != nil, AttachStdout: true, AttachStderr: true,
	})
	if err != nil {
		return 0, explain(c.ended(ctx, err))
	}
	stream, err := c.engine.ExecAttach(ctx, made.ID, client.ExecAttachOptions{})
	if err != nil {
		return 0, explain(err)
	}
	defer stream.Close()
	defer context.AfterFunc(ctx, stream.Close)()
	if cmd.Stdin != nil {
		go func() {
			io.Copy(stream.Conn, cmd.Stdin)
			stream.CloseWrite()
		}()
	}
	if _, err = stdcopy.StdCopy(writer(cmd.Stdout), writer(cmd.Stderr), stream.Reader); err == nil {
		var state client.ExecInspectResult
		if state, err = c.engine.ExecInspect(ctx, made.ID, client.ExecInspectOptions{}); err == nil && !state.Running {
			return state.ExitCode, nil
		}
	}
	if ctx.Err() != nil {
		return 0, ctx.Err()
	}
	if err == nil {
		err = errors.New("the connection ended before the command")
	}
	return 0, explain(err)
}

// ended adds the container's last words to err where its main process is not running:
// they tell why, and err, which is of the next call, does not.
func (c *Container) ended(ctx context.Context, err error) error {
	state, failed := c.engine.ContainerInspect(ctx, c.ID, client.ContainerInspectOptions{})
	if failed != nil || state.Container.State == nil || state.Container.State.Running {
		return err
	}
	log, failed := c.engine.ContainerLogs(ctx, c.ID,
		client.ContainerLogsOptions{ShowStdout: true, ShowStderr: true, Tail: "5"})
	if failed != nil {
		return err
	}
	defer log.Close()
	var words bytes.Buffer
	stdcopy.StdCopy(&words, &words, io.LimitReader(log, 64<<10))
	code := state.Container.State.ExitCode
	return fmt.Errorf("the container ended with exit status %d: %s", code, bytes.TrimSpace(words.Bytes()))
}

func writer(w io.Writer) io.Writer {
	if w == nil {
		return io.Discard
	}
	return w
}

// Output runs a command and returns its standard output, with standard error in the error.
func (c *Container) Output(ctx context.Context, args ...string) (string, error) {
	var stdout, stderr bytes.Buffer
	code, err := c.Exec(ctx, Command{Args: args, Stdout: &stdout, Stderr: &stderr})
	if err == nil && code != 0 {
		err = fmt.Errorf("%s: exit status %d: %s", args[0], code, bytes.TrimSpace(stderr.Bytes()))
	}
	return stdout.String(), err
}

// cleanUp bounds what is done after the work, also when the work was interrupted.
const cleanUp = 20 * time.Second

// Remove kills and removes the container with its anonymous volumes. It goes on when
// ctx is cancelled: that is when it matters. An engine that was lost gets a second, no
// more: it rarely comes back, and Sweep finds what is left.
func (c *Container) Remove(ctx context.Context) error {
	limit := cleanUp
	if errors.Is(context.Cause(ctx), errLost) {
		limit = time.Second
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), limit)
	defer cancel()
	_, err := c.engine.ContainerRemove(ctx, c.ID, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
	return explain(err)
}

// Sweep removes the containers that an earlier run in this checkout was killed over.
// The caller holds the checkout's lock, so whatever stands there is stale.
func (e *Engine) Sweep(ctx context.Context) (int, error) {
	list, err := e.ContainerList(ctx, client.ContainerListOptions{All: true,
		Filters: make(client.Filters).Add("label", e.Checkout())})
	if err != nil {
		return 0, explain(err)
	}
	for _, stale := range list.Items {
		if err := (&Container{ID: stale.ID, engine: e}).Remove(ctx); err != nil {
			return 0, err
		}
	}
	return len(list.Items), nil
}
