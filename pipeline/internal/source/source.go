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

	"github.com/tcapflow/tcapflow/pipeline/internal/fault"
)

// Tree is a source tree.
type Tree struct {
	Root   string
	Files  []string // relative, with slashes, sorted; regular files and symbolic links
	Hash   string   // SHA-256 in hex
	Passed []string // folders of other repositories that are no part of it, a line each with the reason
	Version

	digests map[string]digest // of each file, as Hash counts it
}

// digest is of a file's name, mode, kind and bytes.
type digest [sha256.Size]byte

// Read lists and hashes the tree below root. git is asked for the version last: an edit
// before that makes it dirty, and one after it is noticed by Tar.
func Read(ctx context.Context, root string) (Tree, error) {
	t := Tree{Root: root, Version: unversioned("tarball", "no git")}
	git, err := findGit(ctx, root)
	if err != nil {
		return Tree{}, err
	}
	if git == nil {
		t.Files, err = walk(root)
	} else {
		t.Files, t.Passed, err = git.files(ctx)
	}
	if err != nil {
		return Tree{}, err
	}
	slices.Sort(t.Files)
	t.Files = slices.Compact(t.Files)
	if err := t.hash(); err != nil || git == nil {
		return t, err
	}
	t.Version, err = git.version(ctx)
	return t, err
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
	t.digests = map[string]digest{}
	for _, name := range t.Files {
		e, err := t.entry(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue // tracked, and deleted in the working tree
		}
		if err != nil {
			return err
		}
		if e == nil {
			continue
		}
		sum, err := e.copyTo(io.Discard)
		if err != nil {
			return err
		}
		kept = append(kept, name)
		t.digests[name] = sum
		h.Write(sum[:])
	}
	t.Files, t.Hash = kept, hex.EncodeToString(h.Sum(nil))
	return nil
}

// entry is a file as it goes into a tar stream.
type entry struct {
	header *tar.Header
	open   func() (io.ReadCloser, error) // nil: it has no bytes
}

// entry describes a file, or is nil for what is neither a regular file nor a link. Of its
// mode only the x bit counts, as for git: the umask of whoever checked it out must not
// reach the binary.
func (t *Tree) entry(name string) (*entry, error) {
	local := filepath.Join(t.Root, filepath.FromSlash(name))
	info, err := os.Lstat(local)
	if err != nil {
		return nil, err
	}
	h := &tar.Header{Name: name, ModTime: info.ModTime(), Mode: 0o644, Typeflag: tar.TypeReg}
	switch {
	case info.Mode().IsRegular():
		h.Size = info.Size()
		if info.Mode()&0o111 != 0 {
			h.Mode = 0o755
		}
		return &entry{h, func() (io.ReadCloser, error) { return os.Open(local) }}, nil
	case info.Mode()&fs.ModeSymlink != 0:
		h.Typeflag = tar.TypeSymlink
		h.Linkname, err = os.Readlink(local)
		return &entry{header: h}, err
	}
	return nil, nil
}

// copyTo writes the file's bytes, and returns the digest of what it wrote and of the
// header. One whose size differs from what the header says is written as far as it goes.
func (e *entry) copyTo(w io.Writer) (sum digest, err error) {
	h := sha256.New()
	header := e.header
	fmt.Fprintf(h, "%s\x00%c %o %s %d\x00",
		header.Name, header.Typeflag, header.Mode, header.Linkname, header.Size)
	if e.open != nil {
		err = copyFrom(io.MultiWriter(h, w), e.open)
	}
	return digest(h.Sum(nil)), err
}

func copyFrom(w io.Writer, open func() (io.ReadCloser, error)) error {
	f, err := open()
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(w, f)
	return err
}

// Tar writes the tree as a tar stream, its files owned by uid. It is the tree that was
// hashed: a file that has changed since is an error, for the key and the version of what
// is built would be those of other bytes.
func (t *Tree) Tar(w io.Writer, uid int) error {
	out := tar.NewWriter(w)
	made := map[string]bool{".": true}
	for _, name := range t.Files {
		if err := t.folders(out, filepath.ToSlash(filepath.Dir(name)), uid, made); err != nil {
			return err
		}
		if err := t.write(out, name, uid); err != nil {
			return err
		}
	}
	return out.Close()
}

func (t *Tree) write(out *tar.Writer, name string, uid int) error {
	e, err := t.entry(name)
	if errors.Is(err, fs.ErrNotExist) || err == nil && e == nil {
		return changed(name)
	}
	if err != nil {
		return err
	}
	e.header.Uid, e.header.Gid = uid, uid
	if err := out.WriteHeader(e.header); err != nil {
		return err
	}
	sum, err := e.copyTo(out)
	if errors.Is(err, tar.ErrWriteTooLong) || err == nil && sum != t.digests[name] {
		return changed(name)
	}
	return err
}

func changed(name string) error {
	const next = "run it again when nobody edits the checkout any more"
	return fault.New(fault.Failed, next, "%s changed while it was read", name)
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
