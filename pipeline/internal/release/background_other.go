//go:build !unix

package release

import (
	"context"
	"os/exec"
)

// background is the command as it is.
func background(ctx context.Context, args ...string) *exec.Cmd {
	return exec.CommandContext(ctx, args[0], args[1:]...)
}
