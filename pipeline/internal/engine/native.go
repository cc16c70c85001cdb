package engine

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/moby/moby/client"
	"golang.org/x/sync/errgroup"

	"github.com/tcapflow/tcapflow/pipeline/internal/fault"
)

// Natives asks the engine's kernel which architectures it runs itself, as GOARCH: its
// own, and perhaps the 32-bit one of the same CPU, which many kernels are built without.
// Every other one is foreign, also where the kernel hands it to an emulator
// (binfmt_misc): what emulation can do is known, what a host has registered is not.
//
// A program of a hundred bytes is started for each in a container of its own, at once;
// nothing of them is left in the engine.
func (e *Engine) Natives(ctx context.Context) ([]string, error) {
	candidates := probes[e.Arch]
	if len(candidates) == 0 {
		return []string{e.Arch}, nil // the engine itself is such a program
	}
	image := e.Tag("native", e.checkout) // whose lock the caller holds
	defer e.dropProbes(ctx, image)
	if err := e.loadProbes(ctx, image, candidates); err != nil {
		return nil, err
	}
	runs := make([]bool, len(candidates))
	group, groupCtx := errgroup.WithContext(ctx)
	for i, p := range candidates {
		group.Go(func() (err error) {
			runs[i], err = e.runs(groupCtx, image, p)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	var natives []string
	for i, p := range candidates {
		if runs[i] {
			natives = append(natives, p.arch)
		}
	}
	if !slices.Contains(natives, e.Arch) {
		return nil, fault.New(fault.Engine, "see what `docker info` says of its architecture",
			"container engine: it is said to run %s, and does not run a program of that", e.Arch)
	}
	return natives, nil
}

// loadProbes gives the engine an image of the programs alone.
func (e *Engine) loadProbes(ctx context.Context, tag string, probes []probe) error {
	ref, err := name.NewTag(tag)
	if err != nil {
		return err
	}
	files, err := tarProbes(probes)
	if err != nil {
		return err
	}
	img, err := mutate.ConfigFile(empty.Image, &v1.ConfigFile{
		OS: "linux", Architecture: e.Arch, Config: v1.Config{Labels: Labelled("native", nil)}})
	if err == nil {
		img, err = mutate.AppendLayers(img, static.NewLayer(files, types.DockerUncompressedLayer))
	}
	if err != nil {
		return err
	}
	var archive bytes.Buffer
	if err := tarball.Write(ref, img, &archive); err != nil {
		return err
	}
	return e.Load(ctx, tag, func(w io.Writer) error {
		_, err := archive.WriteTo(w)
		return err
	})
}

// tarProbes makes a tar file in which each program has the name of its architecture.
func tarProbes(probes []probe) ([]byte, error) {
	var content bytes.Buffer
	t := tar.NewWriter(&content)
	for _, p := range probes {
		program, err := p.program()
		if err == nil {
			err = t.WriteHeader(&tar.Header{Name: p.arch, Mode: 0o755, Size: int64(len(program))})
		}
		if err == nil {
			_, err = t.Write(program)
		}
		if err != nil {
			return nil, err
		}
	}
	err := t.Close()
	return content.Bytes(), err
}

func (e *Engine) dropProbes(ctx context.Context, image string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanUp)
	defer cancel()
	// What stays is a few hundred bytes, with our label: `mage clean` finds it.
	_, _ = e.ImageRemove(ctx, image, client.ImageRemoveOptions{})
}

// probeWithin bounds a probe, which takes half a second on a slow machine.
const probeWithin = time.Minute

// runs starts a probe and reports whether the kernel ran it itself.
func (e *Engine) runs(ctx context.Context, image string, p probe) (bool, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, probeWithin, fmt.Errorf("no answer within %s", probeWithin))
	defer cancel()
	var output bytes.Buffer
	program := []string{"/" + p.arch}
	variable := e.namespace.Variable("NATIVES")
	c, err := e.Start(ctx, Spec{Image: image, Entrypoint: program, Stdout: io.Discard, Stderr: &output})
	if err != nil {
		return p.verdict(variable, 0, err.Error(), err)
	}
	defer c.Remove(ctx)
	code, err := c.Wait(ctx)
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return p.verdict(variable, code, output.String(), err)
}

// killedBySIGSYS is what engines make of that signal, which is 31 on x86 and ARM, signal(7).
const killedBySIGSYS = 128 + 31

// verdict says what the end of a probe means. That a kernel cannot run a program is
// ENOEXEC, execve(2): an error of the start in the words of crun, a message of the
// container in those of runc. A seccomp profile that does not list an architecture kills
// its programs with SIGSYS, seccomp(2).
func (p probe) verdict(variable string, code int, text string, err error) (bool, error) {
	switch {
	case strings.Contains(strings.ToLower(text), "exec format error"):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("probe of %s: %w", p.arch, err)
	case code == int(p.native):
		return true, nil
	case strings.ContainsRune(p.emulated, rune(code)), code == killedBySIGSYS:
		return false, nil
	}
	return false, fault.New(fault.Engine, "say what it runs, such as "+variable+"="+p.arch,
		"container engine: it cannot be told whether its kernel runs %s: a probe ended with exit status %d %s",
		p.arch, code, strings.TrimSpace(text))
}
