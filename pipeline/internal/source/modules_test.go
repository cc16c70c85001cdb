package source

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tcapflow/tcapflow/pipeline/internal/fault"
)

// The stream has the layout of a module proxy, wherever the cache lies and whatever the
// module is called.
func TestTarModules(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "cache", "download", "gomod", "cache", "download")
	module := func(path, escaped, version string) Module {
		m := Module{Path: path, Version: version}
		for suffix, to := range map[string]*string{".info": &m.Info, ".mod": &m.GoMod, ".zip": &m.Zip} {
			*to = filepath.Join(dir, escaped, "@v", version+suffix)
			if err := errors.Join(os.MkdirAll(filepath.Dir(*to), 0o755), os.WriteFile(*to, []byte(path+suffix), 0o444)); err != nil {
				t.Fatal(err)
			}
		}
		return m
	}
	modules := []Module{module("example.com/a/v2", "example.com/a/v2", "v2.0.1"), module("example.com/Upper/cache/download/b", "example.com/!upper/cache/download/b", "v0.0.0")}
	var text bytes.Buffer
	if err := TarModules(&text, modules); err != nil {
		t.Fatal(err)
	}
	var got []string
	for r := tar.NewReader(&text); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(r)
		if err != nil || h.Mode != 0o644 {
			t.Errorf("%s: mode %o, %v", h.Name, h.Mode, err)
		}
		got = append(got, h.Name+" "+string(body))
	}
	want := []string{
		"example.com/a/v2/@v/v2.0.1.info example.com/a/v2.info", "example.com/a/v2/@v/v2.0.1.mod example.com/a/v2.mod", "example.com/a/v2/@v/v2.0.1.zip example.com/a/v2.zip",
	}
	for _, suffix := range []string{".info", ".mod", ".zip"} {
		want = append(want, "example.com/!upper/cache/download/b/@v/v0.0.0"+suffix+" example.com/Upper/cache/download/b"+suffix)
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s", strings.Join(got, "\n"))
	}
	modules[0].Zip += ".gone"
	if err := TarModules(io.Discard, modules); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file that is gone: %v", err)
	}
}

// program is a tree whose main package imports one other package.
func program(t *testing.T, imports string) *Tree {
	t.Helper()
	c := checkout{t, t.TempDir()}
	c.write("go.mod", "module example.com/x\n\ngo 1.26\n\nrequire example.com/dependency v1.0.0\n", 0o644)
	c.write("go.sum", "example.com/dependency v1.0.0 h1:e0AEMm1PJ3V6bVZkVWNMcMrZqbHWAGXLrRmQgfXAsOI=\nexample.com/dependency v1.0.0/go.mod h1:e0AEMm1PJ3V6bVZkVWNMcMrZqbHWAGXLrRmQgfXAsOI=\n", 0o644)
	c.write("main.go", "package main\n\nimport _ \""+imports+"\"\n\nfunc main() {}\n", 0o644)
	t.Setenv("GOTOOLCHAIN", "local")
	t.Setenv("GOMODCACHE", t.TempDir())
	t.Setenv("GOPROXY", "off")
	t.Setenv("GOFLAGS", "-mod=mod -tags=other") // the user's, which must not count
	t.Setenv("GOOS", "plan9")
	return &Tree{Root: c.root}
}

func TestModulesErrors(t *testing.T) {
	builds := []Package{{Main: ".", GOARCH: "amd64"}}
	var f *fault.Error
	_, err := program(t, "example.com/dependency").Modules(t.Context(), builds)
	if !errors.As(err, &f) || f.Code != fault.Fetch || !strings.Contains(err.Error(), "GOPROXY") {
		t.Errorf("an empty cache and no proxy: %v", err)
	}
	broken := program(t, "example.com/x/none")
	if err := os.WriteFile(filepath.Join(broken.Root, "go.mod"), []byte("module example.com/x\n\ngo 1.26\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err = broken.Modules(t.Context(), builds)
	if !errors.As(err, &f) || f.Code != fault.Failed || !strings.Contains(err.Error(), "example.com/x/none") {
		t.Errorf("a package that is not there: %v", err)
	}
	modules, err := program(t, "os").Modules(t.Context(), builds)
	if err != nil || len(modules) > 0 {
		t.Errorf("the standard library alone: %v, %v", modules, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := program(t, "os").Modules(ctx, builds); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}
