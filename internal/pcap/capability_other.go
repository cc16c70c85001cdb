//go:build !linux

package pcap

// withNetRaw is open: there are no capabilities here.
func withNetRaw(open func() error) error { return open() }
