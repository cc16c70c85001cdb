package pipeline

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/tcapflow/tcapflow/pipeline/internal/distro"
)

// Distros runs what dist/ holds where users run it. Where nothing is packed yet, a
// release is made first.
func (p *Pipeline) Distros(ctx context.Context) error {
	matrix := distro.Options{
		Project: p.project, Dist: p.o.Dist, Targets: p.o.Targets,
		Only: p.o.Only, Require: p.o.Require, Natives: p.o.Natives,
		RegistryPrefix: p.o.RegistryPrefix, CacheDir: p.o.Cache, Temp: p.o.Cache,
		Stdout: p.stdout, Stderr: p.stderr, JSON: p.o.JSON,
	}
	if err := matrix.Check(); err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(p.o.Dist, "artifacts.json")); errors.Is(err, fs.ErrNotExist) {
		packing := *p
		packing.stdout = io.Discard
		if err := packing.Release(ctx); err != nil {
			return err
		}
	}
	plain := *p
	plain.o.Live = false // the matrix prints a line for each cell
	r, err := plain.begin(ctx)
	if err != nil {
		return err
	}
	defer r.end()
	matrix.Mirror, matrix.Lock = r.bases.debian.Mirror, r.bases.debian.Lock
	e, err := p.connect(ctx)
	if err != nil {
		return err
	}
	defer e.Close()
	if _, err := e.Sweep(ctx); err != nil {
		return err
	}
	_, err = distro.Run(ctx, e, matrix)
	return err
}
