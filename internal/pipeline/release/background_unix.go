//go:build unix

package release

import (
	"context"
	"os/exec"
	"slices"
	"syscall"
	"time"
)

// background is a command of the lowest priority, nice(1), which is ended with all the
// processes that it has started: SIGINT lets go remove its working folder.
func background(ctx context.Context, args ...string) *exec.Cmd {
	if _, err := exec.LookPath("nice"); err == nil {
		args = slices.Concat([]string{"nice", "-n", "19"}, args)
	}
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGINT) }
	cmd.WaitDelay = 2 * time.Second // then it is killed; mage gives an interrupted run five
	return cmd
}

// endGroup kills what a command that has ended left of its children.
func endGroup(cmd *exec.Cmd) {
	if cmd.Process != nil {
		syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	}
}
