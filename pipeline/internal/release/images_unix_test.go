//go:build unix

package release

import (
	"io/fs"
	"path/filepath"
	"syscall"
	"testing"
)

// Files of a layout can be read by everybody and run by nobody, whatever the umask is.
func TestLayoutModes(t *testing.T) {
	for _, mask := range []int{0, 0o077} {
		s := newTest(t, static(t))
		old := syscall.Umask(mask)
		t.Cleanup(func() { syscall.Umask(old) })
		writeImages(t, s, s.Targets)
		syscall.Umask(old)
		files := 0
		err := filepath.WalkDir(s.path(imagesDir), func(name string, d fs.DirEntry, err error) error {
			must(t, err)
			want := fs.FileMode(0o644)
			if d.IsDir() {
				want = 0o755
			} else {
				files++
			}
			info, err := d.Info()
			must(t, err)
			if info.Mode().Perm() != want {
				t.Errorf("umask %03o: %s has mode %o, want %o", mask, name, info.Mode().Perm(), want)
			}
			return nil
		})
		must(t, err)
		if files < 2 {
			t.Errorf("%d files", files)
		}
	}
}
