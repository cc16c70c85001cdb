//go:build linux

package doctor

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// built is the folder of programs that tests share, each made once.
var built string

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == noexecChild {
		os.Exit(inNoexec(os.Args[2]))
	}
	dir, err := os.MkdirTemp("", "doctor")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	built = dir
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

var made sync.Map // path → func() error

func once(t *testing.T, path string, build func() error) string {
	t.Helper()
	f, _ := made.LoadOrStore(path, sync.OnceValue(build))
	if err := f.(func() error)(); err != nil {
		t.Fatal(err)
	}
	return path
}

// c compiles C with the host's gcc. Words of args that begin with "@" are fixtures' names.
func c(t *testing.T, name, source, args string) string {
	t.Helper()
	if _, err := exec.LookPath("gcc"); err != nil {
		t.Skip("skipped: gcc is not installed")
	}
	out := filepath.Join(built, name)
	return once(t, out, func() error {
		src := out + ".c"
		if err := errors.Join(os.MkdirAll(filepath.Dir(out), 0o755), os.WriteFile(src, []byte(source),
			0o644)); err != nil {
			return err
		}
		words := append([]string{"-w", "-o", out, src}, strings.Fields(strings.ReplaceAll(args, "@",
			built+"/"))...)
		if text, err := exec.Command("gcc", words...).CombinedOutput(); err != nil {
			return fmt.Errorf("gcc %s: %w\n%s", args, err, text)
		}
		return nil
	})
}

// golang compiles a Go program; files are by path, env is as "NAME=value".
func golang(t *testing.T, name string, files map[string]string, flags, env string) string {
	t.Helper()
	dir := filepath.Join(built, "src-"+name)
	out := filepath.Join(built, name)
	return once(t, out, func() error {
		files["go.mod"] = "module example.com/fixture\n\ngo 1.26\n"
		for file, text := range files {
			file = filepath.Join(dir, file)
			if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte(text),
				0o644)); err != nil {
				return err
			}
		}
		cmd := exec.Command("go", append(append([]string{"build"}, strings.Fields(flags)...), "-trimpath",
			"-o", out, ".")...)
		cmd.Dir = dir
		cmd.Env = append(append(os.Environ(), "GOFLAGS=", "GOWORK=off", "GOOS=linux"), strings.Fields(env)...)
		if text, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("go build %s: %w\n%s", flags, err, text)
		}
		return nil
	})
}

// file is something in a root: a copy of a file, a text, or a link.
type file struct {
	from, text, link string
	mode             fs.FileMode // 0: 0755
	uid              int
}

// tree is a root by path.
type tree map[string]file

// write makes it a folder, for chroot(2).
func (files tree) write(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	if err := os.Chmod(root, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, f := range files {
		at := filepath.Join(root, name)
		err := os.MkdirAll(filepath.Dir(at), 0o755)
		switch {
		case err != nil:
		case f.link != "":
			err = os.Symlink(f.link, at)
		default:
			err = os.WriteFile(at, f.bytes(t), 0o755)
			err = errors.Join(err, os.Chmod(at, f.perm()))
			if f.uid != 0 {
				err = errors.Join(err, os.Chown(at, f.uid, f.uid))
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func (f file) perm() fs.FileMode {
	if f.mode == 0 {
		return 0o755
	}
	return f.mode
}

func (f file) bytes(t *testing.T) []byte {
	t.Helper()
	if f.from == "" {
		return []byte(f.text)
	}
	b, err := os.ReadFile(f.from)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// image makes it an image with these settings.
func (files tree) image(t *testing.T, config v1.Config) *Image {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for name, f := range files {
		h := &tar.Header{Name: strings.TrimPrefix(name, "/"), Mode: int64(f.perm()), Uid: f.uid, Gid: f.uid,
			Typeflag: tar.TypeReg}
		content := []byte(nil)
		if f.link != "" {
			h.Typeflag, h.Linkname = tar.TypeSymlink, f.link
		} else {
			content = f.bytes(t)
			h.Size = int64(len(content))
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(content); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser,
		error) {
		return io.NopCloser(bytes.NewReader(b.Bytes())), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	img, err := mutate.AppendLayers(empty.Image, layer)
	if err == nil {
		img, err = mutate.ConfigFile(img, &v1.ConfigFile{Architecture: hostArch, OS: "linux", Config: config,
			RootFS: v1.RootFS{Type: "layers"}})
	}
	if err == nil {
		img, err = mutate.AppendLayers(mutate.MediaType(img, "application/vnd.oci.image.manifest.v1+json"))
	}
	if err != nil {
		t.Fatal(err)
	}
	read, err := ReadImage("fixture", img, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { read.Close() })
	return read
}

// run starts a program in a root as the kernel does, and returns what a user would see.
func run(t *testing.T, root, program string, uid int) (said string, ok bool) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("skipped: only root may chroot, and the fixture is to be run")
	}
	cmd := exec.Command(program)
	cmd.Dir, cmd.Env = "/", []string{"PATH=/bin", "HOME=/"}
	cmd.Path = program
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: root}
	if uid != 0 {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(uid)}
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Sprintf("%s%v", out, err), false
	}
	return string(out), true
}

// glibc are the host's own C library and loader, as files of a root.
func glibc(t *testing.T) tree {
	t.Helper()
	files := tree{}
	for _, name := range []string{"/lib64/ld-linux-x86-64.so.2", "/lib/x86_64-linux-gnu/libc.so.6"} {
		real, err := filepath.EvalSymlinks(name)
		if err != nil {
			t.Skipf("skipped: this machine is no Debian or Ubuntu on amd64: %v", err)
		}
		files[name] = file{from: real}
	}
	return files
}

// with adds files.
func (files tree) with(more tree) tree {
	all := tree{}
	for name, f := range files {
		all[name] = f
	}
	for name, f := range more {
		all[path.Clean(name)] = f
	}
	return all
}
