package pipeline

import (
	"bufio"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tcapflow/tcapflow/pipeline/internal/options"
	"github.com/tcapflow/tcapflow/spec"
)

// TestDev builds, sees a change that does not compile, sees it mended, and ends when it is told.
func TestDev(t *testing.T) {
	root := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("go.mod", "module example.com/dev\n\ngo 1.26\n\ntoolchain go1.26.8\n")
	write("main.go", "package main\n\nfunc main() {}\n")
	lines, w := io.Pipe()
	p := &Pipeline{project: spec.Project{Name: "dev", Main: "."}, stdout: w, stderr: io.Discard,
		o: options.Options{Root: root, Out: filepath.Join(root, "out")}}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- p.Dev(ctx); w.Close() }()
	said := bufio.NewScanner(lines)
	await := func(text string) {
		t.Helper()
		for said.Scan() {
			if strings.Contains(said.Text(), text) {
				return
			}
		}
		t.Fatalf("%q is never said", text)
	}
	await("built in")
	if _, err := os.Stat(filepath.Join(root, "out/dev/dev")); err != nil {
		t.Error(err)
	}
	write("main.go", "package main\n\nfunc main() { missing() }\n")
	await("undefined: missing")
	write("main.go", "package main\n\nfunc main() { println() }\n")
	await("built in")
	cancel()
	go io.Copy(io.Discard, lines)
	if err := <-ended; err != nil {
		t.Errorf("Ctrl-C: %v", err)
	}
}
