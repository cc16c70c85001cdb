// Package image gives the engine a builder image: one that is already there, else one
// built from Alpine where its image can be had, else one assembled from Debian packages.
//
// In: the targets that are wanted. Out: a Builder, which any later stage uses in the
// same way, whatever its base:
//
//	/usr/bin/clang, ld.lld, make, sh …  for the engine's own architecture
//	/sysroot/TRIPLE                     musl, start files, Linux headers, libgcc
//	/usr/local/go                       the toolchain that go.mod names
//	/etc/builder.json                   an Info: every input, with version, digest, licence
//	/cache/TARGET, /src, /out           folders of the user 65532, who builds
package image

import (
	"context"
	"io"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/tcapflow/tcapflow/pipeline/internal/engine"
	"github.com/tcapflow/tcapflow/spec"
)

// User builds, in a container that gives it no other right than to write its own folders.
const User = "65532:65532"

// Uid is the number in User.
const Uid = 65532

// Info is /etc/builder.json.
type Info struct {
	Base   string  `json:"base"`  // debian or alpine
	Suite  string  `json:"suite"` // trixie, or Alpine's version
	Go     Input   `json:"go"`
	Libc   string  `json:"libc"` // "musl 1.2.5"
	Inputs []Input `json:"inputs"`
}

// Input is something that a builder was made of.
type Input struct {
	Name     string   `json:"name"`
	Version  string   `json:"version"`
	Arch     string   `json:"arch,omitempty"`
	SHA256   string   `json:"sha256,omitempty"` // of the package file, lower-case hex
	Sum      string   `json:"sum,omitempty"`    // of a Go module: h1:…; of an Alpine package: Q1 and the SHA-1 of its control part, apk's own
	Licences []string `json:"licences,omitempty"`
	For      string   `json:"for"` // tools, go, or a target's name
}

// Builder is an image that the engine has.
type Builder struct {
	Ref   string
	Base  string
	Arch  string            // the engine's, as GOARCH
	Go    string            // the toolchain in it: go1.26.8
	GoKey string            // the hash of what its files are, which the version alone does not tell
	Keys  map[string]string // by target's name: the hash of everything that its binaries see
}

// labels of a builder image, beside engine.LabelImage.
const (
	kind        = "builder"
	labelBase   = "musl-static.builder"     // debian or alpine
	labelKey    = "musl-static.builder.key" // of the tools; with "." + target, of that target
	goInstalled = "usr/local/go"
)

// labelsFor names the keys that an image must have to serve the targets.
func (b Builder) labelsFor(targets []spec.Target) map[string]string {
	labels := engine.Labelled(kind, map[string]string{labelBase: b.Base})
	for _, t := range targets {
		labels[labelKey+"."+t.Dir()] = b.Keys[t.Name]
	}
	return labels
}

// Present fills Ref with an image of the engine that serves the targets, if there is one,
// and gives it a name of this project if another has made it.
func (b Builder) Present(ctx context.Context, e *engine.Engine, targets []spec.Target) (Builder, error) {
	images, err := e.Images(ctx, b.labelsFor(targets))
	if err != nil || len(images) == 0 {
		return b, err
	}
	id := strings.TrimPrefix(images[0].ID, "sha256:")
	b.Ref, err = e.Adopt(ctx, images[0], e.Tag(kind, b.Base+"-"+id[:min(24, len(id))]))
	return b, err
}

// dropServed removes builder images that b makes superfluous: each target that they
// serve, b serves with the same key. One that a container uses stays, and one that another
// checkout has used lately: between its look at it and its container it would be gone. Images are compared
// by ID: a tag need not come back as it was given.
func (b Builder) dropServed(ctx context.Context, e *engine.Engine, targets []spec.Target) error {
	labels := b.labelsFor(targets)
	id, err := e.ImageID(ctx, b.Ref)
	if err != nil {
		return err
	}
	images, err := e.Images(ctx, engine.Labelled(kind, map[string]string{labelBase: b.Base}))
	if err != nil {
		return err
	}
	used, err := e.OfOthers(ctx)
	if err != nil {
		return err
	}
	for _, old := range images {
		if engine.SameImage(old.ID, id) || used[engine.FullID(old.ID)] {
			continue
		}
		served := true
		for k, v := range old.Labels {
			served = served && (!strings.HasPrefix(k, labelKey+".") || labels[k] == v)
		}
		if served {
			if _, err := e.RemoveImage(ctx, old); err != nil {
				return err
			}
		}
	}
	return nil
}

// Load gives the engine an image of layers under a tag.
func Load(ctx context.Context, e *engine.Engine, tag string, config v1.Config, arch string, layers ...v1.Layer) error {
	img, err := New(config, arch, layers...)
	if err != nil {
		return err
	}
	return LoadImage(ctx, e, tag, img)
}

// New makes an image of layers; it has no time, so the same layers give the same image.
func New(config v1.Config, arch string, layers ...v1.Layer) (v1.Image, error) {
	img, err := mutate.AppendLayers(empty.Image, layers...)
	if err != nil {
		return nil, err
	}
	file, err := img.ConfigFile()
	if err != nil {
		return nil, err
	}
	file = file.DeepCopy()
	file.OS, file.Architecture, file.Config = "linux", arch, config
	return mutate.ConfigFile(img, file)
}

// LoadImage streams an image to the engine as `docker load` does.
func LoadImage(ctx context.Context, e *engine.Engine, tag string, img v1.Image) error {
	ref, err := name.NewTag(tag)
	if err != nil {
		return err
	}
	return e.Load(ctx, tag, func(w io.Writer) error { return tarball.Write(ref, img, w) })
}
