package engine

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/image"
	"github.com/moby/moby/client"
)

// LabelImage is on every image that we make, for whatever project, and says its kind:
// builder, root … Images are found by their contents, so that projects share what is equal;
// each calls what it uses by a name of its own. A project removes its names, and an image goes
// with the last one.
const LabelImage = "musl-static.image"

// Images of a kind are found by LabelImage and what else is given.
func Labelled(kind string, labels map[string]string) map[string]string {
	out := map[string]string{LabelImage: kind}
	maps.Copy(out, labels)
	return out
}

// Tag is the name that this project has for an image: tcapflow-builder:debian-5a05.
func (e *Engine) Tag(kind, version string) string { return e.repository(kind) + ":" + version }

func (e *Engine) repository(kind string) string { return string(e.namespace) + "-" + kind }

// kinds are all that follow the namespace in the name of an image.
var kinds = []string{"builder", "root", "native", "packed", "oldway"}

// tags are this project's names of an image, as the engine spells them, and whether it
// has others.
func (e *Engine) tags(i image.Summary) (own []string, others bool) {
	for _, tag := range i.RepoTags {
		// podman puts localhost/ before a name without a host.
		repository, _, _ := strings.Cut(strings.TrimPrefix(tag, "localhost/"), ":")
		switch {
		case tag == "<none>:<none>":
		case slices.ContainsFunc(kinds, func(kind string) bool { return repository == e.repository(kind) }):
			own = append(own, tag)
		default:
			others = true
		}
	}
	return own, others
}

// owns tells whether an image is one of this project's, or of ours and nobody's.
func (e *Engine) owns(i image.Summary) bool {
	own, others := e.tags(i)
	return len(own) > 0 || !others && i.Labels[LabelImage] != ""
}

// Images lists the images that have all of the labels, whoever made them. The engine is
// asked for one: podman 4.3.1 takes several labels as "one of them".
func (e *Engine) Images(ctx context.Context, labels map[string]string) ([]image.Summary, error) {
	filter := make(client.Filters).Add("label", LabelImage+"="+labels[LabelImage])
	list, err := e.ImageList(ctx, client.ImageListOptions{Filters: filter})
	if err != nil {
		return nil, explain(err)
	}
	return slices.DeleteFunc(list.Items, func(i image.Summary) bool { return !has(i.Labels, labels) }), nil
}

func has(labels, wanted map[string]string) bool {
	for k, v := range wanted {
		if labels[k] != v {
			return false
		}
	}
	return true
}

// Adopt returns this project's name of an image, and gives it this one if it has none.
func (e *Engine) Adopt(ctx context.Context, i image.Summary, tag string) (string, error) {
	if own, _ := e.tags(i); len(own) > 0 {
		return strings.TrimPrefix(own[0], "localhost/"), nil
	}
	_, err := e.ImageTag(ctx, client.ImageTagOptions{Source: FullID(i.ID), Target: tag})
	return tag, explain(err)
}

// RemoveImage takes this project's names of an image away, and the image with them if
// nobody else has one for it. gone is false where a container uses it: nothing is ever
// forced.
func (e *Engine) RemoveImage(ctx context.Context, i image.Summary) (gone bool, err error) {
	names, others := e.tags(i)
	if len(names) == 0 && !others {
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
	return len(names) > 0, nil
}

// labels are on what is made for this project alone: containers and volumes.
func (e *Engine) labels(more map[string]string) map[string]string {
	out := map[string]string{e.namespace.Label("owner"): string(e.namespace)}
	maps.Copy(out, more)
	return out
}

// Checkout is the label, as KEY=VALUE, of this checkout's containers, which it may sweep.
// On a mark it says who uses something.
func (e *Engine) Checkout() string { return e.namespace.Label("checkout") + "=" + e.checkout }

// owned selects this project's volumes.
func (e *Engine) owned() client.Filters {
	return make(client.Filters).Add("label", e.namespace.Label("owner")+"="+string(e.namespace))
}

// Volume is the name of a volume of this project: tcapflow-cache-linux_amd64-48dc.
func (e *Engine) Volume(what string) string { return string(e.namespace) + "-" + what }
