//go:build linux

package doctor

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
)

// ownMounts starts a process that may mount, and whose mounts nobody else sees.
func ownMounts() *syscall.SysProcAttr {
	a := &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	if os.Getuid() != 0 {
		a.Cloneflags |= syscall.CLONE_NEWUSER
		a.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
	}
	return a
}

func noexec(program string) int {
	fail := func(format string, args ...any) int {
		fmt.Fprintf(os.Stderr, format+"\n", args...)
		return 1
	}
	dir, err := os.MkdirTemp("", "noexec")
	if err != nil {
		return fail("%v", err)
	}
	defer os.Remove(dir)
	if err := syscall.Mount("", "/", "", syscall.MS_PRIVATE|syscall.MS_REC, ""); err != nil {
		return fail("private: %v", err)
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_NOEXEC, ""); err != nil {
		return fail("mount: %v", err)
	}
	defer syscall.Unmount(dir, 0)
	text, err := os.ReadFile(program)
	if err != nil {
		return fail("%v", err)
	}
	at := filepath.Join(dir, "program")
	if err := os.WriteFile(at, text, 0o755); err != nil {
		return fail("%v", err)
	}
	started := exec.Command(at).Run()
	if started == nil {
		return fail("it was started from a noexec mount")
	}
	p, err := Open(at)
	if err != nil {
		return fail("%v", err)
	}
	checks := Diagnose(p, Host(), started.Error())
	if !slices.ContainsFunc(checks, func(c Check) bool {
		return c.About == "mount" && c.State == Fail &&
			c.Seen
	}) {
		return fail("%v was seen, and the mount is not named: %+v", started, checks)
	}
	return 0
}
