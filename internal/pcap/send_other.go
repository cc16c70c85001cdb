//go:build !linux

package pcap

// Sender sends Ethernet frames on an interface; on Linux only.
type Sender struct{}

// OpenSender fails with ErrNoSend.
func OpenSender(string) (*Sender, error) { return nil, ErrNoSend }

// Send fails with ErrNoSend.
func (*Sender) Send([]byte) error { return ErrNoSend }

// Close does nothing.
func (*Sender) Close() error { return nil }
