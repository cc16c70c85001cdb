package template

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/module"
	"golang.org/x/mod/zip"
)

// proxy is a folder that the go command takes for a module proxy (go.dev/ref/mod#goproxy-protocol).
type proxy struct{ dir string }

// add publishes a checkout as a version of this library, below a prefix such as v0.1.0. The
// version ends in a digest of all files, since Go's module cache keeps a version for ever.
// Some files may have another text than in the checkout, or be new.
func (p proxy) add(t *testing.T, checkout, prefix string, changed map[string]string) (version string) {
	t.Helper()
	files := slices.DeleteFunc(modFiles(t, checkout),
		func(f zip.File) bool { return changed[f.Path()] != "" })
	other := t.TempDir()
	put(t, other, changed)
	for _, name := range slices.Sorted(maps.Keys(changed)) {
		files = append(files, modFile{name, filepath.Join(other, filepath.FromSlash(name))})
	}
	sum := sha256.New()
	for _, f := range files {
		text, err := os.ReadFile(f.(modFile).from)
		must(t, err)
		fmt.Fprintf(sum, "%s %d\n%s", f.Path(), len(text), text)
	}
	version = fmt.Sprintf("%s-test.%x", prefix, sum.Sum(nil)[:6])
	dir := filepath.Join(p.dir, filepath.FromSlash(Library), "@v")
	must(t, os.MkdirAll(dir, 0o755))
	place := filepath.Join(dir, version)
	packed, err := os.Create(place + ".zip")
	must(t, err)
	defer packed.Close()
	must(t, zip.Create(packed, module.Version{Path: Library, Version: version}, files))
	gomod, err := os.ReadFile(filepath.Join(checkout, "go.mod"))
	must(t, err)
	must(t, os.WriteFile(place+".mod", gomod, 0o644))
	info, err := json.Marshal(map[string]any{"Version": version, "Time": time.Now().UTC()})
	must(t, err)
	must(t, os.WriteFile(place+".info", info, 0o644))
	list, err := os.OpenFile(filepath.Join(dir, "list"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	must(t, err)
	defer list.Close()
	_, err = fmt.Fprintln(list, version)
	must(t, err)
	t.Cleanup(func() { forget(t, version) })
	return version
}

// modFile is a file of the library's zip.
type modFile struct{ name, from string }

func (f modFile) Path() string                 { return f.name }
func (f modFile) Lstat() (os.FileInfo, error)  { return os.Lstat(f.from) }
func (f modFile) Open() (io.ReadCloser, error) { return os.Open(f.from) }

// modFiles are what git tracks and what it does not ignore, without other modules.
func modFiles(t *testing.T, checkout string) (files []zip.File) {
	t.Helper()
	list, err := command(t.Context(), checkout, "git", "ls-files", "-z", "--cached", "--others",
		"--exclude-standard")
	if err != nil {
		t.Skipf("skipped: no git checkout, so it is not known what would be published: %v", err)
	}
	names := strings.Split(strings.TrimRight(list, "\x00"), "\x00")
	var modules []string
	for _, name := range names {
		if path.Base(name) == "go.mod" && name != "go.mod" {
			modules = append(modules, path.Dir(name)+"/")
		}
	}
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		other := slices.ContainsFunc(modules, func(dir string) bool { return strings.HasPrefix(name, dir) })
		from := filepath.Join(checkout, filepath.FromSlash(name))
		if info, err := os.Lstat(from); err == nil && info.Mode().IsRegular() && !other {
			files = append(files, modFile{name, from})
		}
	}
	return files
}

// forget removes a version from Go's module cache, where files cannot be written.
func forget(t *testing.T, version string) {
	text, err := exec.Command("go", "env", "GOMODCACHE").Output()
	if err != nil {
		t.Error(err)
		return
	}
	cache := strings.TrimSpace(string(text))
	unpacked := filepath.Join(cache, filepath.FromSlash(Library)+"@"+version)
	err = filepath.WalkDir(unpacked, func(name string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			err = os.Chmod(name, 0o755)
		}
		return err
	})
	if err == nil {
		err = os.RemoveAll(unpacked)
	}
	if err != nil && !os.IsNotExist(err) {
		t.Error(err)
	}
	downloads, err := filepath.Glob(filepath.Join(cache, "cache", "download",
		filepath.FromSlash(Library), "@v", version+".*"))
	if err != nil {
		t.Error(err)
	}
	for _, name := range downloads {
		if err := os.Remove(name); err != nil {
			t.Error(err)
		}
	}
}

// stranger is somebody who has Go, git, and this proxy.
func (p proxy) stranger(t *testing.T) {
	t.Helper()
	others, err := exec.Command("go", "env", "GOPROXY").Output()
	must(t, err)
	t.Setenv("GOPROXY", "file://"+filepath.ToSlash(p.dir)+","+strings.TrimSpace(string(others)))
	t.Setenv("GONOSUMDB", Library)
	t.Setenv("GONOPROXY", "none")
	t.Setenv("GOPRIVATE", "")
	t.Setenv("GOFLAGS", "")
	for _, who := range []string{"AUTHOR", "COMMITTER"} {
		t.Setenv("GIT_"+who+"_NAME", "stranger")
		t.Setenv("GIT_"+who+"_EMAIL", "stranger@localhost")
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
