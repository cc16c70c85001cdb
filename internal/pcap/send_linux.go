package pcap

import (
	"errors"
	"net"
	"os"

	"golang.org/x/sys/unix"
)

// Sender sends Ethernet frames on an interface by a packet socket, packet(7).
type Sender struct {
	socket int
	to     unix.SockaddrLinklayer
}

// OpenSender needs CAP_NET_RAW: else its error is ErrPermission.
func OpenSender(device string) (*Sender, error) {
	i, err := net.InterfaceByName(device)
	if err != nil {
		return nil, ErrNoInterface
	}
	s := &Sender{to: unix.SockaddrLinklayer{Ifindex: i.Index}}
	err = withNetRaw(func() (err error) {
		// Protocol 0: it receives nothing.
		s.socket, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
		return err
	})
	if errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES) {
		return nil, ErrPermission
	}
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	return s, nil
}

// Send sends one frame: unix.EMSGSIZE where it is longer than the interface takes.
func (s *Sender) Send(frame []byte) error {
	for {
		err := unix.Sendto(s.socket, frame, 0, &s.to)
		if err != unix.EINTR {
			return os.NewSyscallError("sendto", err)
		}
	}
}

// Close ends the sender.
func (s *Sender) Close() error { return unix.Close(s.socket) }
