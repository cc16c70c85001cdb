//go:build !linux

package doctor

func noExec(string) bool { return false }

// Free cannot be told here.
func Free(string) (bytes int64, ok bool) { return 0, false }
