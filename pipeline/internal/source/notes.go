package source

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// Notes looks for what is in the checkout and does not go into the builder as one may
// think: a line is said to the user of each.
func (t *Tree) Notes() (lines []string, err error) {
	if _, err := os.Stat(filepath.Join(t.Root, "go.work")); err == nil {
		lines = append(lines, "go.work is not read: what is built is what go.mod says")
	}
	for _, look := range []func() (string, error){t.links, t.pointers} {
		line, err := look()
		if err != nil {
			return nil, err
		}
		if line != "" {
			lines = append(lines, line)
		}
	}
	return lines, nil
}

// within tells whether a path, relative to the root, stays below it.
func within(name string) bool {
	clean := path.Clean(name)
	return !path.IsAbs(clean) && !filepath.IsAbs(name) && clean != ".." && !strings.HasPrefix(clean, "../")
}

// links tells of symbolic links that lead out of the checkout.
func (t *Tree) links() (string, error) {
	var out []string
	for _, name := range t.Files {
		target, err := os.Readlink(filepath.Join(t.Root, filepath.FromSlash(name)))
		if err != nil {
			continue // a regular file
		}
		if target = filepath.ToSlash(target); path.IsAbs(target) || !within(path.Join(path.Dir(name), target)) {
			out = append(out, name+" → "+target)
		}
	}
	return list("symbolic links lead out of the checkout and nowhere in the builder", out), nil
}

// pointer begins the file that stands in for content in Git LFS
// (https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md).
var pointer = []byte("version https://git-lfs.github.com/spec/v1\n")

// pointers tells of files whose content Git LFS has not fetched.
func (t *Tree) pointers() (string, error) {
	uses := func(name string) bool {
		text, err := os.ReadFile(filepath.Join(t.Root, filepath.FromSlash(name)))
		return err == nil && path.Base(name) == ".gitattributes" && bytes.Contains(text, []byte("filter=lfs"))
	}
	attributes := func(name string) bool { return path.Base(name) == ".gitattributes" && uses(name) }
	if !slices.ContainsFunc(t.Files, attributes) {
		return "", nil
	}
	var found []string
	for _, name := range t.Files {
		is, err := isPointer(filepath.Join(t.Root, filepath.FromSlash(name)))
		if err != nil {
			return "", err
		}
		if is {
			found = append(found, name)
		}
	}
	return list("files are pointers of Git LFS, without their content (`git lfs pull` fetches it)", found), nil
}

// isPointer reads no more than a pointer has.
func isPointer(name string) (bool, error) {
	info, err := os.Lstat(name)
	if err != nil || !info.Mode().IsRegular() || info.Size() > 1024 {
		return false, ignoreMissing(err)
	}
	f, err := os.Open(name)
	if err != nil {
		return false, err
	}
	defer f.Close()
	start := make([]byte, len(pointer))
	_, err = io.ReadFull(f, start)
	return err == nil && bytes.Equal(start, pointer), nil
}

func ignoreMissing(err error) error {
	if os.IsNotExist(err) {
		return nil
	}
	return err
}

// list is a line that names the first of several things.
func list(what string, names []string) string {
	switch len(names) {
	case 0:
		return ""
	case 1:
		return fmt.Sprintf("warning: %s: %s", what, names[0])
	}
	return fmt.Sprintf("warning: %s: %s and %d more", what, names[0], len(names)-1)
}
