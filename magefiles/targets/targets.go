// Package targets has the mage targets. Each hands its arguments to the pipeline; what
// they do is in internal/pipeline/pipeline.go.
package targets

import (
	"context"
	"os"

	"github.com/tcapflow/tcapflow/internal/pipeline"
	"github.com/tcapflow/tcapflow/internal/pipeline/fault"
	"github.com/tcapflow/tcapflow/internal/pipeline/options"
)

// Static builds fully static, verified binaries into out/.
//
//	mage static                                 all targets
//	mage static -targets=linux/386,linux/arm64  some
//	mage static -debug                          unstripped twins, for a debugger
//	mage static -locked                         stop where a locked input is gone
func Static(ctx context.Context, targets, base *string, debug, locked, json *bool) error {
	o, err := options.Read(options.Args{Targets: targets, Base: base, Debug: debug, Locked: locked, JSON: json})
	if err != nil {
		return fault.Exit(err)
	}
	return fault.Exit(pipeline.Static(ctx, o, os.Stdout, os.Stderr))
}
