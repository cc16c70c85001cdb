package pipeline

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/tcapflow/tcapflow/build"
	"github.com/tcapflow/tcapflow/internal/pipeline/artifact"
	"github.com/tcapflow/tcapflow/internal/pipeline/distro"
	"github.com/tcapflow/tcapflow/internal/pipeline/engine"
	"github.com/tcapflow/tcapflow/internal/pipeline/options"
	"github.com/tcapflow/tcapflow/internal/pipeline/progress"
)

// DistrosOptions say what of the matrix is run.
type DistrosOptions struct {
	Only    string   // cells whose path matches; empty: all
	Require []string // beginnings of names of distributions that must be had
}

// Distros runs what dist/ holds where users run it. Where nothing is packed yet, a
// release is made first.
func Distros(ctx context.Context, o options.Options, d DistrosOptions, stdout, stderr io.Writer) error {
	run := distro.Options{
		Project: build.TcapflowClient, Dist: o.Dist, Distros: build.Distros, Targets: o.Targets,
		Only: d.Only, Require: d.Require, Natives: o.Natives,
		Capture:        filepath.Join(o.Root, "cmd", "tcapflow-client", "testdata", "dialogues.pcap"),
		RegistryPrefix: o.RegistryPrefix, CacheDir: o.Cache, Temp: o.Cache,
		Stdout: stdout, Stderr: stderr, JSON: o.JSON,
	}
	if err := run.Check(); err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(o.Dist, "artifacts.json")); errors.Is(err, fs.ErrNotExist) {
		if err := Release(ctx, o, false, io.Discard, stderr); err != nil {
			return err
		}
	}
	log := progress.New(stderr, false)
	defer log.Close()
	unlock, err := artifact.Lock(ctx, o.Out, func(holder string) { log.Note("waiting for another run in this checkout (%s)", holder) })
	if err != nil {
		return err
	}
	defer unlock()
	b, err := newBases(o, "", log)
	if err != nil {
		return err
	}
	run.Mirror, run.Lock = b.debian.Mirror, b.debian.Lock
	e, err := engine.Connect(ctx, o.Root)
	if err != nil {
		return err
	}
	defer e.Close()
	if _, err := e.Sweep(ctx); err != nil {
		return err
	}
	_, err = distro.Run(ctx, e, run)
	return err
}
