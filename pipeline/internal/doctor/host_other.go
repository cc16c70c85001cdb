//go:build !linux

package doctor

import "io/fs"

func ownerOf(fs.FileInfo) (uid, gid int) { return 0, 0 }

func hasCapabilities(string) bool { return false }

func mountFlags(string) (noexec, nosuid bool) { return false, false }

func free(string) (int64, bool) { return 0, false }
