// Package engine is the one door to the container engine: Docker, podman or another
// with Docker's API, local or remote, found and driven by testcontainers-go.
//
// In: an image and a command. Out: a running container with tar streams in and out.
// Containers get no network, no bind mount and no privilege unless they ask, and
// carry labels by which a later run finds what a killed one left.
package engine

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/moby/moby/api/types/image"
	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"
	tclog "github.com/testcontainers/testcontainers-go/log"

	"github.com/tcapflow/tcapflow/internal/pipeline/fault"
)

// Labels of everything that we make in an engine.
const (
	LabelOwner    = "dev.tcapflow.owner"    // on all: "tcapflow"
	LabelCheckout = "dev.tcapflow.checkout" // on containers: who may sweep them
	ownerValue    = "tcapflow"
)

// Engine is a connection.
type Engine struct {
	*client.Client
	Arch string // GOARCH of the engine's machine
	CPUs int

	provider *testcontainers.DockerProvider
	checkout string
	tunnel   func() // ends the way to an engine behind ssh
}

// Close ends the connection.
func (e *Engine) Close() error {
	err := e.Client.Close()
	if e.tunnel != nil {
		e.tunnel()
	}
	return err
}

// Connect finds the engine that DOCKER_HOST, the Docker context or a socket at one of
// the usual places names. checkout is the folder whose lock the caller holds.
func Connect(ctx context.Context, checkout string) (*Engine, error) {
	tclog.SetDefault(silent{})
	// The reaper is an image of its own, which cannot be pulled everywhere; Sweep does its work.
	if err := os.Setenv("TESTCONTAINERS_RYUK_DISABLED", "true"); err != nil {
		return nil, err
	}
	named := os.Getenv("DOCKER_HOST")
	host, closeTunnel, err := overSSH(ctx, named)
	if err != nil {
		return nil, unreachable(err)
	}
	if host != named { // testcontainers reads it from the environment; messages name what the user said
		if err := os.Setenv("DOCKER_HOST", host); err != nil {
			return nil, err
		}
	}
	e, err := connect(ctx, checkout)
	if host != named {
		err = errors.Join(err, os.Setenv("DOCKER_HOST", named))
	}
	if err != nil {
		closeTunnel()
		return nil, unreachable(err)
	}
	e.tunnel = closeTunnel
	return e, nil
}

func connect(ctx context.Context, checkout string) (*Engine, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, connectWithin, fmt.Errorf("no answer within %s", connectWithin))
	defer cancel()
	provider, err := find(ctx)
	if err != nil {
		return nil, err
	}
	c, ok := clientOf(provider.Client())
	if !ok {
		return nil, fmt.Errorf("unexpected client %T", provider.Client())
	}
	info, err := c.Info(ctx, client.InfoOptions{})
	if err != nil {
		return nil, err
	}
	if info.Info.OSType != "linux" {
		return nil, fmt.Errorf("it runs %s containers; switch it to Linux containers", info.Info.OSType)
	}
	return &Engine{Client: c, provider: provider, checkout: CheckoutID(checkout), Arch: goArch(info.Info.Architecture), CPUs: info.Info.NCPU}, nil
}

// connectWithin bounds the search for an engine; a remote one answers in well under a second.
const connectWithin = 10 * time.Second

// find asks testcontainers for its engine. Testcontainers would go on to a local engine
// where the one that DOCKER_HOST names does not answer, and waits for ever for a frozen one.
func find(ctx context.Context) (*testcontainers.DockerProvider, error) {
	if err := named(ctx); err != nil {
		return nil, err
	}
	type found struct {
		provider *testcontainers.DockerProvider
		err      error
	}
	answer := make(chan found, 1)
	go func() {
		provider, err := testcontainers.NewDockerProvider(testcontainers.WithLogger(silent{}))
		answer <- found{provider, err}
	}()
	select {
	case f := <-answer:
		return f.provider, f.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// named asks the engine that DOCKER_HOST names, if it does, for a sign of life.
func named(ctx context.Context) error {
	host := os.Getenv("DOCKER_HOST")
	if host == "" {
		return nil
	}
	c, err := client.New(client.FromEnv)
	if err != nil {
		return err
	}
	defer c.Close()
	if _, err = c.Ping(ctx, client.PingOptions{}); err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

func clientOf(c any) (*client.Client, bool) {
	switch c := c.(type) {
	case *client.Client:
		return c, true
	case *testcontainers.DockerClient:
		return c.Client, true
	}
	return nil, false
}

// CheckoutID is the value of LabelCheckout: a digest of host name and folder, so that
// two machines on one remote engine do not sweep each other's containers.
func CheckoutID(folder string) string {
	host, _ := os.Hostname()
	sum := sha256.Sum256([]byte(host + "\x00" + folder))
	return hex.EncodeToString(sum[:8])
}

// goArch turns what uname(1) says into GOARCH.
func goArch(machine string) string {
	switch machine {
	case "x86_64":
		return "amd64"
	case "aarch64":
		return "arm64"
	}
	return machine
}

func unreachable(err error) error {
	e := &fault.Error{Code: fault.Engine, Err: fmt.Errorf("container engine: %w", oneLine(err))}
	text := err.Error()
	switch {
	case errors.Is(err, fs.ErrPermission) || strings.Contains(text, "permission denied"):
		e.Next = "add yourself to the group that owns the socket (often: docker), or use a rootless engine such as podman with DOCKER_HOST"
	case os.Getenv("DOCKER_HOST") != "":
		e.Next = fmt.Sprintf("DOCKER_HOST is %q: correct it, or unset it to use the local engine", os.Getenv("DOCKER_HOST"))
	default:
		e.Next = "install and start Docker or podman, or point DOCKER_HOST to one (unix:///…, tcp://…, ssh://…)"
	}
	return e
}

// oneLine puts an error of several lines, one for each place that was tried, into one.
func oneLine(err error) error {
	if text := err.Error(); strings.Contains(text, "\n") {
		return folded{err, strings.ReplaceAll(text, "\n", "; ")}
	}
	return err
}

type folded struct {
	error
	text string
}

func (f folded) Error() string { return f.text }
func (f folded) Unwrap() error { return f.error }

// silent drops testcontainers' own log lines; ours name stages instead.
type silent struct{}

func (silent) Printf(string, ...any) {}

// Images lists our images that have all of the given labels.
func (e *Engine) Images(ctx context.Context, labels map[string]string) ([]image.Summary, error) {
	filter := make(client.Filters).Add("label", LabelOwner+"="+ownerValue)
	for k, v := range labels {
		filter = filter.Add("label", k+"="+v)
	}
	list, err := e.ImageList(ctx, client.ImageListOptions{Filters: filter})
	if err != nil {
		return nil, unreachable(err)
	}
	return list.Items, nil
}

// Load gives the engine an image as `docker load` does.
func (e *Engine) Load(ctx context.Context, tag string, image io.Reader) error {
	result, err := e.ImageLoad(ctx, image, client.ImageLoadWithQuiet(true))
	if err != nil {
		return explain(fmt.Errorf("load %s: %w", tag, err))
	}
	defer result.Close()
	for answer := json.NewDecoder(result); ; {
		var message struct{ Error string }
		switch err := answer.Decode(&message); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return explain(fmt.Errorf("load %s: %w", tag, err))
		case message.Error != "":
			return explain(fmt.Errorf("load %s: %s", tag, message.Error))
		}
	}
}

// Volumes makes volumes; an empty name is made with its container, and removed with it.
// Volumes of other keys stay: another checkout may need them.
func (e *Engine) Volumes(ctx context.Context, names []string) error {
	for _, name := range names {
		if name == "" {
			continue
		}
		if _, err := e.VolumeCreate(ctx, client.VolumeCreateOptions{Name: name, Labels: Owned(nil)}); err != nil {
			return explain(fmt.Errorf("volume %s: %w", name, err))
		}
	}
	return nil
}

// Owned adds the owner's label to labels.
func Owned(labels map[string]string) map[string]string {
	out := map[string]string{LabelOwner: ownerValue}
	for k, v := range labels {
		out[k] = v
	}
	return out
}
