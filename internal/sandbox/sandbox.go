// Package sandbox takes away from the program what it needs no more: it reads packets that
// strangers made, and a mistake in reading them should not be worth much.
//
//   - Enter limits files and TCP by Landlock, landlock(7), for all threads: the program is
//     started anew in the limits.
//   - DropTo leaves root for another user.
//   - Close forbids system calls by seccomp(2): no other program, no packet socket, nothing
//     that administers the machine.
//
// Each of them can do without the others. Where the kernel has none of it, they say so.
package sandbox

import "errors"

// ErrUnsupported is returned where the kernel, or this platform, has no such limits.
var ErrUnsupported = errors.New("not supported by this kernel")

// Limits are what Enter leaves.
type Limits struct {
	Read    []string // files and folders to read from, with all below; those that do not exist are passed over
	Write   []string // folders in which files may be made, written and removed
	Bind    []uint16 // TCP ports that may be listened on; 0 is any that the kernel chooses
	Connect []uint16 // TCP ports that may be connected to
	// AbstractSockets leaves unix sockets without a file reachable: some service managers
	// listen on one.
	AbstractSockets bool
}

// Nobody is the user that has nothing, on Debian and others: it needs no /etc/passwd.
const Nobody = "65534:65534"
