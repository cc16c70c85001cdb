package targets

import (
	"context"

	"github.com/tcapflow/tcapflow/internal/pipeline/fault"
	"github.com/tcapflow/tcapflow/internal/pipeline/interrupt"
	"github.com/tcapflow/tcapflow/internal/pipeline/options"
)

// run reads the options, does a job until it ends or is interrupted, and gives its
// error the exit code that mage passes on.
func run(ctx context.Context, a options.Args, job func(context.Context, options.Options) error) error {
	ctx, release := interrupt.Context(ctx)
	defer release()
	o, err := options.Read(a)
	if err == nil {
		err = job(ctx, o)
	}
	return fault.Exit(err)
}
