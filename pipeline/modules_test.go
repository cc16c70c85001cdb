package pipeline

import (
	"strings"
	"testing"

	"github.com/tcapflow/tcapflow/pipeline/internal/source"
	"github.com/tcapflow/tcapflow/spec"
)

func TestWarnings(t *testing.T) {
	for _, test := range []struct{ target, version, want string }{
		{"linux/ppc64le", "v0.49.0", "warning: linux/ppc64le: golang.org/x/sys v0.49.0: "},
		{"linux/ppc64le", "v0.50.0", ""},
		{"linux/amd64", "v0.49.0", ""},
	} {
		modules := []source.Module{{Path: "golang.org/x/net", Version: "v0.1.0"}, {Path: "golang.org/x/sys", Version: test.version}}
		got := strings.Join(warnings(modules, []spec.Target{{Name: test.target}}), "\n")
		if (got == "") != (test.want == "") || !strings.HasPrefix(got, test.want) {
			t.Errorf("%s with x/sys %s: %q, want %q", test.target, test.version, got, test.want)
		}
	}
}
