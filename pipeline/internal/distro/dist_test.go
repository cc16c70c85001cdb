package distro

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tcapflow/tcapflow/spec"
)

// What GoReleaser writes, but for the fields that nobody reads.
const artifactsJSON = `[
 {"name": "checksums.txt", "path": "dist/checksums.txt", "type": "Checksum", "extra": {}},
 {"name": "x", "path": "dist/x_linux_amd64_v1/x", "goos": "linux", "goarch": "amd64", "goamd64": "v1", "type": "Binary", "extra": {"Binary": "x"}},
 {"name": "x_amd64.deb", "path": "dist/x_amd64.deb", "goos": "linux", "goarch": "amd64", "goamd64": "v1", "type": "Linux Package", "extra": {"Format": "deb"}},
 {"name": "x_amd64.tar.gz", "path": "dist/x_amd64.tar.gz", "goos": "linux", "goarch": "amd64", "goamd64": "v1", "type": "Archive", "extra": {"Format": "tar.gz"}},
 {"name": "x_armv6.deb", "path": "dist/x_armv6.deb", "goos": "linux", "goarch": "arm", "goarm": "6", "type": "Linux Package", "extra": {"Format": "deb"}},
 {"name": "x_armv7.deb", "path": "dist/x_armv7.deb", "goos": "linux", "goarch": "arm", "goarm": "7", "type": "Linux Package", "extra": {"Format": "deb"}},
 {"name": "a.deb", "path": "dist/a.deb", "goos": "linux", "goarch": "386", "type": "Linux Package", "extra": {"Format": "deb"}},
 {"name": "b.deb", "path": "dist/b.deb", "goos": "linux", "goarch": "386", "type": "Linux Package", "extra": {"Format": "deb"}},
 {"name": "out", "path": "dist/../../out", "goos": "linux", "goarch": "arm64", "type": "Archive", "extra": {"Format": "tar.gz"}}
]`

func TestDistFile(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "artifacts.json"), []byte(artifactsJSON), 0o644); err != nil {
		t.Fatal(err)
	}
	d, err := readDist(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ target, format, want, err string }{
		{"linux/amd64", "deb", "x_amd64.deb", ""},
		{"linux/amd64", "tar.gz", "x_amd64.tar.gz", ""},
		{"linux/arm/v7", "deb", "x_armv7.deb", ""},
		{"linux/386", "deb", "", "names 2 packages"},
		{"linux/s390x", "deb", "", "names 0 packages"},
		{"linux/arm64", "tar.gz", "", "not below dist/"},
	} {
		words := strings.Split(test.target+"/", "/")
		target := spec.Target{Name: test.target, GOARCH: words[1], GOARM: strings.TrimPrefix(words[2], "v")}
		got, err := d.file(target, test.format)
		if test.err != "" {
			if err == nil || !strings.Contains(err.Error(), test.err) {
				t.Errorf("%s %s: error %v, want %q", test.target, test.format, err, test.err)
			}
		} else if err != nil || got != filepath.Join(dir, test.want) {
			t.Errorf("%s %s: %q, %v; want %s", test.target, test.format, got, err, test.want)
		}
	}
}

func TestDistIsMissing(t *testing.T) {
	if _, err := readDist(t.TempDir()); err == nil || !strings.Contains(err.Error(), "mage release") {
		t.Errorf("error %v, want one that says what to run first", err)
	}
}
