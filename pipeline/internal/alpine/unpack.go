package alpine

import (
	"archive/tar"
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"

	"github.com/tcapflow/tcapflow/pipeline/internal/layer"
	"github.com/tcapflow/tcapflow/pipeline/internal/stream"
)

// maxUnpacked bounds what a package may hold, in bytes: ten times the largest that is
// taken. It keeps a hostile one from filling the disk.
const maxUnpacked = 4 << 30

// Place says where in the image a package's file goes: it gets a clean path without a
// leading slash and returns one, or "" to leave the file out.
type Place func(name string) string

// Merged keeps every file, and has /bin, /sbin and /lib in /usr whichever way the package
// has them: Alpine has them merged since 3.23, and before it had not.
func Merged(name string) string {
	top, rest, _ := strings.Cut(name, "/")
	switch top {
	case "bin", "sbin", "lib":
		if rest == "" {
			return "" // the layer has a link there
		}
		return "usr/" + name
	}
	return name
}

// Unpack is the layer piece of a package's files, placed by place. No script of it is run.
// seen is called with the name of each file and link that is placed; licence is set to what
// the package says. Either may be nil.
func Unpack(file string, place Place, seen func(name string), licence *string) layer.Piece {
	return func(w *layer.Writer) error {
		f, err := os.Open(file)
		if err != nil {
			return err
		}
		defer f.Close()
		info, err := f.Stat()
		if err != nil {
			return err
		}
		a, said, err := openPackage(f, info.Size())
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		if licence != nil {
			*licence = said.licence
		}
		u := &unpacking{place: place, seen: seen, out: w, written: map[string]bool{}}
		if err := eachEntry(a.data, maxUnpacked, u.entry); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		return nil
	}
}

func openPackage(file io.ReaderAt, size int64) (*archive, packageInfo, error) {
	a, err := openArchive(file, size, true)
	if err != nil {
		return nil, packageInfo{}, err
	}
	info, err := a.info()
	return a, info, err
}

// entryHeader is what is looked at of an entry.
type entryHeader = tar.Header

// eachEntry reads a packed tar archive, at most limit bytes of it.
func eachEntry(packed *io.SectionReader, limit int64, each func(*entryHeader, io.Reader) error) error {
	z, err := gzip.NewReader(bufio.NewReaderSize(packed, 1<<20))
	if err != nil {
		return truncated(err)
	}
	entries := tar.NewReader(bufio.NewReaderSize(stream.Bounded(z, limit, errTooLarge), 1<<20))
	for room := limit; ; {
		h, err := entries.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return truncated(err)
		}
		// A sparse file has few bytes in the stream, and any size.
		if room -= h.Size; h.Size < 0 || room < 0 {
			return errTooLarge
		}
		if err := each(h, entries); err != nil {
			return err
		}
	}
}

var errTooLarge = errors.New("larger unpacked than any package of Alpine's")

// unpacking copies the entries of one package.
type unpacking struct {
	place   Place
	seen    func(string)
	out     *layer.Writer
	written map[string]bool // where files and links went
}

// entry copies a file, a folder or a link. Times stay; the owner is root, rights are those
// of read, write and execute, and what stands in PAX records (checksums) goes.
func (u *unpacking) entry(h *entryHeader, body io.Reader) error {
	name, err := inside(h.Name)
	if err != nil || name == "" {
		return err
	}
	to := u.place(name)
	if to == "" {
		return nil
	}
	out := tar.Header{Typeflag: h.Typeflag, Name: to, Mode: h.Mode & 0o777, ModTime: h.ModTime}
	switch h.Typeflag {
	case tar.TypeDir:
		out.Name += "/"
		out.Mode |= h.Mode & 0o1000 // of /tmp
		return u.out.WriteHeader(&out)
	case tar.TypeReg:
		out.Size = h.Size
	case tar.TypeSymlink:
		out.Linkname = h.Linkname
		if u.isItself(name, to, h.Linkname) {
			return nil
		}
	case tar.TypeLink:
		if out.Linkname, err = u.linked(h.Linkname); err != nil {
			return fmt.Errorf("hard link %s: %w", name, err)
		}
	default:
		return fmt.Errorf("%s: neither file, folder nor link (type %q)", name, h.Typeflag)
	}
	if err := u.write(to); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if u.seen != nil {
		u.seen(to)
	}
	if err := u.out.WriteHeader(&out); err != nil {
		return err
	}
	if h.Typeflag != tar.TypeReg {
		return nil
	}
	_, err = io.Copy(u.out, body)
	return truncatedBody(err)
}

// write marks a place as written. Nothing is written twice, nor through a link.
func (u *unpacking) write(to string) error {
	if u.written[to] {
		return errors.New("twice in one package")
	}
	for dir := path.Dir(to); dir != "."; dir = path.Dir(dir) {
		if u.written[dir] {
			return fmt.Errorf("below %s, which is no folder", dir)
		}
	}
	u.written[to] = true
	return nil
}

func truncatedBody(err error) error {
	if err == nil {
		return nil
	}
	return truncated(err)
}

// isItself finds links that lead to their own place: /usr/lib/x → ../../lib/x where /lib is
// in /usr.
func (u *unpacking) isItself(name, to, target string) bool {
	if !path.IsAbs(target) {
		target = path.Join("/", path.Dir(name), target)
	}
	return u.place(strings.TrimPrefix(path.Clean(target), "/")) == to
}

// linked is where a hard link's target went, which must be a file of the same package.
func (u *unpacking) linked(target string) (string, error) {
	name, err := inside(target)
	if err != nil {
		return "", err
	}
	to := u.place(name)
	if !u.written[to] {
		return "", fmt.Errorf("to %q, which the package does not have", target)
	}
	return to, nil
}

// inside makes "./usr/bin/" a path below the root: "usr/bin". A name that leads out, or
// begins at a root, is not one that Alpine writes.
func inside(name string) (string, error) {
	clean := path.Clean(name)
	if path.IsAbs(name) || clean == ".." || strings.HasPrefix(clean, "../") || strings.ContainsRune(name, 0) {
		return "", fmt.Errorf("%q leads out of the package", name)
	}
	if clean == "." {
		return "", nil
	}
	return clean, nil
}
