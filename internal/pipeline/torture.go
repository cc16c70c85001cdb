package pipeline

import (
	"context"
	"io"
	"strconv"
	"strings"

	"github.com/tcapflow/tcapflow/build"
	"github.com/tcapflow/tcapflow/internal/pipeline/fault"
	"github.com/tcapflow/tcapflow/internal/pipeline/options"
)

// Torture builds the programs of testdata/torture for the targets, each from nothing as
// well, and runs them. The tests of the engine do a small part of it.
func Torture(ctx context.Context, o options.Options, runs int, stdout, stderr io.Writer) error {
	if runs < 1 {
		return fault.New(fault.Usage, "say how often with -runs=1000", "%d runs", runs)
	}
	return checks(ctx, o, []check{{
		name: "go test (torture)",
		args: []string{"go", "test", "-v", "-count=1", "-timeout=24h", "-run=^TestTorture$", "./internal/pipeline"},
		env: []string{"TCAPFLOW_TEST_ENGINE=1", "TORTURE_RUNS=" + strconv.Itoa(runs),
			"TORTURE_TARGETS=" + strings.Join(build.Names(o.Targets), ",")},
	}}, stdout, stderr)
}
