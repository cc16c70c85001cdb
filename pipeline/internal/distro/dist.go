package distro

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"

	"github.com/tcapflow/tcapflow/pipeline/internal/fault"
	"github.com/tcapflow/tcapflow/spec"
)

// dist is what a release left.
type dist struct {
	dir       string
	artifacts []artifact
}

// artifact is an entry of GoReleaser's artifacts.json.
type artifact struct {
	Name   string
	Path   string // with GoReleaser's own dist/ before it
	Goos   string
	Goarch string
	Goarm  string
	Type   string
	Extra  struct{ Format string }
}

// readDist reads GoReleaser's own list of what it packed.
func readDist(dir string) (dist, error) {
	d := dist{dir: dir}
	name := filepath.Join(dir, "artifacts.json")
	text, err := os.ReadFile(name)
	if err == nil {
		err = json.Unmarshal(text, &d.artifacts)
	}
	if err != nil {
		return dist{}, fault.New(fault.Failed, releaseFirst, "%s: %w", name, err)
	}
	return d, nil
}

const releaseFirst = "run `mage release` first: what it packs is what is tested"

// file returns the path of the one package of a format, "deb" or "tar.gz", for a target.
func (d dist) file(t spec.Target, format string) (string, error) {
	kind := "Archive"
	if format == "deb" {
		kind = "Linux Package"
	}
	var found []string
	for _, a := range d.artifacts {
		if a.Type == kind && a.Extra.Format == format && a.Goos == "linux" && a.Goarch == t.GOARCH && a.Goarm == t.GOARM {
			found = append(found, a.Path)
		}
	}
	if len(found) != 1 {
		return "", fmt.Errorf("%s names %d packages of format %s for %s, not one: %s", filepath.Join(d.dir, "artifacts.json"), len(found), format, t.Name, strings.Join(found, ", "))
	}
	_, below, ok := strings.Cut(filepath.ToSlash(found[0]), "/")
	if !ok || !filepath.IsLocal(below) {
		return "", fmt.Errorf("%s: path %q is not below dist/", filepath.Join(d.dir, "artifacts.json"), found[0])
	}
	return filepath.Join(d.dir, filepath.FromSlash(below)), nil
}

// image returns an image for a target from the OCI layout dist/images/NAME.
func (d dist) image(name string, t spec.Target) (v1.Image, v1.Config, error) {
	dir := filepath.Join(d.dir, "images", name)
	index, err := layout.ImageIndexFromPath(dir)
	if err != nil {
		return nil, v1.Config{}, fault.New(fault.Failed, releaseFirst, "image %s: %w", name, err)
	}
	img, err := find(index, t)
	if err != nil {
		return nil, v1.Config{}, fmt.Errorf("%s: %w", dir, err)
	}
	if img == nil {
		return nil, v1.Config{}, fmt.Errorf("%s has no image for %s", dir, t.Name)
	}
	file, err := img.ConfigFile()
	if err != nil {
		return nil, v1.Config{}, fmt.Errorf("%s: %w", dir, err)
	}
	return img, file.Config, nil
}

// find returns the image of a target in an index, or in an index that it names; else nil.
func find(index v1.ImageIndex, t spec.Target) (v1.Image, error) {
	manifest, err := index.IndexManifest()
	if err != nil {
		return nil, err
	}
	for _, m := range manifest.Manifests {
		if m.MediaType.IsImage() && is(m.Platform, t) {
			return index.Image(m.Digest)
		}
		if !m.MediaType.IsIndex() {
			continue
		}
		below, err := index.ImageIndex(m.Digest)
		if err != nil {
			return nil, err
		}
		if img, err := find(below, t); img != nil || err != nil {
			return img, err
		}
	}
	return nil, nil
}

func is(p *v1.Platform, t spec.Target) bool {
	variant := ""
	if t.GOARM != "" {
		variant = "v" + t.GOARM
	}
	return p != nil && p.OS == "linux" && p.Architecture == t.GOARCH && (variant == "" || p.Variant == variant)
}

// versionLabel is where an image says which version it has (image-spec, annotations.md).
const versionLabel = "org.opencontainers.image.version"
