package doctor

import (
	"io/fs"
	"syscall"

	"golang.org/x/sys/unix"
)

func ownerOf(info fs.FileInfo) (uid, gid int) {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return int(s.Uid), int(s.Gid)
	}
	return 0, 0
}

func hasCapabilities(name string) bool {
	n, err := unix.Lgetxattr(name, "security.capability", nil)
	return err == nil && n > 0
}

// mountFlags tells what statvfs(3) says of the file system that a file lies on.
func mountFlags(name string) (noexec, nosuid bool) {
	var s unix.Statfs_t
	if err := unix.Statfs(name, &s); err != nil {
		return false, false
	}
	return s.Flags&unix.ST_NOEXEC != 0, s.Flags&unix.ST_NOSUID != 0
}

// free is the room on the file system of a path, in bytes for a user without privilege.
func free(name string) (int64, bool) {
	var s unix.Statfs_t
	if err := unix.Statfs(name, &s); err != nil {
		return 0, false
	}
	return int64(s.Bavail) * s.Bsize, true
}
