package distro

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"

	"github.com/tcapflow/tcapflow/build"
	"github.com/tcapflow/tcapflow/internal/pipeline/fault"
)

// dist is what a release left.
type dist struct {
	dir       string
	version   string
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

// readDist reads GoReleaser's own lists: metadata.json and artifacts.json.
func readDist(dir string) (dist, error) {
	d := dist{dir: dir}
	var metadata struct{ Version string }
	if err := readJSON(filepath.Join(dir, "metadata.json"), &metadata); err != nil {
		return dist{}, err
	}
	d.version = metadata.Version
	return d, readJSON(filepath.Join(dir, "artifacts.json"), &d.artifacts)
}

func readJSON(name string, to any) error {
	text, err := os.ReadFile(name)
	if err == nil {
		err = json.Unmarshal(text, to)
	}
	if err != nil {
		return fault.New(fault.Failed, "run `mage release` first: what it packs is what is tested", "%s: %w", name, err)
	}
	return nil
}

// file returns the path of the one package of a format, "deb" or "tar.gz", for a target.
func (d dist) file(t build.Target, format string) (string, error) {
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
func (d dist) image(name string, t build.Target) (v1.Image, error) {
	dir := filepath.Join(d.dir, "images", name)
	index, err := layout.ImageIndexFromPath(dir)
	if err != nil {
		return nil, fault.New(fault.Failed, "run `mage release` first: what it packs is what is tested", "image %s: %w", name, err)
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	i := slices.IndexFunc(manifest.Manifests, func(m v1.Descriptor) bool { return is(m.Platform, t) })
	if i < 0 {
		return nil, fmt.Errorf("%s has no image for %s", dir, t.Name)
	}
	return index.Image(manifest.Manifests[i].Digest)
}

func is(p *v1.Platform, t build.Target) bool {
	variant := ""
	if t.GOARM != "" {
		variant = "v" + t.GOARM
	}
	return p != nil && p.OS == "linux" && p.Architecture == t.GOARCH && (variant == "" || p.Variant == variant)
}
