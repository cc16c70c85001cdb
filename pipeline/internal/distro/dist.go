package distro

import (
	"fmt"
	"path/filepath"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/tcapflow/tcapflow/pipeline/internal/fault"
	"github.com/tcapflow/tcapflow/pipeline/internal/packed"
	"github.com/tcapflow/tcapflow/spec"
)

// dist is what a release left.
type dist struct {
	dir       string
	artifacts []packed.Artifact
}

// readDist reads GoReleaser's own list of what it packed.
func readDist(dir string) (dist, error) {
	list, err := packed.List(dir)
	if err != nil {
		return dist{}, fault.New(fault.Failed, releaseFirst, "%w", err)
	}
	return dist{dir, list}, nil
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
		return "", fmt.Errorf("%s names %d packages of format %s for %s, not one: %s", filepath.Join(d.dir, packed.ListName), len(found), format, t.Name, strings.Join(found, ", "))
	}
	_, below, ok := strings.Cut(filepath.ToSlash(found[0]), "/")
	if !ok || !filepath.IsLocal(below) {
		return "", fmt.Errorf("%s: path %q is not below dist/", filepath.Join(d.dir, packed.ListName), found[0])
	}
	return filepath.Join(d.dir, filepath.FromSlash(below)), nil
}

// image returns an image for a target from the OCI layout dist/images/NAME.
func (d dist) image(name string, t spec.Target) (v1.Image, v1.Config, error) {
	dir := filepath.Join(d.dir, "images", name)
	index, err := packed.Layout(dir)
	if err != nil {
		return nil, v1.Config{}, fault.New(fault.Failed, releaseFirst, "image %s: %w", name, err)
	}
	img, err := packed.Find(index, func(p *v1.Platform) bool { return is(p, t) })
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

func is(p *v1.Platform, t spec.Target) bool {
	variant := ""
	if t.GOARM != "" {
		variant = "v" + t.GOARM
	}
	return p != nil && p.OS == "linux" && p.Architecture == t.GOARCH && (variant == "" || p.Variant == variant)
}

// versionLabel is where an image says which version it has (image-spec, annotations.md).
const versionLabel = "org.opencontainers.image.version"
