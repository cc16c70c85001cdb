package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/moby/moby/client"

	"github.com/tcapflow/tcapflow/internal/pipeline/engine"
	"github.com/tcapflow/tcapflow/internal/pipeline/options"
)

// CleanOptions says how far Clean goes.
type CleanOptions struct {
	Show bool // only say what would go
	All  bool // the download cache and compiled C libraries, too
}

// Clean shows what we have in the engine and on disk with its size, and frees it.
func Clean(ctx context.Context, o options.Options, c CleanOptions, stdout io.Writer) error {
	total, err := cleanEngine(ctx, o, c, stdout)
	noEngine := err // the folders go all the same
	folders := []string{o.Out, o.Dist}
	if c.All {
		folders = append(folders, o.Cache)
	}
	for _, folder := range folders {
		size, err := folderSize(folder)
		if err != nil {
			return err
		}
		if size == 0 {
			continue
		}
		total += size
		line(stdout, size, "folder "+folder)
		if !c.Show {
			if err := os.RemoveAll(folder); err != nil {
				return err
			}
		}
	}
	verb := "freed"
	if c.Show {
		verb = "would be freed"
	}
	line(stdout, total, verb)
	return noEngine
}

func line(w io.Writer, size int64, what string) {
	fmt.Fprintf(w, "%9.1f MB  %s\n", float64(size)/1e6, what)
}

func folderSize(folder string) (size int64, err error) {
	err = filepath.WalkDir(folder, func(_ string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			size += info.Size()
		}
		return err
	})
	return size, err
}

// cleanEngine removes containers, images and volumes that carry our label.
func cleanEngine(ctx context.Context, o options.Options, c CleanOptions, stdout io.Writer) (total int64, err error) {
	e, err := engine.Connect(ctx, o.Root)
	if err != nil {
		return 0, err
	}
	defer e.Close()
	if !c.Show {
		if _, err := e.Sweep(ctx); err != nil {
			return 0, err
		}
	}
	usage, err := e.DiskUsage(ctx, client.DiskUsageOptions{Images: true, Volumes: true, Verbose: true})
	if err != nil {
		return 0, fmt.Errorf("container engine: %w", err)
	}
	var shared int64 // what images have in common counts once
	for _, image := range usage.Images.Items {
		if !engine.IsOurs(image.Labels) {
			continue
		}
		total += image.Size - max(0, image.SharedSize)
		shared = max(shared, image.SharedSize)
		line(stdout, image.Size, "image "+strings.Join(image.RepoTags, " "))
		if !c.Show {
			if _, err := e.ImageRemove(ctx, image.ID, client.ImageRemoveOptions{Force: true, PruneChildren: true}); err != nil {
				return total, fmt.Errorf("image %s: %w", strings.Join(image.RepoTags, " "), err)
			}
		}
	}
	total += shared
	for _, volume := range usage.Volumes.Items {
		if !engine.IsOurs(volume.Labels) {
			continue
		}
		if volume.UsageData != nil {
			total += max(0, volume.UsageData.Size)
			line(stdout, max(0, volume.UsageData.Size), "volume "+volume.Name)
		}
		if !c.Show {
			if _, err := e.VolumeRemove(ctx, volume.Name, client.VolumeRemoveOptions{}); err != nil {
				return total, fmt.Errorf("volume %s: %w", volume.Name, err)
			}
		}
	}
	return total, nil
}
