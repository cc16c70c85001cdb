package pipeline

import (
	"slices"
	"testing"

	"github.com/tcapflow/tcapflow/pipeline/internal/options"
)

// Short names are looked for as well; what evidence of them is, the gate knows.
func TestHostPaths(t *testing.T) {
	for _, c := range []struct {
		root, home, cache string
		want              []string
	}{
		{"/home/maria/client", "/home/maria", "/home/maria/.cache/tcapflow",
			[]string{"/home/maria/client", "/home/maria", "/home/maria/.cache/tcapflow"}},
		{"/app", "/root", "/root/.cache/", []string{"/app", "/root", "/root/.cache"}},
		{"/src", "/tmp", "/cache", nil}, // as in the builder
		{"/src/client", "", "/x/", []string{"/src/client", "/x"}},
	} {
		t.Setenv("HOME", c.home)
		if got := hostPaths(options.Options{Root: c.root, Cache: c.cache}); !slices.Equal(got, c.want) {
			t.Errorf("%+v: got %q", c, got)
		}
	}
}
