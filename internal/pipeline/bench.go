package pipeline

import (
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/tcapflow/tcapflow/build"
	bd "github.com/tcapflow/tcapflow/build/debian"
	"github.com/tcapflow/tcapflow/internal/pipeline/bench"
	"github.com/tcapflow/tcapflow/internal/pipeline/debian"
	"github.com/tcapflow/tcapflow/internal/pipeline/engine"
	"github.com/tcapflow/tcapflow/internal/pipeline/options"
)

// BenchBuild measures Static beside the old way. It begins by freeing what we have in
// the engine, because that is what it measures.
func BenchBuild(ctx context.Context, o options.Options, stdout, stderr io.Writer) error {
	e, err := engine.Connect(ctx, o.Root)
	if err != nil {
		return err
	}
	defer e.Close()
	table := stdout
	if o.JSON {
		table = stderr
	}
	lock, err := debian.ParseLock(bd.Lock)
	if err != nil {
		return err
	}
	note := func(format string, args ...any) { fmt.Fprintf(stderr, format+"\n", args...) }
	figures, err := bench.Run(ctx, e, bench.Options{Root: o.Root, Project: build.TcapflowClient,
		Mirror: debianMirror(o, lock, note), Stdout: table, Stderr: stderr})
	if err != nil || !o.JSON {
		return err
	}
	return json.NewEncoder(stdout).Encode(figures)
}
