package source

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/tcapflow/tcapflow/internal/pipeline/fault"
)

// Package is a main package on a platform, as the go command sees it.
type Package struct {
	Main   string // ./cmd/tcapflow-client
	Tags   []string
	GOARCH string
	GOARM  string
}

// Module is a dependency that the go command has verified against go.sum.
type Module struct {
	Path, Version           string
	Info, GoMod, Zip, Error string // files in the module cache
	Sum                     string
}

// Modules returns the modules that supply packages to any of the given builds, sorted,
// downloaded to the host's module cache.
func (t *Tree) Modules(ctx context.Context, builds []Package) ([]Module, error) {
	needed, err := t.needed(ctx, builds)
	if err != nil || len(needed) == 0 {
		return nil, err
	}
	text, err := t.goCommand(ctx, nil, append([]string{"mod", "download", "-json"}, needed...)...)
	if err != nil {
		return nil, err
	}
	var modules []Module
	for d := json.NewDecoder(strings.NewReader(text)); ; {
		var m Module
		if err := d.Decode(&m); errors.Is(err, io.EOF) {
			return modules, nil
		} else if err != nil {
			return nil, err
		}
		if m.Error != "" {
			return nil, fault.New(fault.Fetch, "see that GOPROXY (go env GOPROXY) can be reached", "module %s@%s: %s", m.Path, m.Version, m.Error)
		}
		modules = append(modules, m)
	}
}

// needed lists path@version of the modules; builds may differ by what they import.
func (t *Tree) needed(ctx context.Context, builds []Package) ([]string, error) {
	var mu sync.Mutex
	var all []string
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(4)
	for _, b := range builds {
		group.Go(func() error {
			text, err := t.goCommand(ctx, []string{"GOOS=linux", "GOARCH=" + b.GOARCH, "GOARM=" + b.GOARM, "CGO_ENABLED=1"},
				"list", "-deps", "-tags", strings.Join(b.Tags, ","), "-f", "{{with .Module}}{{if not .Main}}{{.Path}}@{{.Version}}{{end}}{{end}}", b.Main)
			mu.Lock()
			defer mu.Unlock()
			all = append(all, strings.Fields(text)...)
			return err
		})
	}
	err := group.Wait()
	slices.Sort(all)
	return slices.Compact(all), err
}

// goCommand runs the host's go with none of the settings that would change what it
// says: GOFLAGS, GOOS and the like of the user's shell are not for this build.
func (t *Tree) goCommand(ctx context.Context, env []string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = t.Root
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=readonly", "GOWORK=off", "GOOS=", "GOARCH=", "GOARM=", "GOEXPERIMENT=")
	cmd.Env = append(cmd.Env, env...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		return "", &fault.Error{Code: fault.Failed, Err: fmt.Errorf("go %s: %w", args[0], err), Log: stderr.String()}
	}
	return stdout.String(), nil
}

// TarModules writes modules as a file tree that GOPROXY=file:///… reads
// (go.dev/ref/mod#goproxy-protocol).
func TarModules(w io.Writer, modules []Module) error {
	out := tar.NewWriter(w)
	for _, m := range modules {
		for _, file := range []string{m.Info, m.GoMod, m.Zip} {
			// Below cache/download/ the cache has the very layout of a proxy.
			_, rel, ok := strings.Cut(filepath.ToSlash(file), "/cache/download/")
			if !ok {
				return fmt.Errorf("module %s@%s: %s is not in a module cache", m.Path, m.Version, file)
			}
			text, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			if err := out.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: rel, Mode: 0o644, Size: int64(len(text))}); err != nil {
				return err
			}
			if _, err := out.Write(text); err != nil {
				return err
			}
		}
	}
	return out.Close()
}
