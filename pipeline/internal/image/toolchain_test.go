package image

import (
	"archive/tar"
	"bytes"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tcapflow/tcapflow/pipeline/internal/fault"
)

// A module zip has no modes: programs get theirs back, tests and the commands' sources stay out.
func TestGoTree(t *testing.T) {
	root := t.TempDir()
	for _, name := range []string{
		"VERSION", "bin/go", "pkg/tool/linux_amd64/compile", "pkg/include/textflag.h", "src/fmt/print.go",
		"src/fmt/print_test.go", "src/go/build/testdata/x.go", "src/cmd/go/main.go", "test/x_test.go",
	} {
		file := filepath.Join(root, filepath.FromSlash(name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte(name), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	if err := errors.Join(GoTree(root, "usr/local/go", w), w.Close()); err != nil {
		t.Fatal(err)
	}
	want := map[string]int64{
		"usr/local/go/VERSION": 0o644, "usr/local/go/bin/go": 0o755, "usr/local/go/pkg/tool/linux_amd64/compile": 0o755,
		"usr/local/go/pkg/include/textflag.h": 0o644, "usr/local/go/src/fmt/print.go": 0o644,
	}
	if got := names(t, out.Bytes()); !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// A toolchain that cannot be had is an input that cannot be fetched, in one line.
func TestToolchainFault(t *testing.T) {
	t.Setenv("GOPROXY", "off")
	t.Setenv("GOMODCACHE", t.TempDir())
	_, err := Toolchain{Version: "go1.26.8"}.Fetch(t.Context(), t.TempDir(), "amd64")
	var got *fault.Error
	if !errors.As(err, &got) || got.Code != fault.Fetch || !strings.Contains(got.Next, "GOPROXY") {
		t.Fatalf("got %v", err)
	}
	if line := got.Err.Error(); strings.Contains(line, "\n") || !strings.HasPrefix(line, "golang.org/toolchain@v0.0.1-go1.26.8.linux-amd64: ") {
		t.Errorf("got %q", line)
	}
}
