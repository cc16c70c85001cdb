package doctor

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// entry is a file of a root. Its type bits are those of package fs.
type entry struct {
	mode     fs.FileMode
	uid, gid int
	size     int64
	link     string // of a symbolic link
	caps     bool   // it has file capabilities, capabilities(7)
	open     func() (io.ReaderAt, io.Closer, error)
}

// root is a file system that programs see as theirs. Paths are absolute, clean, with slashes.
type root interface {
	entry(path string) (entry, bool) // as lstat(2)
	list(dir string) []string        // names, sorted
}

// missing says which path is not there, and which link points to it.
type missing struct{ path, link, to string }

func (m missing) Error() string {
	if m.link != "" {
		return fmt.Sprintf("%s is a link to %s, which is not there", m.link, m.to)
	}
	return m.path + " is not there"
}

// maxLinks is what the kernel follows before it says ELOOP, path_resolution(7).
const maxLinks = 40

// resolve follows links as the kernel does, within the root.
func resolve(r root, name string) (real string, e entry, err error) {
	todo := strings.Split(strings.Trim(path.Clean("/"+name), "/"), "/")
	real, links := "/", 0
	link, to := "", ""
	e.mode = fs.ModeDir | 0o755
	for len(todo) > 0 {
		if todo[0] == "" || todo[0] == "." {
			todo = todo[1:]
			continue
		}
		if todo[0] == ".." { // of a link's text: after the links before it are followed
			real, todo = path.Dir(real), todo[1:]
			continue
		}
		next := path.Join(real, todo[0])
		found, ok := r.entry(next)
		if !ok {
			return "", entry{}, missing{path.Join(next, path.Join(todo[1:]...)), link, to}
		}
		e, todo = found, todo[1:]
		if e.mode&fs.ModeSymlink == 0 {
			real = next
			continue
		}
		if links++; links > maxLinks {
			return "", entry{}, fmt.Errorf("%s: links go round in a circle", name)
		}
		link, to = next, e.link
		if path.IsAbs(e.link) {
			real = "/"
		}
		todo = append(strings.Split(strings.Trim(e.link, "/"), "/"), todo...)
	}
	return real, e, nil
}

// there tells whether a path leads to something.
func there(r root, name string) bool {
	_, _, err := resolve(r, name)
	return err == nil
}

// text reads a small file; "" where there is none.
func text(r root, name string) string {
	_, e, err := resolve(r, name)
	if err != nil || !e.mode.IsRegular() || e.size > 1<<20 {
		return ""
	}
	at, closer, err := e.open()
	if err != nil {
		return ""
	}
	defer closer.Close()
	b, err := io.ReadAll(io.NewSectionReader(at, 0, e.size))
	if err != nil {
		return ""
	}
	return string(b)
}

// host is the file system of this machine.
type host struct{}

func (host) entry(name string) (entry, bool) {
	name = filepath.FromSlash(name)
	info, err := os.Lstat(name)
	if err != nil {
		return entry{}, false
	}
	e := entry{mode: info.Mode(), size: info.Size()}
	e.uid, e.gid = ownerOf(info)
	if e.mode&fs.ModeSymlink != 0 {
		e.link, _ = os.Readlink(name)
	}
	e.caps = hasCapabilities(name)
	e.open = func() (io.ReaderAt, io.Closer, error) {
		f, err := os.Open(name)
		return f, f, err
	}
	return e, true
}

func (host) list(dir string) (names []string) {
	entries, err := os.ReadDir(filepath.FromSlash(dir))
	if err != nil {
		return nil
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// stored is a file system that was read from an image's layers.
type stored struct {
	entries map[string]entry
	names   map[string][]string // by folder
}

func (s *stored) entry(name string) (entry, bool) {
	if name == "/" {
		return entry{mode: fs.ModeDir | 0o755}, true
	}
	e, ok := s.entries[name]
	return e, ok
}

func (s *stored) list(dir string) []string {
	real, _, err := resolve(s, dir)
	if err != nil {
		return nil
	}
	return slices.Sorted(slices.Values(s.names[real]))
}

// add puts an entry in; folders that nobody mentions are there all the same.
func (s *stored) add(name string, e entry) {
	name = path.Clean("/" + name)
	if name == "/" {
		return
	}
	if _, again := s.entries[name]; !again {
		dir := path.Dir(name)
		if _, ok := s.entries[dir]; !ok && dir != "/" {
			s.add(dir, entry{mode: fs.ModeDir | 0o755})
		}
		s.names[dir] = append(s.names[dir], path.Base(name))
	}
	s.entries[name] = e
}

func newStored() *stored {
	return &stored{entries: map[string]entry{}, names: map[string][]string{}}
}

// may tells whether a user has a right (4, 2 or 1) by the mode of a file. Root may all but
// start what nobody may start.
func (e entry) may(uid, gid int, right fs.FileMode) bool {
	mode := e.mode.Perm()
	switch {
	case uid == 0:
		return right != 1 || e.mode.IsDir() || mode&0o111 != 0
	case uid == e.uid:
		return mode>>6&right != 0
	case gid == e.gid:
		return mode>>3&right != 0
	}
	return mode&right != 0
}

// hostArch is GOARCH of this machine.
const hostArch = runtime.GOARCH
