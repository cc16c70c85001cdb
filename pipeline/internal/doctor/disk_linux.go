package doctor

import "golang.org/x/sys/unix"

// noExec asks the mount of a file, statvfs(3).
func noExec(name string) bool {
	var s unix.Statfs_t
	return unix.Statfs("/"+name, &s) == nil && s.Flags&unix.ST_NOEXEC != 0
}

// Free is what an ordinary user may still write to the file system of a folder, bytes; ok
// is false where that cannot be told.
func Free(folder string) (bytes int64, ok bool) {
	var s unix.Statfs_t
	if err := unix.Statfs(folder, &s); err != nil {
		return 0, false
	}
	return int64(s.Bavail) * int64(s.Bsize), true
}
