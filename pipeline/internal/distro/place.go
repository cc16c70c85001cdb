package distro

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"github.com/tcapflow/tcapflow/pipeline/internal/engine"
	"github.com/tcapflow/tcapflow/pipeline/internal/fault"
	"github.com/tcapflow/tcapflow/pipeline/internal/host"
	"github.com/tcapflow/tcapflow/pipeline/internal/image"
	"github.com/tcapflow/tcapflow/spec"
)

// tools is the folder of what a test puts into a container beside the package.
const tools = "/packed-test/"

// nobody is who runs the program where an image does not say.
const nobody = "65534:65534"

// place is a running container in which the package is installed.
type place struct {
	container *engine.Container
	engine    *engine.Engine
	spec      engine.Spec // of the container
	image     string
	packing   string
	foreign   bool
	program   []string // what runs the program: qemu-user if need be, then its path
	user      string   // who runs it
	version   string   // what the package says it is

	loaded  string        // an image that goes when the container goes
	content []engine.Copy // what is in it beside the image
	others  []*place      // peers, which go with it
}

// open starts the container of a cell and installs the package in it. The place is to be
// closed, also after an error.
func (r *runner) open(ctx context.Context, c cell) (*place, error) {
	p := &place{engine: r.engine, user: nobody, packing: c.packing, foreign: c.foreign}
	var err error
	switch c.packing {
	case "image":
		err = r.openPacked(ctx, c, p)
	case "deb":
		err = r.openDebian(ctx, c, p)
	default:
		err = r.openImage(ctx, c, p)
	}
	if err == nil && c.foreign {
		p.program = append([]string{tools + "qemu-" + c.target.QEMU}, p.program...)
	}
	return p, err
}

// close removes the container and what was loaded for it, also when ctx is cancelled.
func (p *place) close(ctx context.Context) {
	for _, peer := range p.others {
		peer.close(ctx)
	}
	if p.container != nil {
		p.container.Remove(ctx)
	}
	if p.loaded != "" {
		untag(ctx, p.engine, p.loaded)
	}
}

// openPacked runs a packed image. It has no program of its own that could hold the
// container, so ours does; what is tested is the image's own entry point, as its own user.
func (r *runner) openPacked(ctx context.Context, c cell, p *place) error {
	img, config, err := r.dist.image(c.distro.Packed, c.target)
	if err != nil {
		return err
	}
	digest, err := img.ConfigName()
	if err != nil {
		return err
	}
	if p.program = config.Entrypoint; len(p.program) == 0 {
		return errors.New("the image has no entry point")
	}
	if p.user = config.User; slices.Contains([]string{"", "0", "root"}, strings.Split(p.user, ":")[0]) {
		return fmt.Errorf("the image runs its program as root (user %q)", p.user)
	}
	p.version = config.Labels[versionLabel]
	p.image = r.engine.Tag("packed", digest.Hex[:24]+"-"+filepath.Base(r.dir)) // this run's alone
	p.loaded = p.image
	if err := image.LoadImage(ctx, r.engine, p.image, img); err != nil {
		return err
	}
	return r.start(ctx, c, p)
}

// openDebian installs the .deb with dpkg. For a foreign architecture that is added to a
// native root first, as a user of multiarch does: maintainer scripts are run by the
// root's own shell, and only the program itself needs an emulator.
func (r *runner) openDebian(ctx context.Context, c cell, p *place) error {
	deb, err := r.dist.file(c.target, "deb")
	if err != nil {
		return err
	}
	if p.image, err = r.root(ctx, root{c.distro, r.system(c)}); err != nil {
		return err
	}
	if err := r.start(ctx, c, p); err != nil {
		return err
	}
	if err := p.putFiles(ctx, map[string]string{"package.deb": deb}); err != nil {
		return err
	}
	file := tools + "package.deb"
	install := "dpkg -i " + file + " >&2\ndpkg-deb -f " + file + " Version\ncommand -v " + r.Project.Name + " || true"
	if c.foreign {
		install = "dpkg --add-architecture " + c.target.Debian + "\n" + install
	}
	said, err := p.script(ctx, install)
	if err != nil {
		return fmt.Errorf("install: %w", err)
	}
	version, installed, _ := strings.Cut(strings.TrimSpace(said), "\n")
	if installed == "" {
		return fmt.Errorf("the package puts no %s into PATH", r.Project.Name)
	}
	p.version = strings.ReplaceAll(version, "~", "-") // 1.0.0~rc.1 sorts before 1.0.0, deb-version(7)
	p.program = []string{installed}
	return nil
}

// openImage unpacks the archive in a distribution's image.
func (r *runner) openImage(ctx context.Context, c cell, p *place) error {
	archive, err := r.dist.file(c.target, "tar.gz")
	if err != nil {
		return err
	}
	_, config, err := r.dist.image("scratch", c.target) // of the same release: an archive does not say its version
	if err != nil {
		return err
	}
	p.version = config.Labels[versionLabel]
	if p.image, err = r.pulled(ctx, c.distro.Image, r.system(c)); err != nil {
		return err
	}
	if err := r.start(ctx, c, p); err != nil {
		return err
	}
	f, err := os.Open(archive)
	if err != nil {
		return err
	}
	defer f.Close()
	unzipped, err := gzip.NewReader(f)
	if err != nil {
		return fmt.Errorf("%s: %w", archive, err)
	}
	var content bytes.Buffer
	name, err := findProgram(io.TeeReader(unzipped, &content), r.Project.Name)
	if err != nil {
		return fmt.Errorf("%s: %w", archive, err)
	}
	p.program = []string{"/opt/" + name}
	return p.install(ctx, content.Bytes())
}

// install unpacks an archive, also in the containers of peers.
func (p *place) install(ctx context.Context, archive []byte) error {
	opt := engine.Copy{Dir: "/opt", Write: func(w io.Writer) error {
		_, err := w.Write(archive)
		return err
	}}
	p.content = append(p.content, opt)
	return p.container.Put(ctx, opt)
}

// findProgram reads a tar stream to its end and returns the path of the program in it.
func findProgram(stream io.Reader, program string) (string, error) {
	found := ""
	for entries := tar.NewReader(stream); ; {
		h, err := entries.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return "", err
		}
		if path.Base(h.Name) == program && h.Typeflag == tar.TypeReg && h.Mode&0o111 != 0 {
			found = path.Clean(h.Name)
		}
	}
	if found == "" {
		return "", fmt.Errorf("no program %s in it", program)
	}
	_, err := io.Copy(io.Discard, stream)
	return found, err
}

// start starts the container of a place: no network, and a main process that does nothing.
// Its root has one capability: to capture. Installing a package needs none.
func (r *runner) start(ctx context.Context, c cell, p *place) error {
	files := map[string]string{"helper": r.helper}
	if c.foreign {
		emulator, err := r.emulator(ctx, c.target)
		if err != nil {
			return err
		}
		files["qemu-"+c.target.QEMU] = emulator
	}
	p.content = []engine.Copy{tarFiles(files)}
	p.spec = engine.Spec{Image: p.image, User: "0:0", Caps: []string{"NET_RAW"},
		Entrypoint: []string{tools + "helper"}, Cmd: []string{"hold"}}
	s := p.spec
	s.Before = p.content
	var err error
	p.container, err = r.engine.Start(ctx, s)
	return err
}

// system is the target whose system is below a cell's program: its own, or, where the
// engine's kernel does not run that, the engine's. A foreign system is never set up: its
// maintainer scripts would be foreign programs, too.
func (r *runner) system(c cell) spec.Target {
	if c.foreign {
		return r.Project.Targets.OfArch(r.engine.Arch)
	}
	return c.target
}

// putFiles copies files of the host into the folder of our tools.
func (p *place) putFiles(ctx context.Context, files map[string]string) error {
	return p.container.Put(ctx, tarFiles(files))
}

// tarFiles copies files of the host, by their names in the folder of our tools.
func tarFiles(files map[string]string) engine.Copy {
	return engine.Copy{Dir: "/", Write: func(w io.Writer) error {
		t := tar.NewWriter(w)
		for name, from := range files {
			if err := addFile(t, strings.TrimPrefix(tools, "/")+name, from, 0o755); err != nil {
				return err
			}
		}
		return t.Close()
	}}
}

// tarFS copies a file system into a folder of the container.
func tarFS(below string, files fs.FS) engine.Copy {
	return engine.Copy{Dir: "/", Write: func(w io.Writer) error {
		t := tar.NewWriter(w)
		err := fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			text, err := fs.ReadFile(files, name)
			if err != nil {
				return err
			}
			name = path.Join(strings.TrimPrefix(below, "/"), name)
			h := &tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o644, Size: int64(len(text))}
			if err := t.WriteHeader(h); err != nil {
				return err
			}
			_, err = t.Write(text)
			return err
		})
		if err != nil {
			return err
		}
		return t.Close()
	}}
}

// script runs a shell script as root and returns what it wrote to standard output.
func (p *place) script(ctx context.Context, script string) (string, error) {
	var stdout, all bytes.Buffer
	code, err := p.container.Exec(ctx, engine.Command{Args: []string{"sh", "-ec", script}, User: "0:0",
		Env: []string{"DEBIAN_FRONTEND=noninteractive", "LC_ALL=C"}, Stdout: io.MultiWriter(&stdout, &all), Stderr: &all})
	if err == nil && code != 0 {
		err = fmt.Errorf("exit status %d:\n%s", code, fault.Tail(all.String(), 10))
	}
	return stdout.String(), err
}

// buildHelper compiles the program that is put into containers.
func buildHelper(ctx context.Context, arch, dir string) (string, error) {
	out := filepath.Join(dir, "helper")
	source := reflect.TypeFor[Options]().PkgPath() + "/helper"
	env := []string{"CGO_ENABLED=0", "GOOS=linux", "GOARCH=" + arch}
	if _, err := host.Go(ctx, ".", env, "build", "-ldflags=-s -w", "-o", out, source); err != nil {
		return "", fmt.Errorf("%s: %w", source, err)
	}
	return out, nil
}
