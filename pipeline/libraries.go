package pipeline

import (
	"context"
	"strings"

	"github.com/tcapflow/tcapflow/spec"
)

// Libraries builds each library of the catalogue for the targets, with a program that links
// it, and runs that. The tests of the engine do a small part of it; names, where there are
// any, are all that is built.
func (p *Pipeline) Libraries(ctx context.Context, names []string) error {
	which := "all"
	if len(names) > 0 {
		which = strings.Join(names, ",")
	}
	return p.checks(ctx, []check{{
		name: "go test (libraries)",
		args: []string{"go", "test", "-v", "-count=1", "-timeout=3h", "-run=^Test(Libraries|Prebuilt)$", "./pipeline"},
		env: []string{"TCAPFLOW_TEST_ENGINE=1", "LIBRARIES=" + which,
			"LIBRARIES_TARGETS=" + strings.Join(spec.Names(p.o.Targets), ",")},
	}})
}
