// Package packed reads what a release left in dist/: the list of what GoReleaser packed, and
// OCI image layouts.
//
// In: a folder. Out: artifacts, and images by platform. It writes nothing.
package packed

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
)

// ListName is GoReleaser's own list, in dist/.
const ListName = "artifacts.json"

// Artifact is an entry of it.
type Artifact struct {
	Name   string
	Path   string // with GoReleaser's own dist/ before it
	Goos   string
	Goarch string
	Goarm  string
	Type   string // "Archive", "Linux Package", "Binary", "Checksum", …
	Extra  struct{ Format string }
}

// List reads the list of a folder.
func List(dir string) ([]Artifact, error) {
	name := filepath.Join(dir, ListName)
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	var list []Artifact
	if err := json.Unmarshal(text, &list); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return list, nil
}

// Layout opens an OCI image layout.
func Layout(dir string) (v1.ImageIndex, error) {
	index, err := layout.ImageIndexFromPath(dir)
	if err != nil {
		return nil, fmt.Errorf("%s is no OCI image layout: %w", dir, err)
	}
	return index, nil
}

// maxDepth is how deep indexes may lie in indexes: a layout has two levels.
const maxDepth = 4

// Visit is given a platform, which may be nil, and what opens its image.
type Visit func(p *v1.Platform, open func() (v1.Image, error)) (end bool, err error)

// Each visits the images of an index, and of those that it names. It
// ends at the first visit that says so.
func Each(index v1.ImageIndex, visit Visit) error {
	_, err := each(index, maxDepth, visit)
	return err
}

func each(index v1.ImageIndex, depth int, visit Visit) (end bool, err error) {
	if depth == 0 {
		return false, fmt.Errorf("more than %d indexes in each other", maxDepth)
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		return false, err
	}
	for _, m := range manifest.Manifests {
		switch {
		case m.MediaType.IsIndex():
			var inner v1.ImageIndex
			if inner, err = index.ImageIndex(m.Digest); err == nil {
				end, err = each(inner, depth-1, visit)
			}
		case m.MediaType.IsImage():
			end, err = visit(m.Platform, func() (v1.Image, error) { return index.Image(m.Digest) })
		}
		if end || err != nil {
			return end, err
		}
	}
	return false, nil
}

// Find returns the first image whose platform fits; nil: there is none.
func Find(index v1.ImageIndex, fits func(*v1.Platform) bool) (found v1.Image, err error) {
	err = Each(index, func(p *v1.Platform, open func() (v1.Image, error)) (bool, error) {
		if !fits(p) {
			return false, nil
		}
		var err error
		found, err = open()
		return true, err
	})
	return found, err
}

// Platforms names the platforms of the images, as linux/arm/v7, in their order.
func Platforms(index v1.ImageIndex) (names []string, err error) {
	err = Each(index, func(p *v1.Platform, _ func() (v1.Image, error)) (bool, error) {
		if p != nil {
			names = append(names, p.String())
		}
		return false, nil
	})
	return names, err
}
