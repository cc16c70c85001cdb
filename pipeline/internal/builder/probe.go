package builder

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/tcapflow/tcapflow/pipeline/internal/engine"
	"github.com/tcapflow/tcapflow/pipeline/internal/fault"
	"github.com/tcapflow/tcapflow/pipeline/internal/image"
	"github.com/tcapflow/tcapflow/pipeline/internal/plan"
)

const maxHello = 16 << 20 // bytes of a small program; musl's have 0.1 MB

// Probe compiles and links small programs in a container of a builder, several at once.
// result gets each program, or why there is none; calls may come from several goroutines.
// The error is of the engine, or what result has returned.
func Probe(ctx context.Context, e *engine.Engine, b image.Builder, programs []plan.Hello,
	result func(h plan.Hello, binary []byte, failure error) error) (err error) {
	c, err := e.Start(ctx, engine.Spec{Image: b.Ref, Cmd: []string{"sleep", "600"},
		User: image.User, Dir: "/src", Volumes: map[string]string{"/src": ""}})
	if err != nil {
		return err
	}
	defer func() {
		if removing := c.Remove(ctx); err == nil {
			err = removing
		}
	}()
	sources := func(w io.Writer) error { return writeHellos(w, programs) }
	if err := c.Put(ctx, engine.Copy{Dir: "/src", Write: sources}); err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(max(1, e.CPUs))
	for _, h := range programs {
		group.Go(func() error {
			binary, failure := probe(ctx, c, h)
			var f *fault.Error
			if failure != nil && (!errors.As(failure, &f) || f.Code != fault.Failed || f.Next != "") {
				return failure // of the engine, or of its disk
			}
			return result(h, binary, failure)
		})
	}
	return group.Wait()
}

func probe(ctx context.Context, c *engine.Container, h plan.Hello) ([]byte, error) {
	dir := "/src/" + h.Target.Dir()
	cmd := engine.Command{Args: []string{"sh", "-c", h.Script}, Env: h.Env, Dir: dir}
	if err := run(ctx, c, h.Target.Name, cmd); err != nil {
		return nil, err
	}
	return c.GetFile(ctx, dir+"/"+h.Output, maxHello)
}

// writeHellos writes the sources, a folder for each target.
func writeHellos(w io.Writer, programs []plan.Hello) error {
	out := tar.NewWriter(w)
	for _, h := range programs {
		dir := tar.Header{Typeflag: tar.TypeDir, Name: h.Target.Dir() + "/", Mode: 0o755,
			Uid: image.Uid, Gid: image.Uid}
		if err := out.WriteHeader(&dir); err != nil {
			return err
		}
		for _, name := range slices.Sorted(maps.Keys(h.Files)) {
			text := h.Files[name]
			file := tar.Header{Typeflag: tar.TypeReg, Name: dir.Name + name, Mode: 0o644,
				Size: int64(len(text))}
			if err := out.WriteHeader(&file); err != nil {
				return err
			}
			if _, err := io.WriteString(out, text); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	return out.Close()
}
