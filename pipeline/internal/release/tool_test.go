package release

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

func TestSaysVersion(t *testing.T) {
	const of = "goreleaser: Release engineering, simplified.\nhttps://goreleaser.com\n\n"
	for text, want := range map[string]bool{
		of + "GitVersion:    v2.16.0\nGitCommit:     unknown\n": true, // go install, go tool
		of + "GitVersion:    2.16.0\r\nGitCommit:     abc\r\n":  true, // a released one
		of + "GitVersion:    2.16.0-pro\n":                      false,
		of + "GitVersion:    2.16.01\n":                         false,
		of + "GitVersion:    12.16.0\n":                         false,
		of + "GoVersion:     2.16.0\n":                          false,
		of + "GitVersion: 2.16.0\nGitVersion: 2.17.0\n":         false,
		"goreleaser version 2.16.0":                             false,
		"":                                                      false,
	} {
		if got := saysVersion(text, "2.16.0"); got != want {
			t.Errorf("%v for\n%s", got, text)
		}
	}
}

func TestToolVersion(t *testing.T) {
	version, err := toolVersion("../../..")
	if err != nil || len(version) < len("0.0.0") || version[0] == 'v' {
		t.Errorf("%q, %v", version, err)
	}
	root := t.TempDir()
	must(t, os.Mkdir(filepath.Join(root, "tools"), 0o755))
	must(t, os.WriteFile(filepath.Join(root, "tools", "go.mod"), []byte("module x\n"), 0o644))
	_, err = toolVersion(root)
	wantError(t, err, "go.mod: no "+toolModule, "go get -tool")
}

// The goreleaser of PATH is taken if it is of the version, and not for a locked release.
func TestToolOnPath(t *testing.T) {
	needTools(t)
	root, err := filepath.Abs("../../..")
	must(t, err)
	find := func(locked bool) (string, bool) {
		t.Helper()
		tool := StartTool(t.Context(), root, os.Environ(), locked)
		defer tool.Stop()
		path, err := tool.Path(t.Context())
		must(t, err)
		return path, tool.onPath
	}
	compiled, _ := find(true)
	dir := t.TempDir()
	ours := filepath.Join(dir, "goreleaser")
	must(t, copyFile(compiled, ours))
	t.Setenv("PATH", dir+string(filepath.ListSeparator)+os.Getenv("PATH"))
	if got, onPath := find(false); got != ours || !onPath {
		t.Errorf("found %s (on PATH: %v), want %s", got, onPath, ours)
	}
	if got, onPath := find(true); got != compiled || onPath {
		t.Errorf("locked: found %s (on PATH: %v), want %s", got, onPath, compiled)
	}
	other, err := exec.LookPath("go") // a program of another version
	must(t, err)
	must(t, os.Remove(ours))
	must(t, copyFile(other, ours))
	if got, _ := find(false); got == ours {
		t.Error("the go command was taken for GoReleaser")
	}
}

// A compilation that is stopped ends at once, and leaves neither processes nor files.
func TestToolStops(t *testing.T) {
	needTools(t)
	root, err := filepath.Abs("../../..")
	must(t, err)
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	env := append(os.Environ(), "GOCACHE="+t.TempDir()) // nothing is compiled yet
	tool := StartTool(t.Context(), root, env, true)
	for begun := false; !begun; time.Sleep(10 * time.Millisecond) {
		found, err := filepath.Glob(filepath.Join(temp, "goreleaser-*", "go-build*", "b*"))
		must(t, err)
		begun = len(found) > 0
		select {
		case <-tool.done:
			t.Fatal("it ended by itself: ", tool.err)
		default:
		}
	}
	tool.Stop()
	if _, err := tool.Path(t.Context()); err != context.Canceled {
		t.Errorf("%v, want %v", err, context.Canceled)
	}
	left, err := os.ReadDir(temp)
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// An error is kept for who needs the tool; there is no other sign of it.
func TestToolError(t *testing.T) {
	tool := StartTool(t.Context(), t.TempDir(), os.Environ(), false)
	defer tool.Stop()
	for range 2 {
		_, err := tool.Path(t.Context())
		wantError(t, err, "tools", "go.mod", "no such file")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	waiting := &Tool{done: make(chan struct{})}
	if _, err := waiting.Path(ctx); err != context.Canceled {
		t.Errorf("%v, want %v", err, context.Canceled)
	}
}
