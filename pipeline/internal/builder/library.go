package builder

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/bzip2"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/ulikunitz/xz"

	"github.com/tcapflow/tcapflow/pipeline/internal/debian"
	"github.com/tcapflow/tcapflow/pipeline/internal/engine"
	"github.com/tcapflow/tcapflow/pipeline/internal/fault"
	"github.com/tcapflow/tcapflow/pipeline/internal/fetch"
	"github.com/tcapflow/tcapflow/pipeline/internal/files"
	"github.com/tcapflow/tcapflow/pipeline/internal/image"
	"github.com/tcapflow/tcapflow/pipeline/internal/plan"
	"github.com/tcapflow/tcapflow/pipeline/internal/progress"
	"github.com/tcapflow/tcapflow/spec"
)

// Libraries keeps C libraries: their pinned sources, and what was compiled of them.
type Libraries struct {
	Fetch  *fetch.Cache
	Dir    string        // compiled libraries, by key
	Borrow func(string)  // may put a missing one there, by its path; nil: nobody can
	Mirror debian.Mirror // for "{debian}" in URLs, and for the version that stands in
	Suite  string
	Locked bool // nothing stands in for a pin
	Log    *progress.Log

	mu      sync.Mutex
	sources map[string]pinned // by library name
}

// pinned is the source that a library is built from in this run.
type pinned struct {
	file     string
	sha256   string
	standsIn string // the version, where it is not the pinned one
}

func (l *Libraries) path(lib plan.Library, builderKey string) string {
	return filepath.Join(l.Dir, lib.Name+"-"+lib.Key(builderKey)+".tar")
}

// stored returns what writes a compiled library, as a tar stream of its usr/ folder, if it
// is there.
func (l *Libraries) stored(lib plan.Library, builderKey string) (write func(io.Writer) error, ok bool) {
	name := l.path(lib, builderKey)
	if _, err := os.Stat(name); err != nil && l.Borrow != nil {
		l.Borrow(name)
	}
	if _, err := os.Stat(name); err != nil {
		return nil, false
	}
	return func(w io.Writer) error {
		f, err := os.Open(name)
		if err != nil {
			return err
		}
		defer f.Close()
		_, err = io.Copy(w, f)
		return err
	}, true
}

// StandsIn names the libraries that are not built from their pin, as "libpcap 1.10.5".
func (l *Libraries) StandsIn() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var names []string
	for name, s := range l.sources {
		if s.standsIn != "" {
			names = append(names, name+" "+s.standsIn)
		}
	}
	return names
}

// source fetches a library's source: from the pin's URLs in order, then from Debian's
// snapshot archive, else, unless the run is locked, the version in the mirror's signed index.
func (l *Libraries) source(ctx context.Context, lib plan.Library) (pinned, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if s, ok := l.sources[lib.Name]; ok {
		return s, nil
	}
	s, err := l.fetchSource(ctx, lib)
	if err == nil {
		if l.sources == nil {
			l.sources = map[string]pinned{}
		}
		l.sources[lib.Name] = s
	}
	return s, err
}

func (l *Libraries) fetchSource(ctx context.Context, lib plan.Library) (pinned, error) {
	var causes []error
	for _, url := range lib.URLs {
		file, err := l.Mirror.Pinned(ctx, url, lib.SHA256)
		if err == nil {
			return pinned{file: file, sha256: lib.SHA256}, nil
		}
		var known *fault.Error
		if errors.Is(err, fetch.ErrDigest) || ctx.Err() != nil || errors.As(err, &known) && known.Code != fault.Fetch {
			return pinned{}, fmt.Errorf("source of %s %s: %w", lib.Name, lib.Version, err)
		}
		causes = append(causes, err)
	}
	for _, url := range lib.URLs {
		file, err := l.Mirror.Archived(ctx, url, lib.SHA256)
		if err == nil {
			return pinned{file: file, sha256: lib.SHA256}, nil
		}
		if ctx.Err() != nil {
			return pinned{}, ctx.Err()
		}
		if !errors.Is(err, debian.ErrNotAsked) {
			causes = append(causes, err)
		}
	}
	gone := unfetched(lib, causes)
	if l.Locked || lib.DebianSource == "" {
		return pinned{}, gone
	}
	suite, err := l.Mirror.Suite(ctx, l.Suite, debian.Sources)
	if err != nil {
		return pinned{}, gone
	}
	src, err := suite.Source(ctx, lib.DebianSource)
	if err != nil {
		return pinned{}, gone
	}
	l.Log.Note("warning: %s %s cannot be fetched from any of its URLs; %s %s of Debian %s stands in (a release refuses this)", lib.Name, lib.Version, lib.Name, src.Version, l.Suite)
	file, err := l.Fetch.Get(ctx, src.URL, src.SHA256, src.Size)
	return pinned{file: file, sha256: src.SHA256, standsIn: src.Version}, err
}

// unfetched tells why each URL of a library did not do. The first is the most trusted
// one, often the user's own mirror: its next step is the one to take.
func unfetched(lib plan.Library, causes []error) error {
	next, texts := "correct the library's URLs in build/project.go", make([]string, len(causes))
	for i, cause := range causes {
		texts[i], _, _ = strings.Cut(cause.Error(), "\n")
		var known *fault.Error
		if i == 0 && !errors.Is(cause, fetch.ErrGone) && errors.As(cause, &known) && known.Next != "" {
			next = known.Next
		}
	}
	return fault.New(fault.Fetch, next, "source of %s %s: none of its URLs answers: %s", lib.Name, lib.Version, strings.Join(texts, "; "))
}

// withSources fetches the source of each library that is not compiled yet. Where another
// version stands in for a pin, the plans name that one, so that every key is of what is
// really compiled.
func (j Job) withSources(ctx context.Context) ([]plan.Build, error) {
	plans := slices.Clone(j.Plans)
	for i, p := range plans {
		plans[i].Libraries = slices.Clone(p.Libraries)
		compiled := map[string]spec.Library{} // as they are, with what stands in
		for k, lib := range p.Libraries {
			if lib.Source != "" {
				continue
			}
			lib.Earlier = slices.Clone(lib.Earlier)
			for n, e := range lib.Earlier {
				lib.Earlier[n] = compiled[e.Name]
			}
			if _, err := os.Stat(j.Libraries.path(lib, j.key(p))); err != nil {
				src, err := j.Libraries.source(ctx, lib)
				if err != nil {
					return nil, err
				}
				if src.standsIn != "" {
					lib.SHA256, lib.Version = src.sha256, src.standsIn
				}
			}
			plans[i].Libraries[k] = lib
			compiled[lib.Name] = lib.Library
		}
	}
	return plans, nil
}

// libraries puts those of the plan's libraries into the sysroot that did not go in with
// the sources, compiled now unless another run has done so meanwhile.
func (j Job) libraries(
	ctx context.Context, c *engine.Container, p plan.Build, installed map[string]bool,
) error {
	for _, lib := range p.Libraries {
		if installed[j.Libraries.path(lib, j.key(p))] {
			continue
		}
		ready, ok := j.Libraries.stored(lib, j.key(p))
		if !ok {
			var err error
			if ready, err = j.compile(ctx, c, p, lib); err != nil {
				return err
			}
		}
		if err := c.Put(ctx, engine.Copy{Dir: "/sysroot/" + p.Target.Triple, Write: ready}); err != nil {
			return err
		}
	}
	return nil
}

// compile builds a library in the container, stores it in the cache and returns what writes it.
func (j Job) compile(
	ctx context.Context, c *engine.Container, p plan.Build, lib plan.Library,
) (write func(io.Writer) error, err error) {
	unpack, err := j.Libraries.unpack(ctx, lib)
	if err != nil {
		return nil, err
	}
	done := func(error) {}
	if lib.Source == "" { // what comes with the pipeline takes no time that one waits for
		done = j.Log.Stage("%s  compile %s %s%s", p.Target.Name, lib.Name, lib.Version, variant(p))
	}
	err = j.compileIn(ctx, c, p, lib, unpack)
	done(err)
	if err != nil {
		return nil, err
	}
	ready, ok := j.Libraries.stored(lib, j.key(p))
	if !ok {
		return nil, fmt.Errorf("%s for %s vanished from the cache", lib.Name, p.Target.Name)
	}
	return ready, nil
}

// unpack returns what writes a library's source as a tar stream, below a folder.
func (l *Libraries) unpack(ctx context.Context, lib plan.Library) (func(w io.Writer, dir string) error, error) {
	if lib.Source != "" {
		return func(w io.Writer, dir string) error { return writeSource(w, dir, lib.Name+".c", lib.Source) }, nil
	}
	src, err := l.source(ctx, lib)
	if err != nil {
		return nil, err
	}
	return func(w io.Writer, dir string) error { return unpackSource(w, src.file, dir, lib.Folders) }, nil
}

// writeSource writes a source of one file as a tar stream.
func writeSource(w io.Writer, dir, name, text string) error {
	out := tar.NewWriter(w)
	folder := tar.Header{Typeflag: tar.TypeDir, Name: dir + "/", Mode: 0o755, Uid: image.Uid, Gid: image.Uid}
	file := tar.Header{Typeflag: tar.TypeReg, Name: path.Join(dir, name), Mode: 0o644, Size: int64(len(text)), Uid: image.Uid, Gid: image.Uid}
	if err := errors.Join(out.WriteHeader(&folder), out.WriteHeader(&file)); err != nil {
		return err
	}
	if _, err := io.WriteString(out, text); err != nil {
		return err
	}
	return out.Close()
}

func (j Job) compileIn(
	ctx context.Context, c *engine.Container, p plan.Build, lib plan.Library, unpack func(io.Writer, string) error,
) error {
	// On a volume of this container's own, not in its file system: ./configure makes and
	// removes hundreds of small files (17 s against 11 s under fuse-overlayfs).
	work := "/compile/" + p.Dir + "/" + lib.Name
	install := work + "-install"
	sources := func(w io.Writer) error { return unpack(w, strings.TrimPrefix(work, "/")) }
	if err := c.Put(ctx, engine.Copy{Dir: "/", Write: sources}); err != nil {
		return err
	}
	err := run(ctx, c, p.Target.Name+": "+lib.Name, engine.Command{
		Args: []string{"sh", "-e", "-c", lib.Library.Build}, Dir: work,
		Env: append(slices.Clone(lib.Env), "DESTDIR="+install, fmt.Sprintf("MAKEFLAGS=-j%d", j.cpus)),
	})
	if err != nil {
		return err
	}
	content, err := c.Get(ctx, install+"/usr")
	if err != nil {
		return fmt.Errorf("%s: its build script installed nothing below $DESTDIR/usr: %w", lib.Name, err)
	}
	defer content.Close()
	if err := storeLibrary(j.Libraries.path(lib, j.key(p)), content); err != nil {
		return fmt.Errorf("%s for %s: %w", lib.Name, p.Target.Name, err)
	}
	return nil
}

// unpackSource writes a source tarball as a tar stream, its one top folder renamed to dir.
// Of folders, if there are any, only those are taken; what comes after the last of them is
// not read: unpacking the whole of LLVM takes a minute, and what is needed of it 7 s.
func unpackSource(w io.Writer, archive, dir string, folders []string) error {
	f, err := os.Open(archive)
	if err != nil {
		return err
	}
	defer f.Close()
	r, err := decompress(bufio.NewReader(f))
	if err != nil {
		return fmt.Errorf("%s: %w", archive, err)
	}
	in, out := tar.NewReader(r), tar.NewWriter(w)
	wanted := newSelection(folders)
	for {
		h, err := in.Next()
		if errors.Is(err, io.EOF) || err == nil && wanted.over(h.Name) {
			return out.Close()
		}
		if err != nil {
			return err
		}
		_, rest, _ := strings.Cut(strings.TrimPrefix(path.Clean("/"+h.Name), "/"), "/")
		if !wanted.has(rest) {
			continue
		}
		h.Name = path.Join(dir, rest)
		if h.Typeflag == tar.TypeDir {
			h.Name += "/"
		}
		if h.Typeflag == tar.TypeXGlobalHeader {
			continue
		}
		h.Uid, h.Gid, h.Uname, h.Gname, h.Format = image.Uid, image.Uid, "", "", tar.FormatUnknown
		if err := out.WriteHeader(h); err != nil {
			return err
		}
		if _, err := io.Copy(out, in); err != nil {
			return err
		}
	}
}

// selection is the choice of some folders of a tarball, in which each stands in one piece.
type selection struct {
	folders []string
	seen    map[string]bool // top folders of those that have begun
}

func newSelection(folders []string) *selection {
	return &selection{folders: folders, seen: map[string]bool{}}
}

// has tells whether a file, by its name below the top folder, is in one of the folders.
func (s *selection) has(name string) bool {
	for _, folder := range s.folders {
		if name == folder || strings.HasPrefix(name, folder+"/") {
			s.seen[folder] = true
			return true
		}
	}
	return len(s.folders) == 0
}

// over tells whether all folders have been seen and the file, with its top folder, is in
// the neighbourhood of none.
func (s *selection) over(name string) bool {
	if len(s.folders) == 0 || len(s.seen) < len(s.folders) {
		return false
	}
	_, rest, _ := strings.Cut(strings.TrimPrefix(path.Clean("/"+name), "/"), "/")
	first, _, _ := strings.Cut(rest, "/")
	for _, folder := range s.folders {
		if top, _, _ := strings.Cut(folder, "/"); top == first {
			return false
		}
	}
	return true
}

// decompress tells gzip, bzip2 and xz by the bytes that they begin with: a source may
// come from a URL with any name.
func decompress(r *bufio.Reader) (io.Reader, error) {
	magic, err := r.Peek(6)
	switch {
	case err != nil:
		return nil, err
	case bytes.HasPrefix(magic, []byte{0x1f, 0x8b}):
		return gzip.NewReader(r)
	case bytes.HasPrefix(magic, []byte("BZh")):
		return bzip2.NewReader(r), nil
	case bytes.Equal(magic, []byte{0xfd, '7', 'z', 'X', 'Z', 0}):
		return xz.NewReader(r)
	}
	return nil, errors.New("not a tar.gz, tar.bz2 or tar.xz")
}

// storeLibrary writes what was compiled into the cache, owned by root and without times,
// so that the same library is the same bytes. A build that installed no file is not kept:
// it would pass for a good library in every later run.
func storeLibrary(name string, content io.Reader) error {
	f, err := files.Create(name)
	if err != nil {
		return err
	}
	defer f.Discard()
	in, out := tar.NewReader(content), tar.NewWriter(f)
	installed := 0
	for {
		h, err := in.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if h.Typeflag == tar.TypeReg && h.Size > 0 {
			installed++
		}
		clean := tar.Header{Typeflag: h.Typeflag, Name: h.Name, Linkname: h.Linkname, Size: h.Size, Mode: h.Mode}
		if err := out.WriteHeader(&clean); err != nil {
			return err
		}
		if _, err := io.Copy(out, in); err != nil {
			return err
		}
	}
	if installed == 0 {
		return errNothing
	}
	if err := out.Close(); err != nil {
		return err
	}
	return f.Commit()
}

var errNothing = errors.New("its build script installed no file below $DESTDIR/usr")
