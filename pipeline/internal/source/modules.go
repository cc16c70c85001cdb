package source

import (
	"archive/tar"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"golang.org/x/mod/module"
	"golang.org/x/sync/errgroup"

	"github.com/tcapflow/tcapflow/pipeline/internal/fault"
	"github.com/tcapflow/tcapflow/pipeline/internal/host"
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
	var modules []Module
	for d := json.NewDecoder(strings.NewReader(text)); ; { // go exits with 1 after it said which module failed
		var m Module
		if decoding := d.Decode(&m); errors.Is(decoding, io.EOF) {
			return modules, err
		} else if decoding != nil {
			return nil, errors.Join(err, decoding)
		}
		if m.Error != "" {
			return nil, fault.New(fault.Fetch, nextProxy, "module %s@%s: %s", m.Path, m.Version, m.Error)
		}
		modules = append(modules, m)
	}
}

const nextProxy = "see that GOPROXY (go env GOPROXY) can be reached, and GOSUMDB with it"

// wantedModule is what is downloaded for a package: its module, or what go.mod replaces that
// by. A folder in its place, "path=>folder", goes in with the sources.
const wantedModule = "{{with .Module}}{{if not .Main}}" +
	"{{$path := .Path}}{{with .Replace}}{{if .Version}}{{.Path}}@{{.Version}}{{else}}{{$path}}=>{{.Path}}{{end}}" +
	"{{else}}{{.Path}}@{{.Version}}{{end}}{{end}}{{end}}"

// needed lists path@version of the modules; builds may differ by what they import.
func (t *Tree) needed(ctx context.Context, builds []Package) ([]string, error) {
	var mu sync.Mutex
	var all []string
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(4)
	for _, b := range builds {
		group.Go(func() error {
			env := []string{"GOOS=linux", "GOARCH=" + b.GOARCH, "GOARM=" + b.GOARM, "CGO_ENABLED=1"}
			text, err := t.goCommand(ctx, env,
				"list", "-deps", "-tags", strings.Join(b.Tags, ","), "-f", wantedModule, b.Main)
			mu.Lock()
			defer mu.Unlock()
			all = append(all, strings.Split(strings.TrimSpace(text), "\n")...)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	slices.Sort(all)
	return withoutFolders(slices.Compact(all))
}

// withoutFolders leaves out modules that lie in the checkout, and refuses one that a package
// of the program needs and that lies outside: the builder does not see it.
func withoutFolders(modules []string) (downloaded []string, err error) {
	for _, m := range modules {
		name, folder, replaced := strings.Cut(m, "=>")
		switch {
		case replaced && !within(filepath.ToSlash(folder)):
			return nil, fault.New(fault.Usage,
				"move it below the checkout, as a folder or a submodule; or replace the module by a version",
				"go.mod replaces %s by %s, which is outside of the checkout: the builder does not see it", name, folder)
		case !replaced && m != "":
			downloaded = append(downloaded, m)
		}
	}
	return downloaded, nil
}

// goCommand returns the output of the host's go, also where it fails.
func (t *Tree) goCommand(ctx context.Context, env []string, args ...string) (string, error) {
	text, err := host.Go(ctx, t.Root, append([]string{"GOFLAGS=-mod=readonly -buildvcs=false"}, env...), args...)
	var said *fault.Error
	if errors.As(err, &said) && unreachable(said.Log) {
		said.Code, said.Next = fault.Fetch, nextProxy
	}
	return text, err
}

// unreachable tells from go's words that a module is not in the cache and could not be fetched.
func unreachable(stderr string) bool {
	for _, words := range []string{`: Get "http`, "dial tcp", "disabled by GOPROXY=off", "reading http"} {
		if strings.Contains(stderr, words) {
			return true
		}
	}
	return false
}

// TarModules writes modules as a file tree that GOPROXY=file:///… reads
// (go.dev/ref/mod#goproxy-protocol).
func TarModules(w io.Writer, modules []Module) error {
	out := tar.NewWriter(w)
	for _, m := range modules {
		escaped, err := module.EscapePath(m.Path)
		if err != nil {
			return err
		}
		for _, file := range []string{m.Info, m.GoMod, m.Zip} {
			text, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			name := escaped + "/@v/" + filepath.Base(file)
			h := tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o644, Size: int64(len(text))}
			if err := out.WriteHeader(&h); err != nil {
				return err
			}
			if _, err := out.Write(text); err != nil {
				return err
			}
		}
	}
	return out.Close()
}
