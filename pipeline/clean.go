package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/tcapflow/tcapflow/pipeline/internal/artifact"
	"github.com/tcapflow/tcapflow/pipeline/internal/cache"
	"github.com/tcapflow/tcapflow/pipeline/internal/engine"
	"github.com/tcapflow/tcapflow/pipeline/internal/fault"
	"github.com/tcapflow/tcapflow/spec"
)

// Clean shows what we have in the engine and on disk with its size, and frees what is of
// this checkout.
func (p *Pipeline) Clean(ctx context.Context) error {
	unlock, err := p.lock(ctx, func(format string, args ...any) { fmt.Fprintf(p.stdout, format+"\n", args...) })
	if err != nil {
		return err
	}
	defer unlock()
	total, err := p.cleanEngine(ctx)
	noEngine := err // the folders go all the same
	folders, err := p.cleanFolders()
	if err != nil {
		return err
	}
	total += folders
	verb := "freed"
	if p.o.Show {
		verb = "would be freed"
	}
	line(p.stdout, total, verb)
	return noEngine
}

// cleanFolders removes what this checkout has on disk, and with All what every checkout has
// in the cache folder. The lock that we hold goes last: whoever waits for it takes a new one.
func (p *Pipeline) cleanFolders() (freed int64, err error) {
	folders := []folder{
		{p.o.Dist, []string{p.o.Dist}, func() error { return os.RemoveAll(p.o.Dist) }},
		{p.o.Out, []string{p.o.Out}, func() error { return artifact.Remove(p.o.Out) }},
	}
	if p.o.All {
		kept, ok, err := cache.Existing(p.o.Cache)
		if err != nil {
			return 0, notOurs(p.project, err)
		}
		if ok {
			paths, err := kept.Entries()
			if err != nil {
				return 0, err
			}
			all := folder{p.o.Cache, paths, func() error { return p.cleanCache(kept) }}
			folders = slices.Insert(folders, 0, all)
		}
	}
	for _, f := range folders {
		size, err := f.clean(p.stdout, p.o.Show)
		if err != nil {
			return freed, err
		}
		freed += size
	}
	return freed, nil
}

func (p *Pipeline) cleanCache(kept cache.Folder) error {
	left, err := kept.Remove()
	if left != nil {
		fmt.Fprintf(p.stdout, "%s stays, with what is not ours: %s\n", p.o.Cache, strings.Join(left, ", "))
	}
	return err
}

// notOurs is the error of a cache folder that cannot be used.
func notOurs(project spec.Project, err error) error {
	variable := project.Namespace.Variable("CACHE")
	next := "name another cache folder with " + variable
	if errors.Is(err, cache.ErrNotOurs) {
		next = "name a folder of its own with " + variable + "; it is made when it is needed"
	}
	return fault.New(fault.Usage, next, "%w", err)
}

// folder is something on disk that goes as a whole.
type folder struct {
	name   string
	paths  []string // that are measured
	remove func() error
}

func (f folder) clean(w io.Writer, show bool) (size int64, err error) {
	for _, path := range f.paths {
		part, err := folderSize(path)
		if err != nil {
			return 0, err
		}
		size += part
	}
	if size > 0 {
		line(w, size, "folder "+f.name)
	}
	if show {
		return size, nil
	}
	return size, f.remove()
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
func (p *Pipeline) cleanEngine(ctx context.Context) (freed int64, err error) {
	e, err := p.connect(ctx)
	if err != nil {
		return 0, err
	}
	defer e.Close()
	if !p.o.Show {
		if _, err := e.Sweep(ctx); err != nil {
			return 0, err
		}
	}
	held, total, err := e.Holdings(ctx)
	if err != nil {
		return 0, err
	}
	for _, h := range held {
		gone, err := p.take(ctx, e, h)
		if err != nil {
			return freed, err
		}
		if gone {
			freed += h.Size
		}
		line(p.stdout, h.Size, h.Kind+" "+h.Name+about(h, gone))
	}
	if p.o.Show {
		line(p.stdout, total, fmt.Sprintf("in the engine, layers that images share counted once; "+
			"builds keep it below %.1f MB (%s)", float64(p.o.Keep)/1e6, p.project.Namespace.Variable("ENGINE_CACHE")))
		return freed, nil
	}
	return freed, e.Forget(ctx, p.o.All)
}

// take removes a holding if it is one to remove. gone is whether it went, or would.
func (p *Pipeline) take(ctx context.Context, e *engine.Engine, h engine.Holding) (gone bool, err error) {
	switch {
	case h.More && !p.o.All:
		return false, nil
	case p.o.Show:
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
