//go:build linux

package release

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"golang.org/x/sys/unix"

	"github.com/tcapflow/tcapflow/spec"
)

func TestFileCapabilities(t *testing.T) {
	tests := []struct {
		setcap       string
		capabilities []spec.Capability
		want         []byte
	}{
		{"cap_net_raw=p", []spec.Capability{spec.CapNetRaw},
			[]byte{0, 0, 0, 2, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}},
		{"cap_net_raw,cap_bpf=p", []spec.Capability{spec.CapNetRaw, 39}, // linux/capability.h: CAP_BPF
			[]byte{0, 0, 0, 2, 0, 0x20, 0, 0, 0, 0, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 0}},
	}
	for _, tt := range tests {
		t.Run(tt.setcap, func(t *testing.T) {
			got := fileCapabilities(tt.capabilities)
			if !bytes.Equal(got, tt.want) {
				t.Errorf("%x, want %x", got, tt.want)
			}
			if set := setcap(t, tt.setcap); !bytes.Equal(got, set) {
				t.Errorf("%x, setcap(8) sets %x", got, set)
			}
		})
	}
}

// setcap returns the attribute that setcap(8) gives a file.
func setcap(t *testing.T, text string) []byte {
	t.Helper()
	name := filepath.Join(t.TempDir(), "file")
	must(t, os.WriteFile(name, nil, 0o755))
	if out, err := exec.Command("setcap", text, name).CombinedOutput(); err != nil {
		t.Skipf("skipped: setcap(8) gives no oracle: %v %s", err, out)
	}
	value := make([]byte, 64)
	n, err := unix.Getxattr(name, capabilityAttribute, value)
	must(t, err)
	return value[:n]
}

// The program in an image, and nothing else, has the capabilities of the project.
func TestImageCapabilities(t *testing.T) {
	for _, capabilities := range [][]spec.Capability{{spec.CapNetRaw}, nil} {
		s := newTest(t, static(t))
		s.Project.Capabilities = capabilities
		writeImages(t, s, s.Targets)
		index, err := readIndex(s.path(imagesDir, "scratch"))
		must(t, err)
		m, err := index.IndexManifest()
		must(t, err)
		for _, d := range m.Manifests {
			img, err := index.Image(d.Digest)
			must(t, err)
			for name, got := range attributes(t, img) {
				want := ""
				if name == "usr/bin/client" && capabilities != nil {
					want = string(fileCapabilities(capabilities))
				}
				if got != want {
					t.Errorf("%s: %s has %x, want %x", d.Platform, name, got, want)
				}
			}
		}
	}
}

// attributes gives the file capabilities of each entry of an image.
func attributes(t *testing.T, img v1.Image) map[string]string {
	t.Helper()
	layers, err := img.Layers()
	must(t, err)
	found := map[string]string{}
	for _, l := range layers {
		r, err := l.Uncompressed()
		must(t, err)
		defer r.Close()
		for entries := tar.NewReader(r); ; {
			h, err := entries.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			must(t, err)
			found[h.Name] = h.PAXRecords["SCHILY.xattr.security.capability"]
		}
	}
	if _, there := found["usr/bin/client"]; !there {
		t.Fatalf("no program in %v", found)
	}
	return found
}
