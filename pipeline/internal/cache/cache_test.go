package cache

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// put makes files, and folders with a file in each, of an age.
func put(t *testing.T, folder string, age time.Duration, names ...string) {
	t.Helper()
	for _, name := range names {
		name = filepath.Join(folder, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte("x"), 0o644); err != nil {
			t.Fatal(err)
		}
		at := time.Now().Add(-age)
		for _, path := range []string{name, filepath.Dir(name)} {
			if path == folder {
				continue
			}
			if err := os.Chtimes(path, at, at); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func entries(t *testing.T, folder string) (names []string) {
	t.Helper()
	list, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range list {
		names = append(names, e.Name())
	}
	return names
}

// A folder of somebody else's, which a variable names by mistake, is refused and stays as it is.
func TestNotOurs(t *testing.T) {
	for name, has := range map[string][]string{
		"home":                 {"thesis.tex", "downloads/song.ogg", "builder-notes/a"},
		"another's cache":      {"CACHEDIR.TAG", "debug/x"},
		"a file, not ours":     {"lock-a.json", "lock-b.txt"},
		"a file named so":      {"libraries/x.tar", "qemu.img"},
		"a work folder's name": {"builder-1/x", "builders/x"},
	} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			put(t, folder, 48*time.Hour, has...)
			before := entries(t, folder)
			if _, err := Open(folder); !errors.Is(err, ErrNotOurs) {
				t.Errorf("Open: %v", err)
			}
			if _, ok, err := Existing(folder); ok || !errors.Is(err, ErrNotOurs) {
				t.Errorf("Existing: %v, %v", ok, err)
			}
			if after := entries(t, folder); !slices.Equal(before, after) {
				t.Errorf("had %q, has %q", before, after)
			}
		})
	}
}

// A cache of an earlier version has no mark, and is taken over.
func TestTakenOver(t *testing.T) {
	folder := t.TempDir()
	put(t, folder, 0, "downloads/sha256/aa", "libraries/x.tar", "lock-0123.json", "builder-1/x", "lost+found/x")
	for range 2 {
		if _, err := Open(folder); err != nil {
			t.Fatal(err)
		}
	}
	if !slices.Contains(entries(t, folder), MarkName) {
		t.Error("no mark")
	}
	put(t, folder, 0, "notes")
	if _, err := Open(folder); err != nil {
		t.Errorf("a marked folder with something else in it: %v", err)
	}
}

func TestNew(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "not", "there")
	if _, ok, err := Existing(folder); ok || err != nil {
		t.Errorf("%v, %v", ok, err)
	}
	f, err := Open(folder)
	if err != nil {
		t.Fatal(err)
	}
	if left, err := f.Remove(); left != nil || err != nil {
		t.Errorf("left %q, %v", left, err)
	}
	if _, err := os.Stat(folder); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the folder is there: %v", err)
	}
}

// Only our own children go, and a folder in which something else lies stays.
func TestRemove(t *testing.T) {
	f, err := Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	folder := string(f)
	put(t, folder, 0, "downloads/sha256/aa", "qemu/1/q", "builder-1/x", "lock-1.json", "notes", "mine/x")
	left, err := f.Remove()
	if want := []string{"mine", "notes"}; err != nil || !slices.Equal(left, want) {
		t.Errorf("left %q, %v; want %q", left, err, want)
	}
	if got, want := entries(t, folder), []string{MarkName, "mine", "notes"}; !slices.Equal(got, want) {
		t.Errorf("there are %q; want %q", got, want)
	}
}

// A link leads out of the folder: it goes, and what it names stays.
func TestRemoveLink(t *testing.T) {
	f, err := Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	elsewhere := t.TempDir()
	put(t, elsewhere, 0, "thesis.tex")
	if err := os.Symlink(elsewhere, f.Downloads()); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Remove(); err != nil {
		t.Fatal(err)
	}
	if got := entries(t, elsewhere); !slices.Equal(got, []string{"thesis.tex"}) {
		t.Errorf("there are %q", got)
	}
}

func TestSweep(t *testing.T) {
	f, err := Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	folder, day := string(f), 25*time.Hour
	put(t, folder, day, "downloads/sha256/.part-1", "libraries/.part-2", "qemu/1/.part-3", ".part-4",
		"builder-1/x", "distro-1/x", "unpacked-1/x", "downloads/sha256/aa", "libraries/a.tar", "lock-1.json", "notes/x", "builders")
	put(t, folder, 31*24*time.Hour, "lock-2.json")
	put(t, folder, time.Hour, "builder-2/x", "libraries/.part-5")
	if err := f.Sweep(time.Now()); err != nil {
		t.Fatal(err)
	}
	want := []string{MarkName, "builder-2", "builders", "downloads", "libraries", "lock-1.json", "notes", "qemu"}
	if got := entries(t, folder); !slices.Equal(got, want) {
		t.Errorf("there are %q; want %q", got, want)
	}
	for at, want := range map[string][]string{"downloads/sha256": {"aa"}, "libraries": {".part-5", "a.tar"}, "qemu/1": nil} {
		if got := entries(t, filepath.Join(folder, at)); !slices.Equal(got, want) {
			t.Errorf("%s has %q; want %q", at, got, want)
		}
	}
}
