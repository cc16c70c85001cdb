package pipeline

import (
	"context"
	"strconv"
	"strings"

	"github.com/tcapflow/tcapflow/pipeline/internal/fault"
	"github.com/tcapflow/tcapflow/spec"
)

// Torture builds the programs of testdata/torture for the targets, each from nothing as
// well, and runs them. The tests of the engine do a small part of it.
func (p *Pipeline) Torture(ctx context.Context, runs int) error {
	if runs < 1 {
		return fault.New(fault.Usage, "say how often with -runs=1000", "%d runs", runs)
	}
	return p.checks(ctx, []check{{
		name: "go test (torture)",
		args: []string{"go", "test", "-v", "-count=1", "-timeout=24h", "-run=^TestTorture$", "./pipeline"},
		env: []string{"TCAPFLOW_TEST_ENGINE=1", "TORTURE_RUNS=" + strconv.Itoa(runs),
			"TORTURE_TARGETS=" + strings.Join(spec.Names(p.o.Targets), ",")},
	}})
}
