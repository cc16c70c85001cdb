package builder

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ulikunitz/xz"

	"github.com/tcapflow/tcapflow/pipeline/internal/fault"
	"github.com/tcapflow/tcapflow/pipeline/internal/fetch"
	"github.com/tcapflow/tcapflow/pipeline/internal/image"
	"github.com/tcapflow/tcapflow/pipeline/internal/plan"
	"github.com/tcapflow/tcapflow/spec"
)

// The first URL is the user's own mirror: where it answers badly, that is what to mend.
func TestUnfetched(t *testing.T) {
	lib := plan.Library{Library: spec.Library{Name: "libpcap", Version: "1.10.7"}}
	tls := fault.New(fault.Fetch, "set SSL_CERT_FILE", "https://mirror/x: unknown authority")
	gone := fault.New(fault.Fetch, "another mirror", "https://mirror/x: %w", fetch.ErrGone)
	other := fault.New(fault.Fetch, "see the host", "https://upstream/x: no such host")
	for _, test := range []struct {
		causes     []error
		line, next string
	}{
		{[]error{tls, other}, "source of libpcap 1.10.7: none of its URLs answers: https://mirror/x: unknown authority; https://upstream/x: no such host", "set SSL_CERT_FILE"},
		{[]error{gone, other}, "source of libpcap 1.10.7: none of its URLs answers: https://mirror/x: not on the server; https://upstream/x: no such host", "correct the library's URLs in build/project.go"},
	} {
		var got *fault.Error
		if err := unfetched(lib, test.causes); !errors.As(err, &got) || got.Code != fault.Fetch || got.Err.Error() != test.line || got.Next != test.next {
			t.Errorf("got %v", err)
		}
	}
}

// entry is a file of a tar stream.
type entry struct {
	tar.Header
	data string
}

func tarOf(t *testing.T, w io.Writer, entries ...entry) {
	t.Helper()
	out := tar.NewWriter(w)
	for _, e := range entries {
		e.Size = int64(len(e.data))
		if err := out.WriteHeader(&e.Header); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(out, e.data); err != nil {
			t.Fatal(err)
		}
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
}

// A source may be packed with any top folder, and with names that lead out of it.
func TestUnpackSource(t *testing.T) {
	archive := filepath.Join(t.TempDir(), "lib.tar.xz")
	f, err := os.Create(archive)
	if err != nil {
		t.Fatal(err)
	}
	packed, err := xz.NewWriter(f)
	if err != nil {
		t.Fatal(err)
	}
	tarOf(t, packed,
		entry{Header: tar.Header{Name: "lib-1.0/", Typeflag: tar.TypeDir, Mode: 0o755}},
		entry{tar.Header{Name: "./lib-1.0/configure", Typeflag: tar.TypeReg, Mode: 0o755, Uid: 1000, Uname: "somebody"}, "#!/bin/sh\n"},
		entry{tar.Header{Name: "lib-1.0/../../../etc/passwd", Typeflag: tar.TypeReg, Mode: 0o644}, "x"})
	if err := errors.Join(packed.Close(), f.Close()); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := unpackSource(&out, archive, "work/lib", nil); err != nil {
		t.Fatal(err)
	}
	for r := tar.NewReader(&out); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if h.Name != "work/lib" && !strings.HasPrefix(h.Name, "work/lib/") {
			t.Errorf("%s is outside of the folder", h.Name)
		}
		if h.Uid != image.Uid || h.Uname != "" {
			t.Errorf("%s belongs to %d %q", h.Name, h.Uid, h.Uname)
		}
	}
}

// The same library is the same bytes in the cache, whoever compiled it and when; a stream
// that is cut leaves nothing.
func TestStoreLibrary(t *testing.T) {
	dir := t.TempDir()
	store := func(name string, uid int, cut int) ([]byte, error) {
		var stream bytes.Buffer
		tarOf(t, &stream, entry{tar.Header{Name: "usr/lib/libx.a", Typeflag: tar.TypeReg, Mode: 0o644, Uid: uid, ModTime: testTime(uid)}, "!<arch>\n"})
		err := storeLibrary(filepath.Join(dir, name), io.LimitReader(&stream, int64(stream.Len()-cut)))
		text, _ := os.ReadFile(filepath.Join(dir, name))
		return text, err
	}
	a, errA := store("a", 1, 0)
	b, errB := store("b", 2, 0)
	if errA != nil || errB != nil || !bytes.Equal(a, b) || len(a) == 0 {
		t.Errorf("two stores of a library differ (%v, %v)", errA, errB)
	}
	if _, err := store("cut", 1, 1532); err == nil {
		t.Error("a cut stream was stored")
	}
	for name, h := range map[string]tar.Header{
		"folder": {Name: "usr/lib/", Typeflag: tar.TypeDir, Mode: 0o755},
		"empty":  {Name: "usr/lib/libx.a", Typeflag: tar.TypeReg, Mode: 0o644},
	} {
		var stream bytes.Buffer
		tarOf(t, &stream, entry{h, ""})
		if err := storeLibrary(filepath.Join(dir, name), &stream); !errors.Is(err, errNothing) {
			t.Errorf("%s: a library without bytes: %v", name, err)
		}
	}
	if info, err := os.Stat(filepath.Join(dir, "a")); err != nil || info.Mode().Perm() != 0o644 {
		t.Errorf("others cannot read what is in a shared cache: %v, %v", info.Mode(), err)
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 2 {
		t.Errorf("the cache holds %v (%v), want a and b", left, err)
	}
}

// Of a large source only some folders are taken, and nothing is read behind them.
func TestUnpackFolders(t *testing.T) {
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	tarOf(t, w, entry{tar.Header{Name: "x-1/README"}, "r"}, entry{tar.Header{Name: "x-1/lib/a.c"}, "a"},
		entry{tar.Header{Name: "x-1/lib/test/b.c"}, "b"}, entry{tar.Header{Name: "x-1/library/c.c"}, "c"},
		entry{tar.Header{Name: "x-1/abi/src/d.c"}, "d"}, entry{tar.Header{Name: "x-1/abi/e.c"}, "e"},
		entry{tar.Header{Name: "x-1/last/f.c"}, strings.Repeat("noise", 1000)})
	w.Close()
	archive := filepath.Join(t.TempDir(), "x.tar.gz")
	// Cut off: an error, if the end were read.
	if err := os.WriteFile(archive, packed.Bytes()[:packed.Len()-12], 0o644); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := unpackSource(&out, archive, "dir", []string{"lib", "abi/src"}); err != nil {
		t.Fatal(err)
	}
	var names []string
	for r := tar.NewReader(&out); ; {
		h, err := r.Next()
		if err != nil {
			break
		}
		names = append(names, h.Name)
	}
	if want := []string{"dir/lib/a.c", "dir/lib/test/b.c", "dir/abi/src/d.c"}; !slices.Equal(names, want) {
		t.Errorf("got %v", names)
	}
}
