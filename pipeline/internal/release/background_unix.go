//go:build unix

package release

import (
	"context"
	"os/exec"
	"slices"
	"syscall"
	"time"
)

// background is a command of the lowest priority, nice(1), which is killed with all the
// processes that it has started.
func background(ctx context.Context, args ...string) *exec.Cmd {
	if _, err := exec.LookPath("nice"); err == nil {
		args = slices.Concat([]string{"nice", "-n", "19"}, args)
	}
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second
	return cmd
}
