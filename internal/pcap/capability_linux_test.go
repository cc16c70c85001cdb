package pcap

import (
	"errors"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

// packetSocket is what libpcap opens to capture; it answers EPERM without CAP_NET_RAW.
func packetSocket() error {
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW, 0)
	if err == nil {
		unix.Close(fd)
	}
	return err
}

// A thread to which the capability is permitted, and for which it is not effective, as
// after `setcap cap_net_raw=p`, has it while it opens, and not before or after.
func TestWithNetRaw(t *testing.T) {
	runtime.LockOSThread() // and never unlocked: this thread loses a capability
	if err := packetSocket(); err != nil {
		t.Skip("skipped: no permission to open a packet socket: ", err)
	}
	sets, err := getCapabilities()
	if err != nil {
		t.Fatal(err)
	}
	sets[0].Effective &^= 1 << unix.CAP_NET_RAW
	if err := setCapabilities(sets); err != nil {
		t.Fatal(err)
	}
	if err := packetSocket(); !errors.Is(err, unix.EPERM) {
		t.Errorf("before: %v, want EPERM", err)
	}
	if err := withNetRaw(packetSocket); err != nil {
		t.Errorf("within: %v", err)
	}
	if err := packetSocket(); !errors.Is(err, unix.EPERM) {
		t.Errorf("after: %v, want EPERM", err)
	}

	sets[0].Permitted &^= 1 << unix.CAP_NET_RAW
	if err := setCapabilities(sets); err != nil {
		t.Fatal(err)
	}
	if err := withNetRaw(packetSocket); !errors.Is(err, unix.EPERM) {
		t.Errorf("not permitted: %v, want the EPERM of the socket", err)
	}
}

// The error of open is returned, and the thread is as it was.
func TestWithNetRawError(t *testing.T) {
	want := errors.New("no device")
	if err := withNetRaw(func() error { return want }); !errors.Is(err, want) {
		t.Errorf("%v, want %v", err, want)
	}
}
