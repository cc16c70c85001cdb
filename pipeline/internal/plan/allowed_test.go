package plan

import (
	"slices"
	"testing"

	"github.com/tcapflow/tcapflow/build/defaults"

	"github.com/tcapflow/tcapflow/build"
	"github.com/tcapflow/tcapflow/elfcheck"
	"github.com/tcapflow/tcapflow/spec"
)

// The exceptions of build/ reach the gate.
func TestAllowed(t *testing.T) {
	p := build.Project
	p.Allowed = []spec.Allowed{{Text: "/home/runner/src/libfoo", Reason: "libfoo.a is built there"}}
	want := []elfcheck.Allowed{{Text: "/home/runner/src/libfoo", Reason: "libfoo.a is built there"}}
	for _, target := range defaults.Targets.Built {
		if got := For(p, target, Options{}).Want.Allowed; !slices.Equal(got, want) {
			t.Errorf("%s: %v", target.Name, got)
		}
	}
}
