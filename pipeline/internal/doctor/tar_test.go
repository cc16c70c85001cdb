package doctor

import (
	"archive/tar"
	"errors"
	"io"
	"io/fs"
)

// tarOf writes a root as the layer of an image.
func tarOf(w io.Writer, root fs.ReadLinkFS) error {
	t := tar.NewWriter(w)
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := root.Lstat(name)
		if err != nil {
			return err
		}
		if info.Mode()&fs.ModeSymlink != 0 {
			to, err := root.ReadLink(name)
			return errors.Join(err, t.WriteHeader(&tar.Header{Typeflag: tar.TypeSymlink, Name: name, Linkname: to}))
		}
		text, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		if err := t.WriteHeader(&tar.Header{Name: name, Mode: int64(info.Mode().Perm()), Size: int64(len(text))}); err != nil {
			return err
		}
		_, err = t.Write(text)
		return err
	})
	return errors.Join(err, t.Close())
}
