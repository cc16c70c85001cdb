package pipeline

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/tcapflow/tcapflow/pipeline/internal/bench"
	"github.com/tcapflow/tcapflow/pipeline/internal/debian"
)

// BenchBuild measures Static beside the old way. It begins by freeing what we have in
// the engine, because that is what it measures. It holds the checkout's lock: another run
// would sweep its containers.
func (p *Pipeline) BenchBuild(ctx context.Context) error {
	note := func(format string, args ...any) { fmt.Fprintf(p.stderr, format+"\n", args...) }
	unlock, err := p.lock(ctx, note)
	if err != nil {
		return err
	}
	defer unlock()
	e, err := p.connect(ctx)
	if err != nil {
		return err
	}
	defer e.Close()
	if _, err := e.Sweep(ctx); err != nil {
		return err
	}
	table := p.stdout
	if p.o.JSON {
		table = p.stderr
	}
	lock, err := debian.ParseLock(p.project.Debian.Lock)
	if err != nil {
		return err
	}
	figures, err := bench.Run(ctx, e, bench.Options{
		Root: p.o.Root, Project: p.project, Mirror: debianMirror(p.project.Debian, p.o, lock, note),
		Stdout: table, Stderr: p.stderr,
	})
	if err != nil || !p.o.JSON {
		return err
	}
	return json.NewEncoder(p.stdout).Encode(figures)
}
