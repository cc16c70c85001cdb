package doctor

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"time"
)

// maxFile and maxImage bound what is read of an image, bytes.
const (
	maxFile  = 1 << 30
	maxImage = 16 << 30
	maxFiles = 2 << 20
)

// Tree is the root file system of an image: names in memory, contents in one file on disk.
type Tree struct {
	nodes map[string]*node
	data  *os.File
}

type node struct {
	name string
	mode fs.FileMode
	link string
	at   int64
	size int64
	tree *Tree
	kids []string
}

// ReadTree reads a flattened image, as a tar stream. What it holds is kept in a file in
// folder until Close.
func ReadTree(r io.Reader, folder string) (*Tree, error) {
	t := &Tree{nodes: map[string]*node{".": {name: ".", mode: fs.ModeDir | 0o755}}}
	var err error
	if t.data, err = os.CreateTemp(folder, "image-*"); err != nil {
		return nil, err
	}
	if err := t.read(tar.NewReader(r)); err != nil {
		return nil, errors.Join(err, t.Close())
	}
	return t, nil
}

func (t *Tree) read(entries *tar.Reader) error {
	for at := int64(0); ; {
		h, err := entries.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if h.Size > maxFile || at+h.Size > maxImage || len(t.nodes) > maxFiles {
			return fmt.Errorf("the image is too large: %s", h.Name)
		}
		n := &node{name: path.Clean("/" + h.Name)[1:], mode: h.FileInfo().Mode(), at: at, tree: t}
		switch h.Typeflag {
		case tar.TypeSymlink:
			n.link = h.Linkname
		case tar.TypeLink:
			if to := t.nodes[path.Clean("/" + h.Linkname)[1:]]; to != nil {
				n.mode, n.at, n.size = to.mode, to.at, to.size
			}
		case tar.TypeReg:
			if n.size, err = io.Copy(t.data, entries); err != nil {
				return err
			}
			at += n.size
		}
		t.put(n)
	}
}

// put adds a node, and the folders above it.
func (t *Tree) put(n *node) {
	if n.name == "" {
		return
	}
	if _, known := t.nodes[n.name]; !known {
		parent := path.Dir(n.name)
		if t.nodes[parent] == nil {
			t.put(&node{name: parent, mode: fs.ModeDir | 0o755, tree: t})
		}
		t.nodes[parent].kids = append(t.nodes[parent].kids, n.name)
	} else {
		n.kids = t.nodes[n.name].kids
	}
	t.nodes[n.name] = n
}

// Close removes what was kept on disk.
func (t *Tree) Close() error {
	err := t.data.Close()
	return errors.Join(err, os.Remove(t.data.Name()))
}

func (t *Tree) get(op, name string) (*node, error) {
	if n := t.nodes[path.Clean(name)]; n != nil {
		return n, nil
	}
	return nil, &fs.PathError{Op: op, Path: name, Err: fs.ErrNotExist}
}

// Open implements fs.FS. Links are not followed: follow does that.
func (t *Tree) Open(name string) (fs.File, error) {
	n, err := t.get("open", name)
	if err != nil {
		return nil, err
	}
	return &file{n, io.NewSectionReader(t.data, n.at, n.size)}, nil
}

// Lstat implements fs.ReadLinkFS.
func (t *Tree) Lstat(name string) (fs.FileInfo, error) {
	n, err := t.get("lstat", name)
	if err != nil {
		return nil, err
	}
	return n, nil
}

// ReadLink implements fs.ReadLinkFS.
func (t *Tree) ReadLink(name string) (string, error) {
	n, err := t.get("readlink", name)
	if err == nil && n.mode&fs.ModeSymlink == 0 {
		err = &fs.PathError{Op: "readlink", Path: name, Err: fs.ErrInvalid}
	}
	if err != nil {
		return "", err
	}
	return n.link, nil
}

// ReadDir implements fs.ReadDirFS.
func (t *Tree) ReadDir(name string) (list []fs.DirEntry, err error) {
	n, err := t.get("readdir", name)
	if err != nil {
		return nil, err
	}
	for _, kid := range slices.Sorted(slices.Values(n.kids)) {
		list = append(list, fs.FileInfoToDirEntry(t.nodes[kid]))
	}
	return list, nil
}

// Name implements fs.FileInfo, as the following methods do.
func (n *node) Name() string       { return path.Base(n.name) }
func (n *node) Size() int64        { return n.size }
func (n *node) Mode() fs.FileMode  { return n.mode }
func (n *node) ModTime() time.Time { return time.Time{} }
func (n *node) IsDir() bool        { return n.mode.IsDir() }
func (n *node) Sys() any           { return nil }

type file struct {
	*node
	*io.SectionReader
}

func (f *file) Stat() (fs.FileInfo, error) { return f.node, nil }
func (f *file) Close() error               { return nil }
func (f *file) Size() int64                { return f.node.size }

// glob matches path elements, as path.Match does, through links of folders: /lib is one in
// most systems of today.
func glob(root fs.ReadLinkFS, pattern string) (found []string) {
	found = []string{""}
	for element := range strings.SplitSeq(pattern, "/") {
		var next []string
		for _, at := range found {
			next = append(next, step(root, at, element)...)
		}
		found = next
	}
	return found
}

func step(root fs.ReadLinkFS, at, element string) (found []string) {
	real, err := follow(root, at)
	if err != nil {
		return nil
	}
	if !strings.ContainsAny(element, "*?[") {
		name := path.Join(real, element)
		if _, err := root.Lstat(name); err == nil {
			found = append(found, name)
		}
		return found
	}
	if real == "" {
		real = "."
	}
	list, err := fs.ReadDir(root, real)
	if err != nil {
		return nil
	}
	for _, e := range list {
		if ok, _ := path.Match(element, e.Name()); ok {
			found = append(found, path.Join(real, e.Name()))
		}
	}
	return found
}

func readLimited(root fs.FS, name string, limit int64) ([]byte, error) {
	f, err := root.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, limit))
}
