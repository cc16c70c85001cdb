// Package engine is the one door to the container engine: Docker, podman or another
// with Docker's API, local or remote, driven by testcontainers-go.
//
// In: an image and a command. Out: a running container with tar streams in and out.
// Containers get no network, no bind mount and no privilege unless they ask, and
// carry labels by which a later run finds what a killed one left.
package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"

	"github.com/tcapflow/tcapflow/pipeline/internal/stream"
	"github.com/tcapflow/tcapflow/spec"
)

// Engine is a connection.
type Engine struct {
	*client.Client
	Arch string // GOARCH of the engine's machine
	CPUs int

	provider  *testcontainers.DockerProvider
	namespace spec.Namespace // of the project: what is made for it alone is called so
	checkout  string
	marking   marking
}

// Close ends the connection.
func (e *Engine) Close() error { return e.Client.Close() }

// ImageID is the ID of an image that the engine has.
func (e *Engine) ImageID(ctx context.Context, name string) (string, error) {
	found, err := e.ImageInspect(ctx, name)
	if err != nil {
		return "", explain(fmt.Errorf("image %s: %w", name, err))
	}
	return FullID(found.ID), nil
}

// SameImage compares two IDs.
func SameImage(a, b string) bool { return FullID(a) == FullID(b) }

// FullID gives an image's ID one form: some of podman's calls leave "sha256:" out, and
// others refuse an ID without it.
func FullID(id string) string { return "sha256:" + strings.TrimPrefix(id, "sha256:") }

// Load gives the engine an image as `docker load` does; write writes it, as `docker save` does.
func (e *Engine) Load(ctx context.Context, tag string, write func(io.Writer) error) error {
	return stream.Through(write, func(r io.Reader) error { return e.load(ctx, tag, r) })
}

func (e *Engine) load(ctx context.Context, tag string, image io.Reader) error {
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
