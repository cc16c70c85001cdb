package source

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tcapflow/tcapflow/pipeline/internal/fault"
	"github.com/tcapflow/tcapflow/pipeline/internal/host"
)

func TestMain(m *testing.M) {
	// Nothing of the user's git: identity, hooks, ignored files, signing.
	for name, value := range map[string]string{
		"TZ": "JST-9", "GIT_CONFIG_GLOBAL": os.DevNull, "GIT_CONFIG_SYSTEM": os.DevNull,
		"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@example", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@example",
		"GIT_AUTHOR_DATE": "2026-03-04T05:06:07+02:00", "GIT_COMMITTER_DATE": "2026-03-04T05:06:07+02:00",
	} {
		os.Setenv(name, value)
	}
	for _, name := range host.OfRepository {
		os.Unsetenv(name)
	}
	os.Exit(m.Run())
}

// checkout is a folder with a git repository.
type checkout struct {
	t    *testing.T
	root string
}

func newCheckout(t *testing.T) checkout {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip(err)
	}
	c := checkout{t, filepath.Join(t.TempDir(), "repo")}
	if err := os.Mkdir(c.root, 0o755); err != nil {
		t.Fatal(err)
	}
	c.git("init", "-q", "-b", "main")
	return c
}

func (c checkout) git(args ...string) string {
	c.t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = c.root
	out, err := cmd.CombinedOutput()
	if err != nil {
		c.t.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

func (c checkout) write(name, text string, mode os.FileMode) {
	c.t.Helper()
	file := filepath.Join(c.root, name)
	if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte(text), mode), os.Chmod(file, mode)); err != nil {
		c.t.Fatal(err)
	}
}

func (c checkout) commit(name string) {
	c.t.Helper()
	c.write(name, name, 0o644)
	c.git("add", "-A")
	c.git("commit", "-q", "-m", name)
}

func (c checkout) read() Tree {
	c.t.Helper()
	tree, err := Read(c.t.Context(), c.root)
	if err != nil {
		c.t.Fatal(err)
	}
	return tree
}

func (c checkout) same(files ...string) {
	c.t.Helper()
	if got := c.read().Files; !slices.Equal(got, files) {
		c.t.Errorf("files %q, want %q", got, files)
	}
}

// version checks version and state; "PSEUDO" stands for the commit's time and the first
// twelve digits of its hash.
func (c checkout) version(version, state string) {
	c.t.Helper()
	v := c.read().Version
	if commit := c.git("rev-parse", "HEAD"); v.Commit != commit || v.Date != "2026-03-04T03:06:07Z" {
		c.t.Errorf("commit %s of %s; git says %s", v.Commit, v.Date, commit)
	}
	if want := strings.ReplaceAll(version, "PSEUDO", "20260304030607-"+v.Commit[:12]); v.Version != want || v.State != state || v.Release() != (state == "") {
		c.t.Errorf("%s (%s), want %s (%s)", v.Version, v.State, want, state)
	}
}

func TestVersion(t *testing.T) {
	c := newCheckout(t)
	c.commit("a")
	c.version("0.0.0-PSEUDO", "no version tag")
	c.git("tag", "latest")
	c.git("tag", "v1")
	c.version("0.0.0-PSEUDO", "no version tag")
	c.git("tag", "v1.2.3")
	c.version("1.2.3", "")
	c.write("a", "changed", 0o644)
	c.version("1.2.3+dirty", "uncommitted changes")
	c.git("checkout", "-q", "a")
	c.write("new", "", 0o644)
	c.version("1.2.3+dirty", "uncommitted changes")
	if err := os.Remove(filepath.Join(c.root, "new")); err != nil {
		t.Fatal(err)
	}
	c.commit("b")
	c.commit("c")
	c.version("1.2.4-0.PSEUDO", "2 commits after v1.2.3")
	c.git("tag", "-a", "-m", "candidate", "v2.0.0-rc.1")
	c.version("2.0.0-rc.1", "")
	c.commit("d")
	c.version("2.0.0-rc.1.0.PSEUDO", "1 commits after v2.0.0-rc.1")
	c.git("tag", "v2.0.0")
	c.version("2.0.0", "")
	c.git("config", "status.showUntrackedFiles", "no")
	c.write("new", "", 0o644)
	c.version("2.0.0+dirty", "uncommitted changes")
}

func TestVersionElsewhere(t *testing.T) {
	c := newCheckout(t)
	c.commit("a")
	c.git("tag", "v1.0.0")
	c.commit("b")
	t.Run("worktree", func(t *testing.T) {
		w := checkout{t, filepath.Join(t.TempDir(), "work")}
		c.git("worktree", "add", "-q", "--detach", w.root, "v1.0.0")
		w.version("1.0.0", "")
		w.same("a")
	})
	t.Run("shallow clone", func(t *testing.T) {
		s := checkout{t, filepath.Join(t.TempDir(), "clone")}
		c.git("clone", "-q", "--depth=1", "file://"+c.root, s.root)
		s.version("0.0.0-PSEUDO", "no version tag")
		s.same("a", "b")
	})
	t.Run("environment of a hook", func(t *testing.T) {
		other := newCheckout(t)
		other.commit("z")
		for name, value := range map[string]string{
			"GIT_DIR": ".git", "GIT_WORK_TREE": ".", "GIT_INDEX_FILE": ".git/index", "GIT_OBJECT_DIRECTORY": ".git/objects", "GIT_PREFIX": "x/",
		} {
			t.Setenv(name, filepath.Join(other.root, value))
		}
		tree, err := Read(t.Context(), c.root)
		if err != nil || tree.State != "1 commits after v1.0.0" || !slices.Equal(tree.Files, []string{"a", "b"}) {
			t.Errorf("%+v, %v", tree, err)
		}
	})
}

func TestNoCommit(t *testing.T) {
	c := newCheckout(t)
	c.write("a", "", 0o644)
	v := c.read().Version
	if v.Release() || v.State != "no commit" || v.Commit != "unknown" || v.Date != "1970-01-01T00:00:00Z" {
		t.Errorf("%+v", v)
	}
	c.same("a")
}

func TestTarball(t *testing.T) {
	c := checkout{t, t.TempDir()}
	for _, name := range []string{"go.mod", "cmd/main.go", "out/x", "dist/y", "cmd/out/z", ".gitignore"} {
		c.write(name, name, 0o644)
	}
	tree := c.read()
	if tree.Release() || tree.State != "no git" || tree.Version.Version != "0.0.0-19700101000000-tarball" {
		t.Errorf("%+v", tree.Version)
	}
	c.same(".gitignore", "cmd/main.go", "cmd/out/z", "go.mod")
}

func TestFiles(t *testing.T) {
	c := newCheckout(t)
	odd := []string{"a b", "new\nline", "tab\t", "é/ü.go", "日本", `"quoted"`, "-dash", "\xff"}
	for _, name := range odd {
		c.write(name, name, 0o644)
	}
	c.write(".gitignore", "*.o\n/out/\n", 0o644)
	c.write("ignored.o", "", 0o644)
	c.write("out/binary", "", 0o755)
	c.commit("kept.o.c")
	c.write("deleted", "", 0o644)
	c.git("add", "-A")
	if err := os.Remove(filepath.Join(c.root, "deleted")); err != nil {
		t.Fatal(err)
	}
	c.write("untracked", "", 0o644)
	if err := os.Symlink("nowhere", filepath.Join(c.root, "link")); err != nil {
		t.Fatal(err)
	}
	want := append(odd, ".gitignore", "kept.o.c", "link", "untracked")
	slices.Sort(want)
	c.same(want...)
}

// The hash depends on names, x bits, links and bytes, and on nothing else.
func TestHash(t *testing.T) {
	c := checkout{t, t.TempDir()}
	c.write("a", "text", 0o644)
	c.write("d/b", "more", 0o755)
	if err := os.Symlink("a", filepath.Join(c.root, "link")); err != nil {
		t.Fatal(err)
	}
	path := func(name string) string { return filepath.Join(c.root, name) }
	first := c.read().Hash
	if !regexp.MustCompile("^[0-9a-f]{64}$").MatchString(first) {
		t.Fatalf("hash %q", first)
	}
	steps := []struct {
		name string
		do   func() error
		same bool
	}{
		{"umask", func() error {
			return errors.Join(os.Chmod(path("a"), 0o600), os.Chmod(path("d/b"), 0o700), os.Chmod(path("d"), 0o700))
		}, true},
		{"time", func() error { return os.Chtimes(path("a"), time.Unix(1, 0), time.Unix(1, 0)) }, true},
		{"empty folder", func() error { return os.Mkdir(path("e"), 0o755) }, true},
		{"byte", func() error { return os.WriteFile(path("a"), []byte("texT"), 0o644) }, false},
		{"x bit", func() error { return os.Chmod(path("a"), 0o755) }, false},
		{"name", func() error { return os.Rename(path("a"), path("a2")) }, false},
		{"link", func() error { return errors.Join(os.Remove(path("link")), os.Symlink("a2", path("link"))) }, false},
		{"file for link", func() error {
			return errors.Join(os.Remove(path("link")), os.WriteFile(path("link"), []byte("a2"), 0o644))
		}, false},
		{"empty file", func() error { return os.WriteFile(path("e/new"), nil, 0o644) }, false},
		{"bytes moved to the next file", func() error {
			return errors.Join(os.WriteFile(path("a2"), []byte("tex"), 0o755), os.WriteFile(path("d/b"), []byte("Tmore"), 0o755))
		}, false},
	}
	for _, s := range steps {
		before := c.read().Hash
		if err := s.do(); err != nil {
			t.Fatal(err)
		}
		if after := c.read().Hash; (before == after) != s.same {
			t.Errorf("%s: same hash: %t", s.name, before == after)
		}
	}
}

func TestTar(t *testing.T) {
	c := checkout{t, t.TempDir()}
	c.write("b/c/run.sh", "#!/bin/sh", 0o700)
	c.write("a", "text", 0o600)
	if err := errors.Join(os.Symlink("../a", filepath.Join(c.root, "b/link")), os.Chtimes(filepath.Join(c.root, "a"), time.Unix(1e9, 0), time.Unix(1e9, 0))); err != nil {
		t.Fatal(err)
	}
	tree := c.read()
	write := func() []byte {
		var text bytes.Buffer
		if err := tree.Tar(&text, 1000); err != nil {
			t.Fatal(err)
		}
		return text.Bytes()
	}
	text := write()
	if !bytes.Equal(text, write()) {
		t.Error("two streams of the same tree differ")
	}
	var got []string
	for r := tar.NewReader(bytes.NewReader(text)); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if h.Uid != 1000 || h.Gid != 1000 || h.Name == "a" && h.ModTime.Unix() != 1e9 {
			t.Errorf("%s: owner %d:%d, time %s", h.Name, h.Uid, h.Gid, h.ModTime)
		}
		got = append(got, fmt.Sprintf("%c %o %s%s %s", h.Typeflag, h.Mode, h.Name, h.Linkname, body))
	}
	want := []string{"0 644 a text", "5 755 b/ ", "5 755 b/c/ ", "0 755 b/c/run.sh #!/bin/sh", "2 644 b/link../a "}
	if !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}

// What is written is what was hashed: the key and the version of a binary are of its bytes.
func TestTarOfAnEditedTree(t *testing.T) {
	for name, edit := range map[string]func(string) error{
		"other bytes":    func(a string) error { return os.WriteFile(a, []byte("tex2"), 0o644) },
		"longer":         func(a string) error { return os.WriteFile(a, []byte("text and more"), 0o644) },
		"shorter":        func(a string) error { return os.WriteFile(a, nil, 0o644) },
		"x bit":          func(a string) error { return os.Chmod(a, 0o755) },
		"gone":           os.Remove,
		"link for file":  func(a string) error { return errors.Join(os.Remove(a), os.Symlink("b", a)) },
		"folder for one": func(a string) error { return errors.Join(os.Remove(a), os.Mkdir(a, 0o755)) },
	} {
		t.Run(name, func(t *testing.T) {
			c := checkout{t, t.TempDir()}
			c.write("a", "text", 0o644)
			c.write("b", "more", 0o644)
			tree := c.read()
			if err := tree.Tar(io.Discard, 0); err != nil {
				t.Fatal(err)
			}
			if err := edit(filepath.Join(c.root, "a")); err != nil {
				t.Fatal(err)
			}
			var f *fault.Error
			if err := tree.Tar(io.Discard, 0); !errors.As(err, &f) || err.Error() != "a changed while it was read\n  next: "+f.Next {
				t.Errorf("got %v", err)
			}
		})
	}
}

// A file that grows or shrinks while it is read: its header went out with another size.
func TestEntryThatGrows(t *testing.T) {
	for _, text := range []string{"text and more", "te"} {
		c := checkout{t, t.TempDir()}
		c.write("a", "text", 0o644)
		tree := c.read()
		e, err := tree.entry("a")
		if err != nil {
			t.Fatal(err)
		}
		c.write("a", text, 0o644)
		sum, err := e.copyTo(io.Discard)
		if err != nil || sum == tree.digests["a"] {
			t.Errorf("%q passes for what was hashed (%v)", text, err)
		}
	}
}

func TestGitRefuses(t *testing.T) {
	c := newCheckout(t)
	c.commit("a")
	refused := func(t *testing.T, words ...string) {
		t.Helper()
		_, err := Read(t.Context(), c.root)
		var f *fault.Error
		if !errors.As(err, &f) || f.Code != fault.Usage {
			t.Fatalf("got %v", err)
		}
		for _, w := range append(words, c.root) {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%q does not say %q", err, w)
			}
		}
	}
	t.Run("dubious ownership", func(t *testing.T) {
		t.Setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1") // git's own test switch
		refused(t, "dubious ownership", "next: ", "git config --global --add safe.directory")
		// What the next step asks for, as CI gives it, helps.
		t.Setenv("GIT_CONFIG_COUNT", "1")
		t.Setenv("GIT_CONFIG_KEY_0", "safe.directory")
		t.Setenv("GIT_CONFIG_VALUE_0", "*")
		if _, err := exec.Command("git", "-C", c.root, "status").Output(); err != nil {
			t.Skipf("this git reads safe.directory from files alone: %v", err)
		}
		if _, err := Read(t.Context(), c.root); err != nil {
			t.Error(err)
		}
	})
	t.Run("damaged", func(t *testing.T) {
		head := filepath.Join(c.root, ".git", "HEAD")
		text, err := os.ReadFile(head)
		if err != nil {
			t.Fatal(err)
		}
		defer os.WriteFile(head, text, 0o644)
		if err := os.WriteFile(head, []byte("nonsense"), 0o644); err != nil {
			t.Fatal(err)
		}
		refused(t, "next: see what `git status` says")
	})
	t.Run("no git", func(t *testing.T) {
		t.Setenv("PATH", t.TempDir())
		refused(t, "next: install git")
	})
	t.Run("cancelled", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := Read(ctx, c.root); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
}

// Submodules that are checked out are built, and none is passed over in silence.
func TestSubmodules(t *testing.T) {
	t.Setenv("GIT_CONFIG_COUNT", "1") // git clones no local path as a submodule by itself
	t.Setenv("GIT_CONFIG_KEY_0", "protocol.file.allow")
	t.Setenv("GIT_CONFIG_VALUE_0", "always")
	inner := newCheckout(t)
	inner.commit("deep")
	lib := newCheckout(t)
	lib.commit("lib.go")
	lib.git("submodule", "add", "-q", inner.root, "inner")
	lib.commit("more.go")
	c := newCheckout(t)
	c.commit("a")
	c.git("submodule", "add", "-q", lib.root, "third/lib")
	c.commit("b")
	c.git("tag", "v1.0.0")

	c.same(".gitmodules", "a", "b", "third/lib/.gitmodules", "third/lib/lib.go", "third/lib/more.go")
	c.passed("third/lib/inner is a submodule that is not checked out: git submodule update --init")
	c.git("submodule", "update", "-q", "--init", "--recursive")
	c.same(".gitmodules", "a", "b", "third/lib/.gitmodules", "third/lib/inner/deep", "third/lib/lib.go", "third/lib/more.go")
	c.passed()
	c.version("1.0.0", "")

	before := c.read().Hash
	c.git("config", "-f", ".gitmodules", "submodule.third/lib.ignore", "all")
	c.commit("ignored")
	c.git("tag", "v1.0.1")
	c.write("third/lib/inner/deep", "edited", 0o644)
	c.version("1.0.1+dirty", "uncommitted changes")
	if c.read().Hash == before {
		t.Error("an edit in a submodule does not change the hash")
	}
}

func TestRepositoryOfItsOwn(t *testing.T) {
	c := newCheckout(t)
	c.commit("a")
	other := checkout{t, filepath.Join(c.root, "clone")}
	if err := os.Mkdir(other.root, 0o755); err != nil {
		t.Fatal(err)
	}
	other.git("init", "-q", "-b", "main")
	other.commit("x")
	c.same("a")
	c.passed("clone is a git repository of its own, and is not built")
}

func (c checkout) passed(want ...string) {
	c.t.Helper()
	if got := c.read().Passed; !slices.Equal(got, want) {
		c.t.Errorf("passed %q, want %q", got, want)
	}
}
