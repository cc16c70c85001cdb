package debian

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/blakesmith/ar"
	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"

	"github.com/tcapflow/tcapflow/pipeline/internal/layer"
	"github.com/tcapflow/tcapflow/pipeline/internal/stream"
)

func tarball(t testing.TB, entries ...entry) []byte {
	t.Helper()
	var text bytes.Buffer
	w := tar.NewWriter(&text)
	for _, e := range entries {
		e.Size = int64(len(e.body))
		if err := w.WriteHeader(&e.Header); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, e.body); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return text.Bytes()
}

type entry struct {
	tar.Header
	body string
}

func file(name string, mode int64, body string) entry {
	return entry{tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: mode, ModTime: time.Unix(1e9, 0)}, body}
}

func folder(name string) entry {
	return entry{Header: tar.Header{Typeflag: tar.TypeDir, Name: name, Mode: 0o755}}
}

func link(kind byte, name, to string) entry {
	return entry{Header: tar.Header{Typeflag: kind, Name: name, Linkname: to, Mode: 0o777}}
}

func compress(t testing.TB, kind string, text []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	var w io.WriteCloser
	var err error
	switch kind {
	case "":
		return text
	case ".xz":
		w, err = xz.WriterConfig{DictCap: 1 << 16}.NewWriter(&out)
	case ".zst":
		w, err = zstd.NewWriter(&out, zstd.WithEncoderConcurrency(1))
	case ".gz":
		w = gzip.NewWriter(&out)
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

type member struct {
	name string
	text []byte
}

// archive makes an ar archive with a library that is not ours.
func archive(t testing.TB, members ...member) []byte {
	t.Helper()
	var out bytes.Buffer
	w := ar.NewWriter(&out)
	err := w.WriteGlobalHeader()
	for _, m := range members {
		err = errors.Join(err, w.WriteHeader(&ar.Header{Name: m.name, Size: int64(len(m.text)), Mode: 0o644, ModTime: time.Unix(0, 0)}))
		_, werr := w.Write(m.text)
		err = errors.Join(err, werr)
	}
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func deb(t testing.TB, kind string, entries ...entry) []byte {
	return archive(t, member{"debian-binary", []byte("2.0\n")}, member{"control.tar.gz", []byte("odd")},
		member{"data.tar" + kind, compress(t, kind, tarball(t, entries...))})
}

func write(t testing.TB, text []byte) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "a.deb")
	if err := os.WriteFile(name, text, 0o644); err != nil {
		t.Fatal(err)
	}
	return name
}

// unpack lists a package's layer, an entry a line, as tar -tv might.
func unpack(t testing.TB, deb string, place Place) (list []string, licences []string, err error) {
	t.Helper()
	l, err := layer.Assemble(t.Context(), t.TempDir(), Unpack(deb, place, &licences))
	if err != nil {
		return nil, nil, err
	}
	r, err := l.Uncompressed()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for entries := tar.NewReader(r); ; {
		h, err := entries.Next()
		if errors.Is(err, io.EOF) {
			return list, licences, nil
		}
		if err != nil {
			t.Fatalf("the layer is no tar archive: %v", err)
		}
		body, err := io.ReadAll(entries)
		if err != nil {
			t.Fatal(err)
		}
		line := fmt.Sprintf("%c %o %s", h.Typeflag, h.Mode, h.Name)
		if h.Linkname != "" {
			line += " → " + h.Linkname
		}
		if len(body) > 0 {
			line += " " + string(body)
		}
		list = append(list, line)
	}
}

func TestUnpack(t *testing.T) {
	const copyright = "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\nFiles: *\nLicense: BSD-3-Clause\n\nFiles: x\nLicense: GPL-2+\n\nLicense: BSD-3-Clause\n text\nLicense:\n"
	entries := []entry{
		folder("./"), folder("./lib/"), folder("./usr/"), folder("./usr/bin/"),
		file("./usr/bin/tool", 0o4755, "ELF"),
		link(tar.TypeLink, "./usr/bin/twin", "./usr/bin/tool"),
		link(tar.TypeSymlink, "./usr/bin/alias", "../lib/real"),
		file("./lib/libm.so", 0o644, "old place"),
		file("./usr/share/doc/tool/copyright", 0o644, copyright),
		file("./usr/share/man/man1/tool.1", 0o644, "manual"),
	}
	place := func(name string) string {
		if strings.HasPrefix(name, "usr/share/") {
			return ""
		}
		return AsPackaged(name)
	}
	want := []string{
		"5 755 usr/", "5 755 usr/bin/", "5 755 usr/lib/",
		"0 4755 usr/bin/tool ELF", "1 777 usr/bin/twin → usr/bin/tool", "2 777 usr/bin/alias → ../lib/real", "0 644 usr/lib/libm.so old place",
	}
	for _, kind := range []string{"", ".gz", ".xz", ".zst"} {
		t.Run("data.tar"+kind, func(t *testing.T) {
			got, licences, err := unpack(t, write(t, deb(t, kind, entries...)), place)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(got, want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
			if !slices.Equal(licences, []string{"BSD-3-Clause", "GPL-2+"}) {
				t.Errorf("licences %q", licences)
			}
		})
	}
	t.Run("copyright is kept", func(t *testing.T) {
		got, _, err := unpack(t, write(t, deb(t, ".gz", entries...)), AsPackaged)
		if err != nil || !slices.Contains(got, "0 644 usr/share/doc/tool/copyright "+copyright) {
			t.Errorf("%q, %v", got, err)
		}
	})
}

func TestAsPackaged(t *testing.T) {
	for name, want := range map[string]string{
		"bin": "", "lib64": "", "bin/sh": "usr/bin/sh", "lib64/ld.so": "usr/lib64/ld.so", "sbin/init": "usr/sbin/init", "lib/a/b": "usr/lib/a/b",
		"usr": "usr", "usr/bin/x": "usr/bin/x", "etc/passwd": "etc/passwd", "library/x": "library/x", "": "",
	} {
		if got := AsPackaged(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

// No path leads out of the image, whatever it is called.
func TestUnpackPaths(t *testing.T) {
	got, _, err := unpack(t, write(t, deb(t, "", file("../../etc/shadow", 0o600, "a"), file("/abs", 0o644, "b"), file("./a/../../c", 0o644, "c"))), AsPackaged)
	want := []string{"5 755 etc/", "0 600 etc/shadow a", "0 644 abs b", "0 644 c c"}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%q, %v", got, err)
	}
}

func TestUnpackRefuses(t *testing.T) {
	whole := deb(t, ".xz", file("./a", 0o644, strings.Repeat("text ", 1000)))
	header := func(edit func(h []byte)) []byte {
		b := bytes.Clone(whole)
		edit(b[8:68])
		return b
	}
	for name, c := range map[string]struct {
		deb  []byte
		fail string
	}{
		"empty":                     {nil, "not an ar archive"},
		"no ar":                     {[]byte("PK\x03\x04 and so on"), "not an ar archive"},
		"no member":                 {[]byte("!<arch>\n"), "no data.tar"},
		"no data":                   {archive(t, member{"debian-binary", []byte("2.0\n")}), "no data.tar"},
		"other compression":         {archive(t, member{"data.tar.lzma", []byte("x")}), "unknown compression"},
		"cut in the data":           {whole[:len(whole)-40], "EOF"},
		"cut in a header":           {whole[:30], "EOF"},
		"cut in a member":           {whole[:69], "cut short"},
		"negative size":             {header(func(h []byte) { copy(h[48:], "-5        ") }), "damaged"},
		"negative size of the data": {bytes.Replace(archive(t, member{"data.tar", nil}), []byte("0         `\n"), []byte("-5        `\n"), 1), "damaged"},
		"size is no number":         {header(func(h []byte) { copy(h[48:], "0x10      ") }), "damaged"},
		"size beyond the end":       {header(func(h []byte) { copy(h[48:], "9999999999") }), "cut short"},
		"no end of header":          {header(func(h []byte) { h[59] = 0 }), "damaged"},
		"data is no xz":             {archive(t, member{"data.tar.xz", []byte("no xz here")}), "xz"},
		"tar entry is cut":          {archive(t, member{"data.tar", tarball(t, file("./a", 0o644, strings.Repeat("x", 600)))[:700]}), "EOF"},
		"hard link to what is left": {deb(t, "", file("./lib", 0o644, "x"), link(tar.TypeLink, "./b", "./lib")), "left out"},
		"larger than any":           {archive(t, member{"data.tar", huge(t)}), "4 GiB"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, _, err := unpack(t, write(t, c.deb), AsPackaged); err == nil || !strings.Contains(err.Error(), c.fail) || !strings.Contains(err.Error(), "a.deb") {
				t.Errorf("got %v, want %q", err, c.fail)
			}
		})
	}
	if _, _, err := unpack(t, "testdata/none.deb", AsPackaged); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
	// ar's mode field is nothing to us: an empty one is no reason to stop.
	if _, _, err := unpack(t, write(t, header(func(h []byte) { copy(h[40:48], "        ") })), AsPackaged); err != nil {
		t.Errorf("without a mode: %v", err)
	}
}

// huge is a tar archive of a file of 5 GiB, with none of its bytes.
func huge(t testing.TB) []byte {
	t.Helper()
	var text bytes.Buffer
	w := tar.NewWriter(&text)
	if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: "./a", Size: 5 << 30}); err != nil {
		t.Fatal(err)
	}
	return text.Bytes()
}

func TestBounded(t *testing.T) {
	read := func(limit int64) (int, error) {
		text, err := io.ReadAll(stream.Bounded(strings.NewReader("12345"), limit, errTooLarge))
		return len(text), err
	}
	if n, err := read(5); n != 5 || err != nil {
		t.Errorf("just the limit: %d, %v", n, err)
	}
	if _, err := read(4); !errors.Is(err, errTooLarge) {
		t.Errorf("beyond the limit: %v", err)
	}
}

func TestExtract(t *testing.T) {
	name := write(t, deb(t, ".xz", folder("./usr/"), link(tar.TypeSymlink, "./usr/b", "a"), file("./usr/a", 0o755, "text")))
	var out bytes.Buffer
	if err := Extract(name, "usr/a", &out); err != nil || out.String() != "text" {
		t.Errorf("%q, %v", &out, err)
	}
	for _, other := range []string{"usr/b", "usr", "none"} {
		if err := Extract(name, other, &out); err == nil || !strings.Contains(err.Error(), "no file "+other) {
			t.Errorf("%s: %v", other, err)
		}
	}
	if err := Extract(write(t, archive(t, member{"data.tar", huge(t)})), "a", &out); !errors.Is(err, errTooLarge) {
		t.Errorf("a file of 5 GiB: %v", err)
	}
}

// dpkg-deb is the oracle: what it packs, we unpack.
func TestUnpackDpkgDeb(t *testing.T) {
	tool, err := exec.LookPath("dpkg-deb")
	if err != nil {
		t.Skip(err)
	}
	root := t.TempDir()
	for name, text := range map[string]string{
		"DEBIAN/control":          "Package: a\nVersion: 1\nArchitecture: all\nMaintainer: a <a@example>\nDescription: a\n",
		"usr/bin/a":               "program",
		"usr/share/" + longName(): "long",
	} {
		file := filepath.Join(root, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte(text), 0o755), os.Chmod(file, 0o755)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(os.Link(filepath.Join(root, "usr/bin/a"), filepath.Join(root, "usr/bin/b")), os.Symlink("a", filepath.Join(root, "usr/bin/c"))); err != nil {
		t.Fatal(err)
	}
	want := []string{"0 755 usr/bin/a program", "0 755 usr/share/" + longName() + " long", "1 755 usr/bin/b → usr/bin/a", "2 777 usr/bin/c → a", "5 755 usr/", "5 755 usr/bin/", "5 755 usr/share/"}
	for _, kind := range []string{"xz", "gzip", "zstd", "none"} {
		t.Run(kind, func(t *testing.T) {
			out := filepath.Join(t.TempDir(), "a.deb")
			if said, err := exec.Command(tool, "-Z"+kind, "-z1", "--root-owner-group", "--build", root, out).CombinedOutput(); err != nil {
				t.Skipf("dpkg-deb -Z%s: %v: %s", kind, err, said)
			}
			got, _, err := unpack(t, out, AsPackaged)
			slices.Sort(got)
			if err != nil || !slices.Equal(got, want) {
				t.Errorf("got\n%s\n%v", strings.Join(got, "\n"), err)
			}
		})
	}
}

// longName does not fit the name field of a tar header.
func longName() string { return strings.Repeat("n", 180) }

// Whatever stands in a .deb, the layer of it is a tar archive whose paths stay in the image.
func FuzzUnpack(f *testing.F) {
	for _, kind := range []string{"", ".gz", ".zst", ".xz"} {
		f.Add(deb(f, kind, folder("./usr/"), file("./usr/a", 0o755, "text"), link(tar.TypeLink, "./b", "./usr/a"), link(tar.TypeSymlink, "./c", "../..")))
	}
	f.Add(archive(f, member{"data.tar", huge(f)}))
	f.Add([]byte("!<arch>\ndata.tar        0           0     0     1       5         `\n"))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text []byte) {
		name := filepath.Join(dir, "a.deb")
		if err := os.WriteFile(name, text, 0o644); err != nil {
			t.Fatal(err)
		}
		list, _, err := unpack(t, name, AsPackaged)
		if err != nil {
			return
		}
		for _, line := range list {
			path := strings.SplitN(line, " ", 3)[2]
			if strings.HasPrefix(path, "/") || strings.HasPrefix(path, "../") {
				t.Errorf("leads out: %q", line)
			}
		}
	})
}
