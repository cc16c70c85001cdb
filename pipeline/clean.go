package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/tcapflow/tcapflow/pipeline/internal/engine"
)

// CleanOptions says how far Clean goes.
type CleanOptions struct {
	Show bool // only say what would go
	All  bool // of every checkout, and the download cache and compiled C libraries, too
}

// Clean shows what we have in the engine and on disk with its size, and frees what is of
// this checkout.
func (p *Pipeline) Clean(ctx context.Context, c CleanOptions) error {
	unlock, err := p.lock(ctx, func(format string, args ...any) { fmt.Fprintf(p.stdout, format+"\n", args...) })
	if err != nil {
		return err
	}
	defer unlock()
	total, err := p.cleanEngine(ctx, c)
	noEngine := err // the folders go all the same
	folders := []string{p.o.Out, p.o.Dist}
	if c.All {
		folders = append(folders, p.o.Cache)
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
		line(p.stdout, size, "folder "+folder)
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
	line(p.stdout, total, verb)
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

// cleanEngine removes containers of this checkout, and the images and volumes that no
// other checkout uses.
func (p *Pipeline) cleanEngine(ctx context.Context, c CleanOptions) (freed int64, err error) {
	e, err := p.connect(ctx)
	if err != nil {
		return 0, err
	}
	defer e.Close()
	if !c.Show {
		if _, err := e.Sweep(ctx); err != nil {
			return 0, err
		}
	}
	held, total, err := e.Holdings(ctx)
	if err != nil {
		return 0, err
	}
	for _, h := range held {
		gone, err := c.take(ctx, e, h)
		if err != nil {
			return freed, err
		}
		if gone {
			freed += h.Size
		}
		line(p.stdout, h.Size, h.Kind+" "+h.Name+about(h, gone))
	}
	if c.Show {
		line(p.stdout, total, fmt.Sprintf("in the engine, layers that images share counted once; "+
			"builds keep it below %.1f MB (%s)", float64(p.o.Keep)/1e6, p.project.Namespace.Variable("ENGINE_CACHE")))
		return freed, nil
	}
	return freed, e.Forget(ctx, c.All)
}

// take removes a holding if it is one to remove. gone is whether it went, or would.
func (c CleanOptions) take(ctx context.Context, e *engine.Engine, h engine.Holding) (gone bool, err error) {
	switch {
	case h.More && !c.All:
		return false, nil
	case c.Show:
		return true, nil
	}
	return e.Drop(ctx, h)
}

// about says when a holding was used last, and why it stays, if it does.
func about(h engine.Holding, gone bool) string {
	text := ""
	if !h.Used.IsZero() {
		text = ", used " + h.Used.Format(time.DateOnly)
	}
	switch {
	case gone:
		return text
	case h.Mine && h.More:
		return text + "; kept: another checkout uses it, too"
	case h.More:
		return text + "; kept: not of this checkout (-all takes it)"
	}
	return text + "; kept: a container uses it"
}
