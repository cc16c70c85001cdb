package plan

import (
	"slices"
	"testing"

	"github.com/tcapflow/tcapflow/build"
	"github.com/tcapflow/tcapflow/internal/pipeline/elfcheck"
)

// The exceptions of build/ reach the gate.
func TestAllowed(t *testing.T) {
	p := build.TcapflowClient
	p.Allowed = []build.Allowed{{Text: "/home/runner/src/libfoo", Reason: "libfoo.a is built there"}}
	want := []elfcheck.Allowed{{Text: "/home/runner/src/libfoo", Reason: "libfoo.a is built there"}}
	for _, target := range build.Targets {
		if got := For(p, target, Options{}).Want.Allowed; !slices.Equal(got, want) {
			t.Errorf("%s: %v", target.Name, got)
		}
	}
}
