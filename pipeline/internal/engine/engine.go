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
	"maps"
	"slices"
	"strings"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/image"
	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"
)

// Labels of everything that we make in an engine.
const (
	LabelOwner    = "dev.tcapflow.owner"    // on all: "tcapflow"
	LabelCheckout = "dev.tcapflow.checkout" // on containers: who may sweep them; on marks: who uses it
	ownerValue    = "tcapflow"
)

// Engine is a connection.
type Engine struct {
	*client.Client
	Arch string // GOARCH of the engine's machine
	CPUs int

	provider *testcontainers.DockerProvider
	checkout string
	marking  marking
}

// Close ends the connection.
func (e *Engine) Close() error { return e.Client.Close() }

// Images lists our images that have all of the given labels. The engine is asked for the
// owner's alone: podman 4.3.1 takes several labels as "one of them".
func (e *Engine) Images(ctx context.Context, labels map[string]string) ([]image.Summary, error) {
	list, err := e.ImageList(ctx, client.ImageListOptions{Filters: ownedFilter()})
	if err != nil {
		return nil, explain(err)
	}
	all := Owned(labels)
	return slices.DeleteFunc(list.Items, func(i image.Summary) bool { return !has(i.Labels, all) }), nil
}

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

func ownedFilter() client.Filters {
	return make(client.Filters).Add("label", LabelOwner+"="+ownerValue)
}

func has(labels, wanted map[string]string) bool {
	for k, v := range wanted {
		if labels[k] != v {
			return false
		}
	}
	return true
}

// RemoveImage removes an image with all of its tags. gone is false where a
// container uses it: nothing is ever forced.
func (e *Engine) RemoveImage(ctx context.Context, i image.Summary) (gone bool, err error) {
	isNone := func(tag string) bool { return tag == "<none>:<none>" }
	names := slices.DeleteFunc(slices.Clone(i.RepoTags), isNone)
	if len(names) == 0 {
		names = []string{i.ID}
	}
	for _, name := range names { // the last one takes the image along
		_, err := e.ImageRemove(ctx, name, client.ImageRemoveOptions{PruneChildren: true})
		switch {
		case errdefs.IsConflict(err):
			return false, nil
		case err != nil && !errdefs.IsNotFound(err):
			return false, explain(fmt.Errorf("image %s: %w", name, err))
		}
	}
	return true, nil
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

// Owned adds the owner's label to labels.
func Owned(labels map[string]string) map[string]string {
	out := map[string]string{LabelOwner: ownerValue}
	maps.Copy(out, labels)
	return out
}
