package alpine

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	at "github.com/tcapflow/tcapflow/pipeline/internal/alpine/alpinetest"
	"github.com/tcapflow/tcapflow/pipeline/internal/layer"
)

// list is what a package's layer holds, an entry a line: type and mode, name, link.
func list(t testing.TB, text []byte, place Place) ([]string, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "a.apk")
	if err := os.WriteFile(file, text, 0o644); err != nil {
		t.Fatal(err)
	}
	l, err := layer.Assemble(t.Context(), t.TempDir(), Unpack(file, place, nil, nil))
	if err != nil {
		return nil, err
	}
	r, err := l.Uncompressed()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var lines []string
	for entries := tar.NewReader(r); ; {
		h, err := entries.Next()
		if errors.Is(err, io.EOF) {
			return lines, nil
		}
		if err != nil {
			t.Fatalf("the layer is no tar archive: %v", err)
		}
		if h.Uid != 0 || h.Gid != 0 || h.PAXRecords != nil {
			t.Errorf("%s is of %d:%d, with %v", h.Name, h.Uid, h.Gid, h.PAXRecords)
		}
		lines = append(lines, strings.TrimSpace(fmt.Sprintf("%c%04o %s %s", h.Typeflag, h.Mode, h.Name,
			h.Linkname)))
	}
}

func TestUnpack(t *testing.T) {
	checked := func(w *tar.Writer) error { // as abuild-tar writes it
		h := &tar.Header{Typeflag: tar.TypeReg, Name: "usr/bin/checked", Mode: 0o755, Size: 1, Uid: 1000,
			Uname: "builder", ModTime: at.Day,
			PAXRecords: map[string]string{"APK-TOOLS.checksum.SHA1": strings.Repeat("00", 20)}}
		if err := w.WriteHeader(h); err != nil {
			return err
		}
		_, err := w.Write([]byte("x"))
		return err
	}
	a := apk(t, at.Package{Name: "a", Version: "1", Arch: "x86_64", Licence: "MIT AND BSD-3-Clause"},
		at.File("bin/", 0o755, ""), at.File("bin/busybox", 0o4755, "box"), at.Link(tar.TypeSymlink, "bin/ash",
			"/bin/busybox"),
		at.File("lib/", 0o755, ""), at.File("lib/ld-musl-x86_64.so.1", 0o755, "ld"),
		at.Link(tar.TypeSymlink, "usr/lib/ld-musl-x86_64.so.1", "../../lib/ld-musl-x86_64.so.1"), // itself, once merged
		at.Link(tar.TypeSymlink, "usr/lib/libc.so", "../../lib/ld-musl-x86_64.so.1"),
		at.File("tmp/", 0o1777, ""), checked, at.Link(tar.TypeLink, "usr/bin/again", "usr/bin/checked"),
		at.Link(tar.TypeSymlink, "sbin", "usr/sbin"))
	got, err := list(t, a.Text, Merged)
	want := []string{"51777 tmp/", "50755 usr/", "50755 usr/bin/", "50755 usr/lib/", // folders first
		"00755 usr/bin/busybox", "20777 usr/bin/ash /bin/busybox", "00755 usr/lib/ld-musl-x86_64.so.1",
		"20777 usr/lib/libc.so ../../lib/ld-musl-x86_64.so.1",
		"00755 usr/bin/checked", "10777 usr/bin/again usr/bin/checked"}
	slices.Sort(got)
	slices.Sort(want)
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%v, got %q\nwant %q", err, got, want)
	}
}

// seen and licence tell what was unpacked, also what a place leaves out.
func TestUnpackTells(t *testing.T) {
	a := apk(t, at.Package{Name: "a", Version: "1", Arch: "x86_64", Licence: "MIT"},
		at.File("usr/bin/x", 0o755, "x"), at.File("usr/share/man/x", 0o644, "x"))
	file := filepath.Join(t.TempDir(), "a.apk")
	if err := os.WriteFile(file, a.Text, 0o644); err != nil {
		t.Fatal(err)
	}
	var names []string
	var licence string
	place := func(name string) string {
		if strings.HasPrefix(name, "usr/share/") {
			return ""
		}
		return name
	}
	piece := Unpack(file, place, func(name string) { names = append(names, name) }, &licence)
	if _, err := layer.Assemble(t.Context(), t.TempDir(), piece); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(names, []string{"usr/bin/x"}) || licence != "MIT" {
		t.Errorf("%q, %q", names, licence)
	}
}

func TestUnpackRefuses(t *testing.T) {
	device := func(w *tar.Writer) error {
		return w.WriteHeader(&tar.Header{Typeflag: tar.TypeBlock, Name: "dev/sda", Devmajor: 8,
			ModTime: at.Day})
	}
	for name, c := range map[string]struct {
		write func(*tar.Writer) error
		says  string
	}{
		"up": {at.File("../etc/passwd", 0o644, "x"),
			`"../etc/passwd" leads out of the package`},
		"up in between":    {at.File("usr/../../etc/passwd", 0o644, "x"), "leads out of the package"},
		"from the root":    {at.File("/etc/passwd", 0o644, "x"), "leads out of the package"},
		"hard link out":    {at.Link(tar.TypeLink, "x", "../../etc/shadow"), "leads out of the package"},
		"hard link abroad": {at.Link(tar.TypeLink, "x", "etc/shadow"), "which the package does not have"},
		"a device":         {device, "neither file, folder nor link"},
		"twice": {at.All(at.File("a", 0o644, "1"), at.File("./a", 0o644, "2")),
			"twice in one package"},
		"twice, merged": {at.All(at.File("lib/a", 0o644, "1"), at.File("usr/lib/a", 0o644, "2")),
			"twice in one package"},
		"through a link": {at.All(at.Link(tar.TypeSymlink, "a", "/etc"), at.File("a/passwd", 0o644, "x")),
			"below a, which is no folder"},
	} {
		t.Run(name, func(t *testing.T) {
			a, err := testKey().Package(at.Package{Name: "a", Version: "1", Arch: "x86_64"}, c.write)
			if err != nil {
				t.Fatal(err)
			}
			lines, err := list(t, a.Text, Merged)
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%q, %v, want %q", lines, err, c.says)
			}
		})
	}
}

// A bomb ends at the limit, whether it is of many files, of one, or of none.
func TestUnpackedLimit(t *testing.T) {
	const limit = 100_000
	many := func(w *tar.Writer) error {
		for i := range 100 {
			if err := at.File(fmt.Sprint("f", i), 0o644, strings.Repeat("x", limit/50))(w); err != nil {
				return err
			}
		}
		return nil
	}
	for name, write := range map[string]func(*tar.Writer) error{
		"one file":   at.File("f", 0o644, strings.Repeat("x", limit+1)),
		"many files": many,
	} {
		packed, err := at.Pack(true, write)
		if err != nil {
			t.Fatal(err)
		}
		if err := readAll(packed, limit); !errors.Is(err, errTooLarge) {
			t.Errorf("%s: %v", name, err)
		}
		if err := readAll(packed, 100*limit); err != nil {
			t.Errorf("%s below the limit: %v", name, err)
		}
	}
	if err := readAll(zeros(t, 10*limit), limit); err != nil { // two zero blocks end an archive
		t.Errorf("zeros: %v", err)
	}
}

func readAll(packed []byte, limit int64) error {
	part := io.NewSectionReader(bytes.NewReader(packed), 0, int64(len(packed)))
	return eachEntry(part, limit, func(_ *entryHeader, body io.Reader) error {
		_, err := io.Copy(io.Discard, body)
		return err
	})
}
