package distro

import (
	"context"
	"io"
	"slices"
	"strings"

	"github.com/tcapflow/tcapflow/pipeline/internal/debian"
	"github.com/tcapflow/tcapflow/pipeline/internal/engine"
	"github.com/tcapflow/tcapflow/pipeline/internal/fault"
	"github.com/tcapflow/tcapflow/spec"
)

// System returns an image of a Debian row for a target's architecture, assembled now if
// the engine has none: all essential and required packages, configured, apt among them.
// It is an error if the engine's kernel does not run that architecture: to configure
// packages is to run programs in them.
func System(ctx context.Context, e *engine.Engine, d spec.Distro, t spec.Target, mirror debian.Mirror, temp string, log io.Writer) (string, error) {
	natives, err := e.Natives(ctx)
	if err != nil {
		return "", err
	}
	if !slices.Contains(natives, t.GOARCH) {
		return "", fault.New(fault.Engine, "use an engine whose kernel runs them",
			"a Debian system for %s cannot be set up: the engine's kernel runs programs of %s alone",
			t.Name, strings.Join(natives, " and "))
	}
	return root{d, t}.ensure(ctx, e, mirror, temp, log)
}
