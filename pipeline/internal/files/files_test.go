package files

import (
	"os"
	"path/filepath"
	"testing"
)

func TestWrite(t *testing.T) {
	name := filepath.Join(t.TempDir(), "new", "file")
	for _, text := range []string{"one", "two"} {
		if err := Write(name, []byte(text)); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(name); string(got) != text || err != nil {
			t.Errorf("got %q, %v; want %q", got, err, text)
		}
	}
	info, err := os.Stat(name)
	if err != nil || info.Mode().Perm() != Mode {
		t.Errorf("mode %v, %v; others share the folder", info.Mode(), err)
	}
	onlyEntry(t, filepath.Dir(name), "file")
}

// What is discarded leaves the file as it was, and nothing beside it.
func TestDiscard(t *testing.T) {
	name := filepath.Join(t.TempDir(), "file")
	if err := Write(name, []byte("whole")); err != nil {
		t.Fatal(err)
	}
	p, err := Create(name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.WriteString("ha"); err != nil {
		t.Fatal(err)
	}
	p.Discard()
	if got, err := os.ReadFile(name); string(got) != "whole" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	onlyEntry(t, filepath.Dir(name), "file")
}

// A file that cannot take its name is an error and leaves nothing.
func TestNoPlace(t *testing.T) {
	name := filepath.Join(t.TempDir(), "place")
	if err := os.MkdirAll(filepath.Join(name, "taken"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := Write(name, nil); err == nil {
		t.Error("a folder was replaced by a file")
	}
	onlyEntry(t, filepath.Dir(name), "place")
}

func onlyEntry(t *testing.T, folder, want string) {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil || len(entries) != 1 || entries[0].Name() != want {
		t.Errorf("%s has %v, %v; want %s alone", folder, entries, err, want)
	}
}
