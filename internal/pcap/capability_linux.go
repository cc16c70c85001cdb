package pcap

import (
	"errors"
	"fmt"
	"runtime"

	"golang.org/x/sys/unix"
)

// withNetRaw calls open with CAP_NET_RAW in the effective set of its thread, if the thread
// is permitted to have it, and takes it away again. So file capabilities that are permitted
// and not effective suffice (setcap cap_net_raw=p, and the program in the images): only the
// call that opens the packet socket has the capability, packet(7), capabilities(7).
func withNetRaw(open func() error) error {
	runtime.LockOSThread() // capabilities are a thread's, and cgo calls stay on it
	lower, err := raise(unix.CAP_NET_RAW)
	if err != nil {
		runtime.UnlockOSThread()
		return err
	}
	err = open()
	if lowerErr := lower(); lowerErr != nil {
		return errors.Join(err, lowerErr) // the thread stays locked: nothing else runs on it
	}
	runtime.UnlockOSThread()
	return err
}

// raise puts a permitted capability into the effective set of the calling thread, and
// returns what undoes that. A capability that is effective, or not permitted, is left so.
func raise(capability uint) (lower func() error, err error) {
	sets, err := getCapabilities()
	if err != nil {
		return nil, err
	}
	word, bit := capability/32, uint32(1)<<(capability%32)
	if sets[word].Effective&bit != 0 || sets[word].Permitted&bit == 0 {
		return func() error { return nil }, nil
	}
	raised := sets
	raised[word].Effective |= bit
	if err := setCapabilities(raised); err != nil {
		return nil, err
	}
	return func() error { return setCapabilities(sets) }, nil
}

// capabilitySets are 64 capabilities in two words, as _LINUX_CAPABILITY_VERSION_3 has them,
// capget(2).
type capabilitySets [2]unix.CapUserData

// getCapabilities and setCapabilities are of the calling thread, which is process 0.
func getCapabilities() (sets capabilitySets, err error) {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	if err := unix.Capget(&header, &sets[0]); err != nil {
		return sets, fmt.Errorf("capget: %w", err)
	}
	return sets, nil
}

func setCapabilities(sets capabilitySets) error {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	if err := unix.Capset(&header, &sets[0]); err != nil {
		return fmt.Errorf("capset: %w", err)
	}
	return nil
}
