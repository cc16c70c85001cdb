// Package layer makes image layers out of pieces that are written in parallel.
//
// In: pieces, each of which writes tar entries. Out: a v1.Layer whose bytes depend on
// the pieces and their order alone, not on who finished first.
package layer

import (
	"archive/tar"
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"golang.org/x/sync/errgroup"
)

// Recipe says how a layer is written, which is an input of the images that have it. A test
// holds what is written against a digest, and tells when the number has to be raised.
const Recipe = "layer 1"

// Piece writes some entries of a layer.
type Piece func(*Writer) error

// Writer takes the entries of one piece. Folders are kept aside: the pieces of a layer
// share them, and an engine refuses a layer that names a path twice.
type Writer struct {
	tar  *tar.Writer
	dirs map[string]*tar.Header // nil: wanted by a file below it, given by none
}

// WriteHeader begins an entry, as tar.Writer's does.
func (w *Writer) WriteHeader(h *tar.Header) error {
	if dir := path.Dir(path.Clean(h.Name)); dir != "." {
		w.want(dir)
	}
	if h.Typeflag == tar.TypeDir {
		w.dirs[path.Clean(h.Name)] = h
		return nil
	}
	return w.tar.WriteHeader(h)
}

func (w *Writer) want(dir string) {
	for ; dir != "." && dir != "/"; dir = path.Dir(dir) {
		if _, known := w.dirs[dir]; known {
			return
		}
		w.dirs[dir] = nil
	}
}

// Write writes bytes of the entry that WriteHeader began.
func (w *Writer) Write(p []byte) (int, error) { return w.tar.Write(p) }

// Layer is an uncompressed layer that lies in a folder as one file for each piece. It
// is a v1.Layer. An engine on the same host gains nothing from compression.
type Layer struct {
	pieces []string
	diffID v1.Hash
	size   int64
}

// Assemble runs the pieces, as many at once as there are CPUs, into files in dir, a
// folder that the caller makes and removes.
func Assemble(ctx context.Context, dir string, pieces ...Piece) (*Layer, error) {
	own, err := os.MkdirTemp(dir, "layer-")
	if err != nil {
		return nil, err
	}
	l := &Layer{pieces: make([]string, len(pieces)+1)}
	dirs := make([]map[string]*tar.Header, len(pieces))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.NumCPU())
	for i, piece := range pieces {
		l.pieces[i+1] = filepath.Join(own, fmt.Sprintf("%03d.tar", i))
		group.Go(func() (err error) {
			if err := ctx.Err(); err != nil {
				return err
			}
			dirs[i], err = writePiece(l.pieces[i+1], piece)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	l.pieces[0] = filepath.Join(own, "folders.tar")
	if err := writeFolders(l.pieces[0], dirs); err != nil {
		return nil, err
	}
	return l, l.hash()
}

// writePiece writes the entries of a piece but for its folders, which it returns.
func writePiece(name string, piece Piece) (map[string]*tar.Header, error) {
	dirs := map[string]*tar.Header{}
	return dirs, writeTar(name, func(w *tar.Writer) error { return piece(&Writer{tar: w, dirs: dirs}) })
}

// writeFolders writes each folder once, parents first. Where pieces differ on one, the
// first piece that gives it is right.
func writeFolders(name string, pieces []map[string]*tar.Header) error {
	all := map[string]*tar.Header{}
	for _, dirs := range pieces {
		for dir, h := range dirs {
			if all[dir] == nil {
				all[dir] = h
			}
		}
	}
	return writeTar(name, func(w *tar.Writer) error {
		for _, dir := range slices.Sorted(maps.Keys(all)) {
			h := all[dir]
			if h == nil {
				h = &tar.Header{Typeflag: tar.TypeDir, Name: dir + "/", Mode: 0o755, ModTime: time.Unix(0, 0)}
			}
			if err := w.WriteHeader(h); err != nil {
				return err
			}
		}
		return nil
	})
}

// writeTar writes a file of tar entries without the two zero blocks that end an archive.
func writeTar(name string, write func(*tar.Writer) error) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	defer f.Close()
	buffered := bufio.NewWriterSize(f, 1<<20)
	w := tar.NewWriter(buffered)
	if err := write(w); err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if err := buffered.Flush(); err != nil {
		return err
	}
	return f.Close()
}

func (l *Layer) hash() error {
	r, err := l.Uncompressed()
	if err != nil {
		return err
	}
	defer r.Close()
	h := sha256.New()
	if l.size, err = io.Copy(h, r); err != nil {
		return err
	}
	l.diffID = v1.Hash{Algorithm: "sha256", Hex: hex.EncodeToString(h.Sum(nil))}
	return nil
}

func (l *Layer) Digest() (v1.Hash, error)             { return l.diffID, nil }
func (l *Layer) DiffID() (v1.Hash, error)             { return l.diffID, nil }
func (l *Layer) Size() (int64, error)                 { return l.size, nil }
func (l *Layer) MediaType() (types.MediaType, error)  { return types.DockerUncompressedLayer, nil }
func (l *Layer) Compressed() (io.ReadCloser, error)   { return l.Uncompressed() }
func (l *Layer) Uncompressed() (io.ReadCloser, error) { return openPieces(l.pieces) }

// pieceReader reads files one after the other, then the end of a tar archive.
type pieceReader struct {
	io.Reader
	files []*os.File
}

func openPieces(names []string) (*pieceReader, error) {
	p := &pieceReader{}
	var readers []io.Reader
	for _, name := range names {
		f, err := os.Open(name)
		if err != nil {
			p.Close()
			return nil, err
		}
		p.files, readers = append(p.files, f), append(readers, f)
	}
	end := bytes.NewReader(make([]byte, 1024))
	p.Reader = io.MultiReader(append(readers, end)...)
	return p, nil
}

func (p *pieceReader) Close() error {
	for _, f := range p.files {
		f.Close()
	}
	return nil
}

// Entry is a file, a folder or a link that is given in memory. Its time is the epoch.
type Entry struct {
	Name string // without a leading slash; folders end in "/"
	Link string // symbolic link's target
	Data []byte
	Mode int64 // 0: 0755 for folders and links, 0644 for files
	UID  int   // and GID
	// Xattrs are extended attributes by name, "security.capability", as bytes.
	Xattrs map[string][]byte
}

// xattrPrefix is that of star(1) and GNU tar for attributes in PAX records; engines read
// and write it (OCI image-spec, layer.md, "File Attributes").
const xattrPrefix = "SCHILY.xattr."

// Entries is a piece of in-memory entries.
func Entries(entries ...Entry) Piece {
	return func(w *Writer) error {
		for _, e := range entries {
			if err := e.write(w); err != nil {
				return err
			}
		}
		return nil
	}
}

func (e Entry) write(w *Writer) error {
	h := &tar.Header{Typeflag: tar.TypeReg, Name: e.Name, Mode: e.Mode, Uid: e.UID, Gid: e.UID,
		ModTime: time.Unix(0, 0), Size: int64(len(e.Data))}
	mode := int64(0o755)
	switch {
	case e.Link != "":
		h.Typeflag, h.Linkname = tar.TypeSymlink, e.Link
	case e.Name[len(e.Name)-1] == '/':
		h.Typeflag = tar.TypeDir
	default:
		mode = 0o644
	}
	if h.Mode == 0 {
		h.Mode = mode
	}
	for name, value := range e.Xattrs {
		if h.PAXRecords == nil {
			h.PAXRecords = map[string]string{}
		}
		h.PAXRecords[xattrPrefix+name] = string(value)
	}
	if err := w.WriteHeader(h); err != nil {
		return err
	}
	_, err := w.Write(e.Data)
	return err
}
