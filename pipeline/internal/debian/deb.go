package debian

import (
	"archive/tar"
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"

	"github.com/tcapflow/tcapflow/pipeline/internal/layer"
	"github.com/tcapflow/tcapflow/pipeline/internal/stream"
)

// maxUnpacked bounds what a package may hold, in bytes: ten times the largest that we
// take. It keeps a hostile one from filling the disk.
const maxUnpacked = 4 << 30

var errTooLarge = errors.New("more than 4 GiB unpacked")

// Recipe says how a package is unpacked, which is an input of the images that have it. A
// test holds a package against a digest, and tells when the number has to be raised.
const Recipe = "deb 1"

// Place says where in the image a package's file goes: it gets a clean path without
// a leading slash and returns one, or "" to leave the file out.
type Place func(name string) string

// AsPackaged keeps every file, with the merged /usr that Debian 12 and later have:
// extracted trees lack the links bin → usr/bin that a maintainer script would make.
func AsPackaged(name string) string {
	top, rest, _ := strings.Cut(name, "/")
	switch top {
	case "bin", "sbin", "lib", "lib32", "lib64", "libx32":
		if rest == "" {
			return "" // the layer has a link there
		}
		return "usr/" + name
	}
	return name
}

// Unpack is the layer piece of a .deb (deb(5): an ar archive with a data.tar member),
// its files placed by place. The licences that its copyright file names are stored in
// licences, unless that is nil.
func Unpack(debPath string, place Place, licences *[]string) layer.Piece {
	return func(w *layer.Writer) error {
		f, err := os.Open(debPath)
		if err != nil {
			return err
		}
		defer f.Close()
		data, err := dataMember(bufio.NewReaderSize(f, 1<<20))
		if err != nil {
			return fmt.Errorf("%s: %w", debPath, err)
		}
		names, err := copyTree(data, place, w)
		if err != nil {
			return fmt.Errorf("%s: %w", debPath, err)
		}
		if licences != nil {
			*licences = names
		}
		return nil
	}
}

// Extract writes one regular file of a .deb to w, and reads no further.
func Extract(debPath, name string, w io.Writer) error {
	f, err := os.Open(debPath)
	if err != nil {
		return err
	}
	defer f.Close()
	data, err := dataMember(bufio.NewReaderSize(f, 1<<20))
	if err != nil {
		return fmt.Errorf("%s: %w", debPath, err)
	}
	for entries := tar.NewReader(data); ; {
		h, err := entries.Next()
		if errors.Is(err, io.EOF) {
			return fmt.Errorf("%s: no file %s", debPath, name)
		}
		if err == nil && clean(h.Name) == name && h.Typeflag == tar.TypeReg {
			if h.Size > maxUnpacked {
				return errTooLarge
			}
			_, err = io.Copy(w, entries)
			return err
		}
		if err != nil {
			return fmt.Errorf("%s: %w", debPath, err)
		}
	}
}

// dataMember finds the data.tar member of a .deb and decompresses it.
func dataMember(deb io.Reader) (io.Reader, error) {
	name, member, err := findMember(deb, "data.tar")
	if err != nil {
		return nil, err
	}
	data, err := decompress(name, member)
	if err != nil {
		return nil, err
	}
	return stream.Bounded(data, maxUnpacked, errTooLarge), nil
}

// findMember returns the first member of an ar archive (ar(5), the common form) whose
// name has this prefix.
func findMember(archive io.Reader, prefix string) (name string, member io.Reader, err error) {
	var magic [8]byte
	if _, err := io.ReadFull(archive, magic[:]); err != nil || string(magic[:]) != "!<arch>\n" {
		return "", nil, errors.New("not an ar archive")
	}
	for {
		var header [60]byte // name 16, time 12, owner 6, group 6, mode 8, size 10, end 2
		if _, err := io.ReadFull(archive, header[:]); errors.Is(err, io.EOF) {
			return "", nil, fmt.Errorf("no %s member", prefix)
		} else if err != nil {
			return "", nil, err
		}
		name = strings.TrimSuffix(strings.TrimRight(string(header[:16]), " "), "/")
		size, err := strconv.ParseInt(strings.TrimRight(string(header[48:58]), " "), 10, 64)
		if err != nil || size < 0 || string(header[58:]) != "`\n" {
			return "", nil, fmt.Errorf("ar header of %.16q is damaged", name)
		}
		if strings.HasPrefix(name, prefix) {
			return name, io.LimitReader(archive, size), nil
		}
		if _, err := io.CopyN(io.Discard, archive, size+size%2); err != nil {
			return "", nil, fmt.Errorf("member %.16q is cut short", name)
		}
	}
}

func decompress(name string, r io.Reader) (io.Reader, error) {
	switch path.Ext(name) {
	case ".xz":
		return xz.NewReader(bufio.NewReaderSize(r, 1<<20))
	case ".zst":
		// One goroutine, which needs no Close; dpkg's own windows have at most 128 MiB.
		z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(128<<20))
		if err != nil {
			return nil, err
		}
		return z.IOReadCloser(), nil
	case ".gz":
		return gzip.NewReader(r)
	case ".tar":
		return r, nil
	}
	return nil, fmt.Errorf("%s: unknown compression", name)
}

// copyTree copies a tar stream entry by entry. Modes, owners and times stay;
// access times, which differ between builds of a package, go.
func copyTree(r io.Reader, place Place, w *layer.Writer) (licences []string, err error) {
	entries := tar.NewReader(bufio.NewReaderSize(r, 1<<20))
	for room := int64(maxUnpacked); ; {
		h, err := entries.Next()
		if errors.Is(err, io.EOF) {
			return licences, nil
		}
		if err != nil {
			return nil, err
		}
		// A sparse file has few bytes in the stream, and any size.
		if room -= h.Size; room < 0 {
			return nil, errTooLarge
		}
		name := clean(h.Name)
		var body io.Reader = entries
		if isCopyright(name) && h.Typeflag == tar.TypeReg {
			text, err := io.ReadAll(io.LimitReader(entries, 4<<20))
			if err != nil {
				return nil, err
			}
			licences = licenceNames(string(text))
			body = strings.NewReader(string(text))
		}
		to := place(name)
		if name == "" || to == "" {
			continue
		}
		out := *h
		out.Name, out.Format = to, tar.FormatUnknown
		out.AccessTime, out.ChangeTime = time.Time{}, time.Time{}
		if h.Typeflag == tar.TypeDir {
			out.Name += "/"
		}
		if h.Typeflag == tar.TypeLink {
			if out.Linkname = place(clean(h.Linkname)); out.Linkname == "" {
				return nil, fmt.Errorf("hard link %s to %s, which is left out", name, h.Linkname)
			}
		}
		if err := w.WriteHeader(&out); err != nil {
			return nil, err
		}
		if h.Typeflag == tar.TypeReg {
			if _, err := io.Copy(w, body); err != nil {
				return nil, err
			}
		}
	}
}

// clean makes "./usr/bin/" and "/usr/../etc" into paths below the root.
func clean(name string) string { return strings.TrimPrefix(path.Clean("/"+name), "/") }

// licenceNames takes the short names of "License:" fields (copyright-format 1.0).
func licenceNames(copyright string) []string {
	var names []string
	for line := range strings.Lines(copyright) {
		if value, ok := strings.CutPrefix(line, "License:"); ok {
			if name := strings.TrimSpace(value); name != "" && len(name) < 80 && !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names
}

// isCopyright tells whether a file is the one in which a package says its licences (Debian
// Policy §12.5).
func isCopyright(name string) bool {
	return strings.HasPrefix(name, "usr/share/doc/") && strings.HasSuffix(name, "/copyright")
}
