package release

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/klauspost/compress/gzip"

	"github.com/tcapflow/tcapflow/pipeline/internal/debian"
	"github.com/tcapflow/tcapflow/pipeline/internal/layer"
	"github.com/tcapflow/tcapflow/spec"
)

// flavours are the images that a release has, each for all targets.
var flavours = []string{"distroless", "scratch"}

// refName names an image in a layout (image-spec, annotations.md), as a tag does in a
// registry: skopeo copy --all oci:dist/images/scratch:1.2.3 docker://…
const refName = "org.opencontainers.image.ref.name"

// images writes an image layout of each flavour, and images.txt with their digests.
func (s *stage) images(ctx context.Context, binaries []Binary) error {
	return s.step("images (distroless, scratch)", func() error {
		root, err := s.distrolessLayer(ctx)
		if err != nil {
			return err
		}
		below := map[string][]v1.Layer{"distroless": {root}, "scratch": nil}
		indexes, err := s.indexes(ctx, binaries, below)
		if err != nil {
			return err
		}
		var digests strings.Builder
		for _, f := range flavours {
			if err := s.writeLayout(s.path(imagesDir, f), indexes[f]); err != nil {
				return err
			}
			digest, err := indexes[f].Digest()
			if err != nil {
				return err
			}
			fmt.Fprintf(&digests, "%s  %s\n", digest, path.Join(imagesDir, f))
		}
		if err := readable(s.path(imagesDir)); err != nil {
			return err
		}
		return os.WriteFile(s.path(digestsName), []byte(digests.String()), 0o644)
	})
}

// indexes puts each binary on top of each flavour's own layers.
func (s *stage) indexes(
	ctx context.Context, binaries []Binary, below map[string][]v1.Layer,
) (map[string]v1.ImageIndex, error) {
	out := map[string]v1.ImageIndex{}
	for f := range below {
		out[f] = mutate.Annotations(empty.Index, s.labels()).(v1.ImageIndex)
	}
	for i, t := range s.Targets {
		top, err := s.binaryLayer(ctx, binaries[i])
		if err != nil {
			return nil, err
		}
		for f, layers := range below {
			img, err := s.image(t, append(slices.Clone(layers), top)...)
			if err != nil {
				return nil, err
			}
			of := v1.Descriptor{Platform: ociPlatform(t)}
			out[f] = mutate.AppendManifests(out[f], mutate.IndexAddendum{Add: img, Descriptor: of})
		}
	}
	return out, nil
}

// ociPlatform is a target as images name it: of the variants, Go's GOARM is ARM's.
func ociPlatform(t spec.Target) *v1.Platform {
	p := &v1.Platform{OS: "linux", Architecture: t.GOARCH}
	if t.GOARM != "" {
		p.Variant = "v" + t.GOARM
	}
	return p
}

// labels are the same on image, manifest and index (image-spec, annotations.md).
func (s *stage) labels() map[string]string {
	const prefix = "org.opencontainers.image."
	return map[string]string{
		prefix + "title":       s.Project.Name,
		prefix + "description": s.Project.Summary,
		prefix + "version":     s.Source.Version,
		prefix + "revision":    s.Source.Commit,
		prefix + "source":      s.homepage(),
		prefix + "created":     s.Source.Date,
	}
}

// image makes an image of layers whose only time is the commit's.
func (s *stage) image(t spec.Target, layers ...v1.Layer) (v1.Image, error) {
	img := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	created := v1.Time{Time: s.time}
	for _, l := range layers {
		var err error
		history := v1.History{Created: created, CreatedBy: "mage release"}
		if img, err = mutate.Append(img, mutate.Addendum{Layer: l, History: history}); err != nil {
			return nil, err
		}
	}
	file, err := img.ConfigFile()
	if err != nil {
		return nil, err
	}
	file = file.DeepCopy()
	p := ociPlatform(t)
	file.OS, file.Architecture, file.Variant, file.Created = p.OS, p.Architecture, p.Variant, created
	entry := []string{"/" + s.binaryPath()}
	file.Config = v1.Config{User: s.Project.Runtime.User, Entrypoint: entry, Labels: s.labels()}
	if img, err = mutate.ConfigFile(img, file); err != nil {
		return nil, err
	}
	return mutate.Annotations(img, s.labels()).(v1.Image), nil
}

func (s *stage) binaryPath() string { return "usr/bin/" + s.Project.Name }

// binaryLayer holds the binary, which is checked on the way, and its licence.
func (s *stage) binaryLayer(ctx context.Context, b Binary) (v1.Layer, error) {
	verified := s.path("binary")
	if err := b.Take(s.Out, verified); err != nil {
		return nil, err
	}
	text, err := os.ReadFile(verified)
	if err != nil {
		return nil, err
	}
	licence, err := os.ReadFile(filepath.Join(s.Root, licenceName))
	if err != nil {
		return nil, err
	}
	attributes := capabilityXattrs(s.Project.Capabilities)
	return s.layer(ctx, layer.Entries(
		layer.Entry{Name: s.binaryPath(), Data: text, Mode: 0o755, Xattrs: attributes},
		layer.Entry{Name: "usr/share/doc/" + s.Project.Name + "/copyright", Data: licence}))
}

// distrolessLayer is what the project's runtime image holds, out of its packages.
func (s *stage) distrolessLayer(ctx context.Context) (v1.Layer, error) {
	packages, err := s.Lock.Packages(s.Project.Runtime.Packages, s.Project.Runtime.Packages.Arches[0])
	if err != nil {
		return nil, err
	}
	debs, err := s.Mirror.Debs(ctx, packages)
	if err != nil {
		return nil, err
	}
	bundle, err := s.certificates(ctx, debs)
	if err != nil {
		return nil, err
	}
	entries := []layer.Entry{{Name: "tmp/", Mode: 0o1777}, {Name: s.Project.Runtime.Bundle, Data: bundle}}
	for _, name := range slices.Sorted(maps.Keys(s.Project.Runtime.Files)) {
		entries = append(entries, layer.Entry{Name: name, Data: []byte(s.Project.Runtime.Files[name])})
	}
	pieces := []layer.Piece{layer.Entries(entries...)}
	for _, deb := range debs {
		pieces = append(pieces, debian.Unpack(deb, s.keep, nil))
	}
	return s.layer(ctx, pieces...)
}

// keep places what the runtime image keeps where the package has it.
func (s *stage) keep(name string) string {
	for _, kept := range s.Project.Runtime.Kept {
		if strings.HasPrefix(name+"/", kept+"/") && !slices.Contains(s.Project.Runtime.LeftOut, name) {
			return name
		}
	}
	return ""
}

// certificates joins the packages' certificates, sorted by name.
func (s *stage) certificates(ctx context.Context, debs []string) ([]byte, error) {
	var pieces []layer.Piece
	for _, deb := range debs {
		pieces = append(pieces, debian.Unpack(deb, func(name string) string {
			if strings.HasPrefix(name, s.Project.Runtime.Certificates) && path.Ext(name) == ".crt" {
				return name
			}
			return ""
		}, nil))
	}
	l, err := layer.Assemble(ctx, s.dir, pieces...)
	if err != nil {
		return nil, err
	}
	files, err := readFiles(l)
	if err != nil {
		return nil, err
	}
	var bundle bytes.Buffer
	for _, name := range slices.Sorted(maps.Keys(files)) {
		bundle.Write(append(bytes.TrimRight(files[name], "\n"), '\n'))
	}
	if bundle.Len() == 0 {
		return nil, fmt.Errorf("no certificate in %s", s.Project.Runtime.Certificates)
	}
	return bundle.Bytes(), nil
}

// readFiles reads the regular files of a layer.
func readFiles(l v1.Layer) (map[string][]byte, error) {
	r, err := l.Uncompressed()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	files := map[string][]byte{}
	for entries := tar.NewReader(r); ; {
		h, err := entries.Next()
		if errors.Is(err, io.EOF) {
			return files, nil
		}
		if err != nil {
			return nil, err
		}
		if h.Typeflag != tar.TypeReg {
			continue
		}
		if files[h.Name], err = io.ReadAll(entries); err != nil {
			return nil, err
		}
	}
}

// layer compresses the pieces for a registry. The gzip in go.mod is used and not the
// standard library's, so that a digest does not change with the Go that runs mage.
func (s *stage) layer(ctx context.Context, pieces ...layer.Piece) (v1.Layer, error) {
	plain, err := layer.Assemble(ctx, s.dir, pieces...)
	if err != nil {
		return nil, err
	}
	r, err := plain.Uncompressed()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	var packed bytes.Buffer
	w, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := io.Copy(w, r); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	open := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(packed.Bytes())), nil }
	return tarball.LayerFromOpener(open, tarball.WithMediaType(types.OCILayer))
}

// writeLayout writes an image layout with one image, named by the version.
func (s *stage) writeLayout(dir string, index v1.ImageIndex) error {
	p, err := layout.Write(dir, empty.Index)
	if err != nil {
		return err
	}
	tag := strings.ReplaceAll(s.Source.Version, "+", "-") // a tag has no "+"
	return p.AppendIndex(index, layout.WithAnnotations(map[string]string{refName: tag}))
}

// readable gives every folder mode 0755 and every file 0644, whatever the umask is: the
// layout package writes some files with 0777 and some with 0600.
func readable(dir string) error {
	return filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		mode := fs.FileMode(0o644)
		if d.IsDir() {
			mode = 0o755
		}
		return os.Chmod(name, mode)
	})
}
