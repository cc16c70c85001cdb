package image

import (
	"archive/tar"
	"bytes"
	"testing"

	"github.com/tcapflow/tcapflow/build/defaults"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/tcapflow/tcapflow/pipeline/internal/engine"
	"github.com/tcapflow/tcapflow/pipeline/internal/layer"
)

// The same layers give the same image, and its layers are as they were made.
func TestNewIsReproducible(t *testing.T) {
	digest := func(text string) string {
		l, err := layer.Assemble(t.Context(), t.TempDir(), layer.Entries(layer.Entry{Name: "etc/"}, layer.Entry{Name: "etc/file", Data: []byte(text)}))
		if err != nil {
			t.Fatal(err)
		}
		img, err := New(v1.Config{User: User, Labels: map[string]string{"b": "2", "a": "1"}}, "arm64", l)
		if err != nil {
			t.Fatal(err)
		}
		config, err := img.ConfigFile()
		if err != nil {
			t.Fatal(err)
		}
		if config.OS != "linux" || config.Architecture != "arm64" || config.Config.User != User || !config.Created.IsZero() {
			t.Errorf("config is %+v", config)
		}
		d, err := img.Digest()
		if err != nil {
			t.Fatal(err)
		}
		return d.String()
	}
	if one, two := digest("x"), digest("x"); one != two {
		t.Errorf("%s and %s are of the same layers", one, two)
	}
	if digest("x") == digest("y") {
		t.Error("other bytes, same image")
	}
}

// A builder that serves more targets serves fewer, too: labels are asked for a target each.
func TestLabelsFor(t *testing.T) {
	b := Builder{Base: "debian", Keys: map[string]string{"linux/amd64": "k1", "linux/arm/v7": "k2"}}
	targets, err := defaults.Targets.Select("linux/arm/v7")
	if err != nil {
		t.Fatal(err)
	}
	labels := b.labelsFor(targets)
	if len(labels) != 3 || labels[engine.LabelImage] != kind || labels[labelBase] != "debian" || labels[labelKey+".linux_arm_v7"] != "k2" {
		t.Errorf("labels are %v", labels)
	}
}

// names lists a tar stream.
func names(t *testing.T, text []byte) map[string]int64 {
	t.Helper()
	found := map[string]int64{}
	for r := tar.NewReader(bytes.NewReader(text)); ; {
		h, err := r.Next()
		if err != nil {
			return found
		}
		found[h.Name] = h.Mode
	}
}
