package engine

import (
	"context"
	"fmt"
	"strings"

	"github.com/moby/moby/client"
)

// Holding is something of ours that takes room in the engine.
type Holding struct {
	Kind string // image or volume
	Name string
	Size int64 // bytes, of an image with the layers that it shares
	id   string
}

// Holdings lists our images and volumes, and their size together; layers that images
// share count once in it.
func (e *Engine) Holdings(ctx context.Context) (held []Holding, total int64, err error) {
	usage, err := e.DiskUsage(ctx, client.DiskUsageOptions{Images: true, Volumes: true, Verbose: true})
	if err != nil {
		return nil, 0, explain(err)
	}
	var shared int64
	for _, i := range usage.Images.Items {
		if i.Labels[LabelOwner] == ownerValue {
			held = append(held, Holding{"image", strings.Join(i.RepoTags, " "), i.Size, i.ID})
			total += i.Size - max(0, i.SharedSize)
			shared = max(shared, i.SharedSize)
		}
	}
	for _, v := range usage.Volumes.Items {
		if v.Labels[LabelOwner] != ownerValue {
			continue
		}
		h := Holding{Kind: "volume", Name: v.Name, id: v.Name}
		if v.UsageData != nil {
			h.Size = max(0, v.UsageData.Size)
		}
		held = append(held, h)
		total += h.Size
	}
	return held, total + shared, nil
}

// Drop removes a holding.
func (e *Engine) Drop(ctx context.Context, h Holding) error {
	var err error
	if h.Kind == "image" {
		_, err = e.ImageRemove(ctx, h.id, client.ImageRemoveOptions{Force: true, PruneChildren: true})
	} else {
		_, err = e.VolumeRemove(ctx, h.id, client.VolumeRemoveOptions{})
	}
	if err != nil {
		return explain(fmt.Errorf("%s %s: %w", h.Kind, h.Name, err))
	}
	return nil
}
