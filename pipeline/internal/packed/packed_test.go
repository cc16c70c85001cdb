package packed

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
)

// image is an empty image of an architecture.
func image(t *testing.T, arch string) v1.Image {
	t.Helper()
	img, err := mutate.ConfigFile(empty.Image, &v1.ConfigFile{OS: "linux", Architecture: arch})
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func platform(p *v1.Platform) mutate.IndexAddendum {
	return mutate.IndexAddendum{Descriptor: v1.Descriptor{Platform: p}}
}

// An image is found in the index of a layout, and in one that it names.
func TestLayout(t *testing.T) {
	var inner v1.ImageIndex = empty.Index
	for _, p := range []v1.Platform{{OS: "linux", Architecture: "amd64"}, {OS: "linux", Architecture: "arm", Variant: "v7"}} {
		a := platform(&p)
		a.Add = image(t, p.Architecture)
		inner = mutate.AppendManifests(inner, a)
	}
	dir := t.TempDir()
	path, err := layout.Write(dir, empty.Index)
	if err != nil {
		t.Fatal(err)
	}
	s390x := v1.Platform{OS: "linux", Architecture: "s390x"}
	if err := errors.Join(path.AppendIndex(inner), path.AppendImage(image(t, "s390x"), layout.WithPlatform(s390x))); err != nil {
		t.Fatal(err)
	}
	index, err := Layout(dir)
	if err != nil {
		t.Fatal(err)
	}
	names, err := Platforms(index)
	if want := []string{"linux/amd64", "linux/arm/v7", "linux/s390x"}; err != nil || !slices.Equal(names, want) {
		t.Errorf("got %q, %v; want %q", names, err, want)
	}
	for _, arch := range []string{"arm", "s390x", "mips"} {
		img, err := Find(index, func(p *v1.Platform) bool { return p.Architecture == arch })
		if err != nil {
			t.Fatal(err)
		}
		if img == nil {
			if arch != "mips" {
				t.Errorf("no image for %s", arch)
			}
			continue
		}
		if c, err := img.ConfigFile(); err != nil || c.Architecture != arch {
			t.Errorf("for %s: %v, %v", arch, c, err)
		}
	}
	if _, err := Layout(t.TempDir()); err == nil || !strings.Contains(err.Error(), "is no OCI image layout") {
		t.Errorf("got %v", err)
	}
}

// Indexes that lie in each other without an end are an error.
func TestDepth(t *testing.T) {
	var index v1.ImageIndex = empty.Index
	for range maxDepth {
		index = mutate.AppendManifests(empty.Index, mutate.IndexAddendum{Add: index})
	}
	if _, err := Platforms(index); err == nil {
		t.Error("no error")
	}
}

func TestList(t *testing.T) {
	dir := t.TempDir()
	if _, err := List(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	for text, ok := range map[string]bool{
		`[{"name":"x.deb","path":"dist/x.deb","goos":"linux","goarch":"arm","goarm":"7","type":"Linux Package","extra":{"Format":"deb","ID":1}}]`: true,
		`{`: false,
	} {
		if err := os.WriteFile(filepath.Join(dir, ListName), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		list, err := List(dir)
		if (err == nil) != ok || ok && (len(list) != 1 || list[0].Extra.Format != "deb" || list[0].Goarm != "7") {
			t.Errorf("%s: %+v, %v", text, list, err)
		}
	}
}
