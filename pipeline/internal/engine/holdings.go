package engine

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/image"
	"github.com/moby/moby/api/types/volume"
	"github.com/moby/moby/client"
)

// Holding is something of this project's that takes room in the engine.
type Holding struct {
	Kind string // image or volume
	Name string
	Size int64     // bytes, of an image with the layers that it shares
	Used time.Time // the day of the last use, in UTC; zero: no mark names it
	Mine bool      // this checkout uses it
	More bool      // another checkout uses it, or nobody knows who

	image  image.Summary
	shared int64 // of Size: layers that other images have, too
}

// Holdings lists the project's images and volumes, and their size together; layers that images
// share count once in it. It takes the engine seconds: it measures volumes file by file.
func (e *Engine) Holdings(ctx context.Context) (held []Holding, total int64, err error) {
	// This names things and their sizes; podman's (4.3.1) says nothing of labels. It goes
	// first: marks that others write meanwhile must count.
	usage, err := e.DiskUsage(ctx, client.DiskUsageOptions{Images: true, Volumes: true, Verbose: true})
	if err != nil {
		return nil, 0, explain(err)
	}
	images, err := e.ImageList(ctx, client.ImageListOptions{})
	if err != nil {
		return nil, 0, explain(err)
	}
	volumes, err := e.VolumeList(ctx, client.VolumeListOptions{Filters: e.owned()})
	if err != nil {
		return nil, 0, explain(err)
	}
	held, total = e.ofImages(images.Items, usage.Images.Items)
	ofVolumes, size := e.ofVolumes(volumes.Items, usage.Volumes.Items)
	held = append(held, ofVolumes...)
	for i := range held {
		held[i].read(e, volumes.Items)
	}
	return held, total + size, nil
}

func (e *Engine) ofImages(images, measured []image.Summary) (held []Holding, total int64) {
	var shared int64
	for _, i := range images {
		if !e.owns(i) {
			continue
		}
		own, others := e.tags(i)
		h := Holding{Kind: "image", Name: strings.Join(own, " "), Size: i.Size, image: i}
		if h.Name == "" {
			h.Name = i.ID
		}
		at := slices.IndexFunc(measured, func(m image.Summary) bool { return FullID(m.ID) == FullID(i.ID) })
		if at >= 0 {
			h.Size, h.shared = measured[at].Size, max(0, measured[at].SharedSize)
			shared = max(shared, h.shared)
		}
		if others {
			h.shared = h.Size // it stays when our name of it goes
		}
		total += h.Size - h.shared
		held = append(held, h)
	}
	return held, total + shared
}

func (e *Engine) ofVolumes(volumes, measured []volume.Volume) (held []Holding, total int64) {
	for _, v := range volumes {
		if _, ok := e.readMark(v); ok {
			continue
		}
		h := Holding{Kind: "volume", Name: v.Name}
		at := slices.IndexFunc(measured, func(m volume.Volume) bool { return m.Name == v.Name })
		if at >= 0 && measured[at].UsageData != nil {
			h.Size = max(0, measured[at].UsageData.Size)
		}
		total += h.Size
		held = append(held, h)
	}
	return held, total
}

// id is what marks call it.
func (h Holding) id() string {
	if h.Kind == "image" {
		return FullID(h.image.ID)
	}
	return h.Name
}

// read fills in what the marks say of a holding.
func (h *Holding) read(e *Engine, volumes []volume.Volume) {
	for _, v := range volumes {
		m, ok := e.readMark(v)
		if !ok || !slices.Contains(m.uses, h.id()) {
			continue
		}
		if m.day.After(h.Used) {
			h.Used = m.day
		}
		h.Mine = h.Mine || m.checkout == e.checkout
		h.More = h.More || m.checkout != e.checkout
	}
	h.More = h.More || !h.Mine
}

// Drop removes a holding; gone is false where a container uses it.
func (e *Engine) Drop(ctx context.Context, h Holding) (gone bool, err error) {
	if h.Kind == "image" {
		return e.RemoveImage(ctx, h.image)
	}
	return e.removeVolume(ctx, h.Name)
}

// DropVolume removes a volume; gone is false where a container uses it.
func (e *Engine) DropVolume(ctx context.Context, name string) (gone bool, err error) {
	return e.removeVolume(ctx, name)
}

func (e *Engine) removeVolume(ctx context.Context, name string) (gone bool, err error) {
	_, err = e.VolumeRemove(ctx, name, client.VolumeRemoveOptions{})
	switch {
	case errdefs.IsConflict(err):
		return false, nil
	case err != nil && !errdefs.IsNotFound(err):
		return false, explain(fmt.Errorf("volume %s: %w", name, err))
	}
	return true, nil
}

// Forget removes the marks of this checkout, or of all.
func (e *Engine) Forget(ctx context.Context, all bool) error {
	volumes, err := e.VolumeList(ctx, client.VolumeListOptions{Filters: e.owned()})
	if err != nil {
		return explain(err)
	}
	return e.forget(ctx, volumes.Items, func(m mark) bool { return all || m.checkout == e.checkout })
}
