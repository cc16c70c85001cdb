package distro

import (
	"context"
	"io"

	"github.com/tcapflow/tcapflow/build"
	"github.com/tcapflow/tcapflow/internal/pipeline/debian"
	"github.com/tcapflow/tcapflow/internal/pipeline/engine"
)

// System returns an image of a Debian row for a target's architecture, assembled now if
// the engine has none: all essential and required packages, configured, apt among them.
func System(ctx context.Context, e *engine.Engine, d build.Distro, t build.Target, mirror debian.Mirror, temp string, log io.Writer) (string, error) {
	return root{d, t}.ensure(ctx, e, mirror, temp, log)
}
