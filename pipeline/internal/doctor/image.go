package doctor

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// Image is an image that was read: its settings, and its files in a temporary file.
type Image struct {
	Name   string
	config v1.Config
	arch   string
	root   *stored
	spool  *os.File
}

// Close frees the temporary file.
func (i *Image) Close() error { return i.spool.Close() }

// Limits of an image that is read.
const (
	maxEntries = 2 << 20
	maxImage   = 64 << 30 // bytes of all files
)

// OpenImage finds an image at a path: an OCI layout (a folder), or a file of `docker save`.
// Of a layout for several machines that of arch is taken. ok is false where the path is none.
func OpenImage(name, arch string) (img v1.Image, ok bool, err error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, false, nil // a reference, then
	}
	if !info.IsDir() {
		img, err = tarball.ImageFromPath(name, nil)
		return img, true, err
	}
	index, err := layout.ImageIndexFromPath(name)
	if err != nil {
		return nil, true, fmt.Errorf("%s is no OCI layout: %w", name, err)
	}
	img, err = ofIndex(index, arch, 0)
	return img, true, err
}

// ofIndex looks for the image of a machine, also in indexes within the index.
func ofIndex(index v1.ImageIndex, arch string, depth int) (v1.Image, error) {
	manifest, err := index.IndexManifest()
	if err != nil || depth > 4 {
		return nil, errors.Join(err, errors.New("an index without an image"))
	}
	var only v1.Image
	for _, d := range manifest.Manifests {
		switch {
		case d.MediaType.IsIndex():
			inner, err := index.ImageIndex(d.Digest)
			if err != nil {
				return nil, err
			}
			if img, err := ofIndex(inner, arch, depth+1); err == nil {
				return img, nil
			}
		case d.MediaType.IsImage():
			img, err := index.Image(d.Digest)
			if err != nil {
				return nil, err
			}
			if d.Platform == nil || d.Platform.Architecture == arch {
				return img, nil
			}
			only = img
		}
	}
	if only == nil || len(manifest.Manifests) > 1 {
		return nil, fmt.Errorf("no image for %s in it", arch)
	}
	return only, nil
}

// ReadImage reads an image's files. Their bytes go to a file in dir that has no name.
func ReadImage(name string, img v1.Image, dir string) (_ *Image, err error) {
	config, err := img.ConfigFile()
	if err != nil {
		return nil, err
	}
	spool, err := os.CreateTemp(dir, "image-*")
	if err != nil {
		return nil, err
	}
	_ = os.Remove(spool.Name()) // where an open file cannot go, the sweep of the cache takes it
	i := &Image{Name: name, config: config.Config, arch: config.Architecture, root: newStored(), spool: spool}
	files := mutate.Extract(img)
	defer files.Close()
	if err := i.read(tar.NewReader(files)); err != nil {
		spool.Close()
		return nil, fmt.Errorf("image %s: %w", name, err)
	}
	return i, nil
}

func (i *Image) read(in *tar.Reader) error {
	at := int64(0)
	for {
		h, err := in.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if len(i.root.entries) > maxEntries || at > maxImage {
			return errors.New("it is too large to be read")
		}
		e := entry{uid: h.Uid, gid: h.Gid, link: h.Linkname, size: h.Size, mode: h.FileInfo().Mode()}
		_, e.caps = h.PAXRecords["SCHILY.xattr.security.capability"]
		switch h.Typeflag {
		case tar.TypeReg:
			from := at
			n, err := io.Copy(i.spool, in)
			if err != nil {
				return err
			}
			at += n
			e.open = func() (io.ReaderAt, io.Closer, error) {
				return io.NewSectionReader(i.spool, from, n), io.NopCloser(nil), nil
			}
		case tar.TypeLink:
			was, ok := i.root.entries[path.Clean("/"+h.Linkname)]
			if !ok {
				continue
			}
			e = was
		}
		i.root.add(h.Name, e)
	}
}

// There is the place that a container of the image is.
func (i *Image) There() There {
	t := There{Name: "image " + i.Name, Arch: i.arch, root: i.root, env: i.config.Env, image: true}
	t.uid, t.gid, t.user = i.user()
	for port := range i.config.ExposedPorts {
		number, _, _ := strings.Cut(port, "/")
		if n, err := strconv.Atoi(number); err == nil {
			t.ports = append(t.ports, n)
		}
	}
	t.learn()
	return t
}

// user is who runs in it, by number and as the image says it.
func (i *Image) user() (uid, gid int, said string) {
	name, group, _ := strings.Cut(i.config.User, ":")
	if name == "" {
		return 0, 0, "root"
	}
	uid, gid = -1, -1
	for line := range strings.Lines(text(i.root, "/etc/passwd")) {
		f := strings.Split(strings.TrimSpace(line), ":")
		if len(f) > 3 && (f[0] == name || f[2] == name) {
			uid, _ = strconv.Atoi(f[2])
			gid, _ = strconv.Atoi(f[3])
			break
		}
	}
	if n, err := strconv.Atoi(name); err == nil {
		uid = n
	}
	if n, err := strconv.Atoi(group); err == nil {
		gid = n
	}
	return uid, gid, i.config.User
}

// Start is the program that a container of the image starts, as a path; an error is what the
// engine would say.
func (i *Image) Start() (string, error) {
	words := append(append([]string{}, i.config.Entrypoint...), i.config.Cmd...)
	if len(words) == 0 {
		return "", errors.New("the image names no program (ENTRYPOINT, CMD)")
	}
	if path.IsAbs(words[0]) {
		return path.Clean(words[0]), nil
	}
	if strings.Contains(words[0], "/") {
		return path.Join("/", i.config.WorkingDir, words[0]), nil
	}
	return i.find(words[0])
}

// find looks a program up as execvp(3) does.
func (i *Image) find(name string) (string, error) {
	search := "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
	for _, v := range i.config.Env {
		if value, ok := strings.CutPrefix(v, "PATH="); ok {
			search = value
		}
	}
	for _, dir := range filepath.SplitList(search) {
		at := path.Join("/", dir, name)
		if _, e, err := resolve(i.root, at); err == nil && e.mode.IsRegular() && e.mode&0o111 != 0 {
			return at, nil
		}
	}
	return "", fmt.Errorf("%q is in no folder of the image's PATH (%s)", name, search)
}

// File is a program in the image.
func (i *Image) File(name string) (Program, error) { return newProgram(i.root, name) }

// Has tells whether the image has a file of that path.
func (i *Image) Has(name string) bool {
	_, ok := i.root.entry(path.Clean("/" + name))
	return ok && path.IsAbs(name)
}
