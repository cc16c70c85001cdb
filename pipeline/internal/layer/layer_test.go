package layer

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

func assemble(t *testing.T, pieces ...Piece) *Layer {
	t.Helper()
	l, err := Assemble(t.Context(), t.TempDir(), pieces...)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func content(t *testing.T, l v1.Layer) []byte {
	t.Helper()
	r, err := l.Uncompressed()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	text, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// list reads a layer with archive/tar, an entry a line.
func list(t *testing.T, text []byte) (lines []string) {
	t.Helper()
	for r := tar.NewReader(bytes.NewReader(text)); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return lines
		}
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, strings.TrimSpace(fmt.Sprintf("%c %o %d:%d %d %s%s %s", h.Typeflag, h.Mode, h.Uid, h.Gid, h.ModTime.Unix(), h.Name, h.Linkname, body)))
	}
}

func same(t *testing.T, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestEntries(t *testing.T) {
	l := assemble(t, Entries(
		Entry{Name: "etc/passwd", Data: []byte("root")},
		Entry{Name: "tmp/", Mode: 0o1777},
		Entry{Name: "usr/bin/a", Data: []byte("ELF"), Mode: 0o755, UID: 7},
		Entry{Name: "usr/bin/b", Link: "a"},
		Entry{Name: "home/u/", UID: 65532},
	))
	same(t, list(t, content(t, l)), []string{
		"5 755 0:0 0 etc/", "5 755 0:0 0 home/", "5 755 65532:65532 0 home/u/", "5 1777 0:0 0 tmp/", "5 755 0:0 0 usr/", "5 755 0:0 0 usr/bin/",
		"0 644 0:0 0 etc/passwd root", "0 755 7:7 0 usr/bin/a ELF", "2 755 0:0 0 usr/bin/ba",
	})
}

// Pieces share folders: each is written once, before what lies in it, as the first piece
// that gives it says; a folder that a piece gives wins over one that is only implied.
func TestFolders(t *testing.T) {
	dir := func(name string, mode int64) Piece {
		return func(w *Writer) error {
			return w.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: name, Mode: mode, ModTime: time.Unix(5, 0)})
		}
	}
	l := assemble(t,
		Entries(Entry{Name: "a/b/c/file"}),
		dir("a/b/", 0o700),
		dir("./a/b", 0o711),
		dir("a-b/", 0o755),
		Entries(Entry{Name: "a/b/other"}),
	)
	same(t, list(t, content(t, l)), []string{
		"5 755 0:0 0 a/", "5 755 0:0 5 a-b/", "5 700 0:0 5 a/b/", "5 755 0:0 0 a/b/c/",
		"0 644 0:0 0 a/b/c/file", "0 644 0:0 0 a/b/other",
	})
}

// Bytes depend on the pieces and their order, not on who finishes first.
func TestAnyFinishOrder(t *testing.T) {
	piece := func(i int) Piece {
		return Entries(Entry{Name: fmt.Sprintf("d%d/file", i%2), Data: bytes.Repeat([]byte{byte(i)}, 700*i)})
	}
	want := assemble(t, piece(1), piece(2))
	// The first piece waits for the second, which another CPU or none runs meanwhile.
	done := make(chan struct{})
	late := func(w *Writer) error {
		select {
		case <-done:
		case <-time.After(50 * time.Millisecond): // one CPU runs them one after the other
		}
		return piece(1)(w)
	}
	early := func(w *Writer) error { defer close(done); return piece(2)(w) }
	got := assemble(t, late, early)
	if !bytes.Equal(content(t, got), content(t, want)) || got.diffID != want.diffID {
		t.Error("the bytes depend on who finishes first")
	}
	if other := assemble(t, piece(2), piece(1)); other.diffID == want.diffID {
		t.Error("the order of the pieces does not count")
	}
}

func TestDigests(t *testing.T) {
	l := assemble(t, Entries(Entry{Name: "a", Data: make([]byte, 1000)}))
	text := content(t, l)
	sum := sha256.Sum256(text)
	want := v1.Hash{Algorithm: "sha256", Hex: hex.EncodeToString(sum[:])}
	digest, _ := l.Digest()
	diffID, _ := l.DiffID()
	size, _ := l.Size()
	if digest != want || diffID != want || size != int64(len(text)) {
		t.Errorf("digest %v, diffID %v, size %d; want %v, %d", digest, diffID, size, want, len(text))
	}
	if len(text)%512 != 0 || !bytes.HasSuffix(text, make([]byte, 1024)) {
		t.Errorf("%d bytes do not end as a tar archive", len(text))
	}
	empty := assemble(t)
	if got := list(t, content(t, empty)); got != nil || empty.size != 1024 {
		t.Errorf("no pieces: %q, %d bytes", got, empty.size)
	}
}

func TestAssembleFails(t *testing.T) {
	stop := errors.New("stop")
	if _, err := Assemble(t.Context(), t.TempDir(), Entries(Entry{Name: "a"}), func(*Writer) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("got %v", err)
	}
	short := func(w *Writer) error { return w.WriteHeader(&tar.Header{Name: "a", Size: 10, Typeflag: tar.TypeReg}) }
	if _, err := Assemble(t.Context(), t.TempDir(), short); err == nil {
		t.Error("an entry without its bytes is accepted")
	}
	if _, err := Assemble(t.Context(), t.TempDir()+"/none"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

func TestXattrs(t *testing.T) {
	value := []byte{1, 0, '=', '\n', 0xff}
	attributes := map[string][]byte{"user.a": value, "user.b": nil}
	entry := Entry{Name: "a/file", Data: []byte("text"), Xattrs: attributes}
	text := content(t, assemble(t, Entries(entry)))
	if !bytes.Equal(text, content(t, assemble(t, Entries(entry)))) {
		t.Error("the same attributes give other bytes")
	}
	r := tar.NewReader(bytes.NewReader(text))
	for {
		h, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		if h.Name == entry.Name {
			if got := h.PAXRecords["SCHILY.xattr.user.a"]; got != string(value) {
				t.Errorf("attribute is %q, want %q", got, value)
			}
			return
		}
	}
}
