package build

import (
	"cmp"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestProject(t *testing.T) {
	p := Project
	if p.Name == "" || p.Summary == "" || p.Stamp.Version == "" {
		t.Errorf("%+v", p)
	}
	if sources, err := filepath.Glob(filepath.Join("..", p.Main, "*.go")); err != nil || len(sources) == 0 || !strings.HasPrefix(p.Main, "./") {
		t.Errorf("main package %s: %v", p.Main, cmp.Or(err, os.ErrNotExist))
	}
}
