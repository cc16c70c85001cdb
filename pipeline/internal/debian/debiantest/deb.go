package debiantest

import (
	"archive/tar"
	"bytes"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/blakesmith/ar"
)

// Deb makes a package of files with their texts. A name that ends in "/" is a folder, a text
// that begins with "-> " a symbolic link; what lies in a folder bin can be executed.
func Deb(files map[string]string) ([]byte, error) {
	var data bytes.Buffer
	w := tar.NewWriter(&data)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		text := files[name]
		h := tar.Header{Typeflag: tar.TypeReg, Name: "./" + name, Mode: 0o644, ModTime: time.Unix(1e9, 0)}
		h.Size = int64(len(text))
		to, link := strings.CutPrefix(text, "-> ")
		switch {
		case strings.HasSuffix(name, "/"):
			h.Typeflag, h.Mode = tar.TypeDir, 0o755
		case link:
			h.Typeflag, h.Linkname, h.Mode, h.Size, text = tar.TypeSymlink, to, 0o777, 0, ""
		case strings.Contains(name, "bin/"):
			h.Mode = 0o755
		}
		if err := w.WriteHeader(&h); err != nil {
			return nil, err
		}
		if _, err := w.Write([]byte(text)); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	packed, err := compress(data.String())
	if err != nil {
		return nil, err
	}
	return archive(packed)
}

// archive makes an ar archive of the three members of a package, deb(5).
func archive(data []byte) ([]byte, error) {
	var out bytes.Buffer
	w := ar.NewWriter(&out)
	err := w.WriteGlobalHeader()
	for _, m := range []struct {
		name string
		text []byte
	}{{"debian-binary", []byte("2.0\n")}, {"control.tar.gz", []byte("odd")}, {"data.tar.xz", data}} {
		h := ar.Header{Name: m.name, Size: int64(len(m.text)), Mode: 0o644, ModTime: time.Unix(0, 0)}
		err = errors.Join(err, w.WriteHeader(&h))
		_, failed := w.Write(m.text)
		err = errors.Join(err, failed)
	}
	return out.Bytes(), err
}
