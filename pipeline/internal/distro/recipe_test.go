package distro

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/tcapflow/tcapflow/pipeline/internal/debian/debiantest"
	"github.com/tcapflow/tcapflow/pipeline/internal/key"
	"github.com/tcapflow/tcapflow/spec"
)

// goldenRoot is what rootRecipe stands for: a digest of the layers of a package of the
// test's own, and of what is done with them.
const goldenRoot = "root 1 147242037d45769d190c8ed5"

func TestRootRecipe(t *testing.T) {
	deb, err := debiantest.Deb(map[string]string{
		"bin/sh": "-> dash", "bin/dash": "#!", "etc/x": "x", "usr/share/doc/dash/copyright": "License: BSD-3-Clause\n", "usr/share/man/x": "no",
	})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "dash.deb")
	if err := os.WriteFile(file, deb, 0o644); err != nil {
		t.Fatal(err)
	}
	words := []string{rootRecipe, configureScript, fmt.Sprint(configureCaps), fmt.Sprintf("%+v", base)}
	for _, arch := range []string{"amd64", "arm64"} {
		l, err := root{target: spec.Target{Debian: arch}}.unpack(t.Context(), t.TempDir(), []string{file})
		if err != nil {
			t.Fatal(err)
		}
		id, err := l.DiffID()
		if err != nil {
			t.Fatal(err)
		}
		words = append(words, id.Hex)
	}
	if got := rootRecipe + " " + key.Of(words...); got != goldenRoot {
		t.Errorf("a root is made otherwise now: raise the number of rootRecipe, then write here\n%s", got)
	}
}
