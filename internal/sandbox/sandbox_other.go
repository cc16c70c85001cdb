//go:build !linux

package sandbox

// Enter is of Linux only.
func Enter(Limits) error { return ErrUnsupported }

// Entered is false.
func Entered() bool { return false }

// Close is of Linux only.
func Close() error { return ErrUnsupported }

// DropTo is of Linux only.
func DropTo(string) error { return ErrUnsupported }
