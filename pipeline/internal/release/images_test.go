package release

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/tcapflow/tcapflow/build/distroless"

	"github.com/blakesmith/ar"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/tcapflow/tcapflow/pipeline/internal/debian"
	"github.com/tcapflow/tcapflow/pipeline/internal/fetch"
	"github.com/tcapflow/tcapflow/pipeline/internal/packed"
	"github.com/tcapflow/tcapflow/spec"
)

// writeImages writes the layouts for some of the stage's targets.
func writeImages(t *testing.T, s *stage, targets []spec.Target) {
	t.Helper()
	some := *s
	some.Targets = targets
	some.Mirror, some.Lock = testMirror(t)
	binaries, err := some.binaries()
	must(t, err)
	must(t, some.images(context.Background(), binaries))
}

// testMirror has the packages of distroless.Image.Packages with a file of each kind that matters.
func testMirror(t *testing.T) (debian.Mirror, debian.Lock) {
	t.Helper()
	debs := map[string][]byte{
		"ca-certificates": testDeb(t, "usr/share/ca-certificates/mozilla/B.crt=B\n", "usr/share/ca-certificates/mozilla/A.crt=A",
			"usr/share/doc/ca-certificates/copyright=MPL", "usr/sbin/update-ca-certificates=#!/bin/sh", "etc/ca-certificates/update.d/x=x"),
		"tzdata": testDeb(t, "usr/share/zoneinfo/UTC=TZif", "usr/share/zoneinfo/localtime=link", "usr/share/doc/tzdata/copyright=public domain", "usr/share/doc/tzdata/changelog.gz=x", "usr/share/zoneinfo-more/x=x", "usr/share/man/x=x"),
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.Write(debs[r.URL.Path[1:]]) }))
	t.Cleanup(server.Close)
	var locked []debian.Package
	for _, name := range distroless.Image.Packages.Packages {
		sum := sha256.Sum256(debs[name])
		locked = append(locked, debian.Package{Name: name, Filename: name, Size: int64(len(debs[name])), SHA256: hex.EncodeToString(sum[:])})
	}
	return debian.Mirror{URL: server.URL, Cache: &fetch.Cache{Dir: t.TempDir()}},
		debian.Lock{Sets: map[string][]debian.Package{debian.SetKey(distroless.Image.Packages, distroless.Image.Packages.Arches[0]): locked}}
}

// testDeb is a package of files that are given as name=text.
func testDeb(t *testing.T, files ...string) []byte {
	t.Helper()
	var data, deb bytes.Buffer
	packed := gzip.NewWriter(&data)
	w := tar.NewWriter(packed)
	for _, f := range files {
		name, text, _ := strings.Cut(f, "=")
		must(t, w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: "./" + name, Mode: 0o644, Size: int64(len(text)), ModTime: commitTime}))
		io.WriteString(w, text)
	}
	must(t, errors.Join(w.Close(), packed.Close()))
	members := ar.NewWriter(&deb)
	must(t, members.WriteGlobalHeader())
	must(t, members.WriteHeader(&ar.Header{Name: "data.tar.gz", Mode: 0o644, Size: int64(data.Len())}))
	_, err := members.Write(data.Bytes())
	must(t, err)
	return deb.Bytes()
}

func TestImages(t *testing.T) {
	binary := []string{"usr/ 755 0", "usr/bin/ 755 0", "usr/share/ 755 0", "usr/share/doc/ 755 0", "usr/share/doc/client/ 755 0",
		"usr/bin/client 755 0", "usr/share/doc/client/copyright 644 0"}
	contents := map[string][]string{
		"scratch": binary,
		"distroless": append([]string{
			"etc/ 755 0", "etc/ssl/ 755 0", "etc/ssl/certs/ 755 0", "tmp/ 1777 0", "usr/ 755 0", "usr/share/ 755 0",
			"usr/share/doc/ 755 0", "usr/share/doc/ca-certificates/ 755 0", "usr/share/doc/tzdata/ 755 0", "usr/share/zoneinfo/ 755 0",
			"etc/ssl/certs/ca-certificates.crt 644 0", "etc/group 644 0", "etc/passwd 644 0",
			"usr/share/doc/ca-certificates/copyright 644 0", "usr/share/zoneinfo/UTC 644 0", "usr/share/doc/tzdata/copyright 644 0",
		}, binary...),
	}
	s := newTest(t, static(t))
	writeImages(t, s, s.Targets)
	for _, flavour := range flavours {
		t.Run(flavour, func(t *testing.T) {
			index, err := readIndex(s.path(imagesDir, flavour))
			must(t, err)
			m, err := index.IndexManifest()
			must(t, err)
			for _, d := range m.Manifests {
				t.Run(d.Platform.String(), func(t *testing.T) {
					img, err := index.Image(d.Digest)
					must(t, err)
					if got := listing(t, img); !slices.Equal(got, contents[flavour]) {
						t.Errorf("holds\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(contents[flavour], "\n"))
					}
					checkImageConfig(t, img, d.Platform)
				})
			}
		})
	}
}

func checkImageConfig(t *testing.T, img v1.Image, p *v1.Platform) {
	t.Helper()
	file, err := img.ConfigFile()
	must(t, err)
	if file.Config.User != "65532:65532" || !slices.Equal(file.Config.Entrypoint, []string{"/usr/bin/client"}) || file.Config.Cmd != nil {
		t.Errorf("user %q, entry point %q, command %q", file.Config.User, file.Config.Entrypoint, file.Config.Cmd)
	}
	if !file.Created.Equal(commitTime) || !file.Platform().Equals(*p) {
		t.Errorf("created %v for %v, want %v for %v", file.Created, file.Platform(), commitTime, p)
	}
	for name, want := range map[string]string{"title": "client", "version": version, "revision": "abc1234", "source": "https://example.com/owner/name"} {
		if got := file.Config.Labels["org.opencontainers.image."+name]; got != want {
			t.Errorf("label %s is %q, want %q", name, got, want)
		}
	}
}

// listing gives each entry of an image's layers as "name mode owner".
func listing(t *testing.T, img v1.Image) []string {
	t.Helper()
	layers, err := img.Layers()
	must(t, err)
	var names []string
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
			names = append(names, fmt.Sprintf("%s %o %d", h.Name, h.Mode, h.Uid))
		}
	}
	return names
}

// The same inputs give the same digests, whatever folder they are made in.
func TestImagesAreReproducible(t *testing.T) {
	var digests []string
	program := static(t)
	for range 2 {
		s := newTest(t, program)
		writeImages(t, s, s.Targets)
		text, err := os.ReadFile(s.path(digestsName))
		must(t, err)
		digests = append(digests, string(text))
	}
	if digests[0] != digests[1] || strings.Count(digests[0], "sha256:") != len(flavours) {
		t.Errorf("digests\n%s\nand\n%s", digests[0], digests[1])
	}
}

func TestCertificates(t *testing.T) {
	s := newTest(t, static(t))
	s.Mirror, s.Lock = testMirror(t)
	locked, err := s.Lock.Packages(distroless.Image.Packages, distroless.Image.Packages.Arches[0])
	must(t, err)
	debs, err := s.Mirror.Debs(context.Background(), locked)
	must(t, err)
	bundle, err := s.certificates(context.Background(), debs)
	if err != nil || string(bundle) != "A\nB\n" {
		t.Errorf("%q, %v; want sorted, each ended by a newline", bundle, err)
	}
}

// readIndex opens the one multi-platform image of a layout.
func readIndex(dir string) (v1.ImageIndex, error) {
	top, err := packed.Layout(dir)
	if err != nil {
		return nil, err
	}
	m, err := top.IndexManifest()
	if err != nil {
		return nil, err
	}
	if len(m.Manifests) != 1 {
		return nil, fmt.Errorf("%s: %d images, want 1", dir, len(m.Manifests))
	}
	return top.ImageIndex(m.Manifests[0].Digest)
}
