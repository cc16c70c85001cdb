// Package source reads what is built: the files of a checkout and the version that git
// gives them.
//
// In: a folder, in any git state, or an unpacked tarball. Out: a Tree, whose files are
// what git tracks and what it does not ignore, whose hash depends on names, modes and
// bytes alone, and which can be written as a tar stream.
package source

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Tree is a source tree.
type Tree struct {
	Root  string
	Files []string // relative, with slashes, sorted; regular files and symbolic links
	Hash  string   // SHA-256 in hex
	Version
}

// Read lists and hashes the tree below root.
func Read(ctx context.Context, root string) (Tree, error) {
	t := Tree{Root: root}
	git, err := findGit(ctx, root)
	if err != nil {
		return Tree{}, err
	}
	if git == nil {
		t.Version = unversioned("tarball", "no git")
		t.Files, err = walk(root)
	} else if t.Version, err = git.version(ctx); err == nil {
		t.Files, err = git.files(ctx)
	}
	if err != nil {
		return Tree{}, err
	}
	slices.Sort(t.Files)
	t.Files = slices.Compact(t.Files)
	return t, t.hash()
}

// walk lists the files of an unpacked tarball, which has no list of ignored ones.
func walk(root string) ([]string, error) {
	var files []string
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		if d.IsDir() {
			if rel == "out" || rel == "dist" || rel == ".git" {
				return filepath.SkipDir
			}
			return nil
		}
		files = append(files, filepath.ToSlash(rel))
		return nil
	})
	return files, err
}

// hash reads every file once; files that are gone, or are neither regular nor links, leave the list.
func (t *Tree) hash() error {
	h := sha256.New()
	var kept []string
	for _, name := range t.Files {
		header, open, err := t.entry(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue // tracked, and deleted in the working tree
		}
		if err != nil {
			return err
		}
		if header == nil {
			continue
		}
		kept = append(kept, name)
		fmt.Fprintf(h, "%s\x00%c %o %s %d\x00", name, header.Typeflag, header.Mode, header.Linkname, header.Size)
		if err := copyFrom(h, open); err != nil {
			return err
		}
	}
	t.Files, t.Hash = kept, hex.EncodeToString(h.Sum(nil))
	return nil
}

// entry describes a file as it goes into a tar stream. Of its mode only the x bit
// counts, as for git: the umask of whoever checked it out must not reach the binary.
func (t *Tree) entry(name string) (*tar.Header, func() (io.ReadCloser, error), error) {
	local := filepath.Join(t.Root, filepath.FromSlash(name))
	info, err := os.Lstat(local)
	if err != nil {
		return nil, nil, err
	}
	h := &tar.Header{Name: name, ModTime: info.ModTime(), Mode: 0o644, Typeflag: tar.TypeReg}
	switch {
	case info.Mode().IsRegular():
		h.Size = info.Size()
		if info.Mode()&0o111 != 0 {
			h.Mode = 0o755
		}
		return h, func() (io.ReadCloser, error) { return os.Open(local) }, nil
	case info.Mode()&fs.ModeSymlink != 0:
		h.Typeflag = tar.TypeSymlink
		h.Linkname, err = os.Readlink(local)
		return h, nil, err
	}
	return nil, nil, nil
}

func copyFrom(w io.Writer, open func() (io.ReadCloser, error)) error {
	if open == nil {
		return nil
	}
	f, err := open()
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(w, f)
	return err
}

// Tar writes the tree as a tar stream, its files owned by uid.
func (t *Tree) Tar(w io.Writer, uid int) error {
	out := tar.NewWriter(w)
	made := map[string]bool{".": true}
	for _, name := range t.Files {
		if err := t.folders(out, filepath.ToSlash(filepath.Dir(name)), uid, made); err != nil {
			return err
		}
		h, open, err := t.entry(name)
		if err != nil {
			return err
		}
		if h == nil {
			return fmt.Errorf("%s changed while it was read", name)
		}
		h.Uid, h.Gid = uid, uid
		if err := out.WriteHeader(h); err != nil {
			return err
		}
		if err := copyFrom(out, open); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return out.Close()
}

func (t *Tree) folders(out *tar.Writer, dir string, uid int, made map[string]bool) error {
	if made[dir] {
		return nil
	}
	made[dir] = true
	if parent, _, ok := cutLast(dir); ok {
		if err := t.folders(out, parent, uid, made); err != nil {
			return err
		}
	}
	return out.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: dir + "/", Mode: 0o755, Uid: uid, Gid: uid})
}

func cutLast(dir string) (parent, base string, ok bool) {
	i := strings.LastIndexByte(dir, '/')
	if i < 0 {
		return "", dir, false
	}
	return dir[:i], dir[i+1:], true
}
