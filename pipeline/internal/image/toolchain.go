package image

import (
	"archive/tar"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/tcapflow/tcapflow/pipeline/internal/fault"
	"github.com/tcapflow/tcapflow/pipeline/internal/host"
	"github.com/tcapflow/tcapflow/pipeline/internal/key"
	"github.com/tcapflow/tcapflow/pipeline/internal/layer"
)

// goRecipe says what of a toolchain is in an image, as recipe does of packages.
const goRecipe = "go 1"

// Toolchain is a release of Go, taken through GOPROXY as the module golang.org/toolchain,
// whose sum the go command verifies against the checksum database.
type Toolchain struct {
	Version string // go1.26.8
}

// Fetch returns the folder of the toolchain for an architecture in the module cache. dir
// is any folder outside of a module.
func (t Toolchain) Fetch(ctx context.Context, dir, arch string) (string, error) {
	got, err := t.download(ctx, dir, arch)
	return got.Dir, err
}

// key is the hash of what layer makes.
func (t Toolchain) key(arch string) string { return key.Of(goRecipe, t.Version, arch)[:12] }

// layer fetches the toolchain for an architecture and lays it below /usr/local/go.
func (t Toolchain) layer(ctx context.Context, dir, arch string) (assembled, error) {
	got, err := t.download(ctx, dir, arch)
	if err != nil {
		return assembled{}, err
	}
	l, err := layer.Assemble(ctx, dir, func(w *layer.Writer) error { return GoTree(got.Dir, goInstalled, w) })
	return assembled{layer: l, inputs: []Input{{Name: "go", Version: t.Version, Arch: arch, Sum: got.Sum, Licences: []string{"BSD-3-Clause"}, For: "go"}}}, err
}

// downloaded is what the go command says of a module.
type downloaded struct{ Dir, Sum, Error string }

func (t Toolchain) download(ctx context.Context, dir, arch string) (downloaded, error) {
	module := "golang.org/toolchain@v0.0.1-" + t.Version + ".linux-" + arch
	// Outside of any module: go.mod's excludes and replacements are not for this one.
	stdout, err := host.Go(ctx, dir, []string{"GOTOOLCHAIN=local"}, "mod", "download", "-json", module)
	var got downloaded
	if jsonErr := json.Unmarshal([]byte(stdout), &got); jsonErr != nil || got.Error != "" || err != nil {
		if ctx.Err() != nil {
			return downloaded{}, ctx.Err()
		}
		var said fault.Error
		if failed := (*fault.Error)(nil); errors.As(err, &failed) {
			said = *failed
		}
		cause := errors.New(strings.TrimSpace(got.Error + " " + said.Log))
		return downloaded{}, &fault.Error{Code: fault.Fetch, Err: fmt.Errorf("%s: %w", module, cause),
			Next: "see that GOPROXY (go env GOPROXY) can be reached and has this toolchain"}
	}
	return got, nil
}

// HeaderWriter is a tar.Writer or a layer.Writer.
type HeaderWriter interface {
	WriteHeader(*tar.Header) error
	io.Writer
}

// unread are programs of a toolchain that no build starts.
var unread = []string{"bin/gofmt", "/cover", "/fix", "/vet"}

// GoTree writes a toolchain below a folder, without what a build does not read: its
// tests and the sources of its commands, half of its size. A module zip has no modes and no times;
// programs are what lies in bin/ and pkg/tool/.
func GoTree(root, to string, w HeaderWriter) error {
	return filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		if d.IsDir() {
			if d.Name() == "testdata" || rel == "src/cmd" {
				return filepath.SkipDir
			}
			return nil
		}
		if strings.HasSuffix(rel, "_test.go") || !d.Type().IsRegular() {
			return nil
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		mode := int64(0o644)
		if strings.HasPrefix(rel, "bin/") || strings.HasPrefix(rel, "pkg/tool/") {
			if slices.ContainsFunc(unread, func(program string) bool { return strings.HasSuffix(rel, program) }) {
				return nil
			}
			mode = 0o755
		}
		if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: to + "/" + rel, Mode: mode, Size: info.Size(), ModTime: time.Unix(0, 0)}); err != nil {
			return err
		}
		f, err := os.Open(name)
		if err != nil {
			return err
		}
		defer f.Close()
		_, err = io.Copy(w, f)
		return err
	})
}
