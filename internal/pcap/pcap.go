// Package pcap is where packets come from: capture files and live interfaces.
//
// Built with cgo and the tag "libpcap" both go through libpcap. Built without,
// files are read in pure Go and there are no live captures: the program then
// builds, vets and tests on machines without libpcap's headers.
package pcap

import (
	"errors"
	"net/netip"
	"os"
	"time"

	"github.com/gopacket/gopacket/layers"
)

// Errors that a reader can act on. They come wrapped or as they are: use errors.Is.
var (
	ErrNoLibpcap   = errors.New("this binary was built without libpcap")
	ErrPermission  = errors.New("not permitted")
	ErrNoInterface = errors.New("no such interface")
	ErrNotCapture  = errors.New("not a pcap or pcapng capture file")
	ErrEmpty       = errors.New("empty file")
	ErrTruncated   = errors.New("capture file cut short")
	// ErrIdle is returned by a live Source when no packet came for a moment; it
	// gives the caller a chance to flush, look at signals, and call again.
	ErrIdle = errors.New("no packet yet")
)

// Packet is one captured packet. Data is valid until the next call of Next.
type Packet struct {
	Time time.Time
	Link layers.LinkType
	Data []byte // as much as was captured
}

// Source yields packets.
type Source interface {
	// Next returns the next packet; io.EOF after the last one, ErrIdle or
	// another of this package's errors.
	Next() (Packet, error)
	// Dropped counts packets that the kernel or the interface gave up for want
	// of room; it is 0 for files.
	Dropped() (uint64, error)
	Close() error
}

// LiveOptions select what OpenLive captures.
type LiveOptions struct {
	Interface string
	Filter    string // BPF, pcap-filter(7); "" takes every packet
	SnapLen   int    // octets kept of each packet
	Promisc   bool
}

// Interface is a place to capture on.
type Interface struct {
	Name        string         `json:"name"`
	Description string         `json:"description,omitempty"`
	Flags       []string       `json:"flags"` // "up", "running", "loopback"
	Addresses   []netip.Prefix `json:"addresses"`
}

// OpenFile opens a capture file: pcap with microseconds or nanoseconds, of
// either byte order, or pcapng. Name "-" reads stdin.
func OpenFile(name string, stdin *os.File) (Source, error) {
	f := stdin
	if name != "-" {
		var err error
		if f, err = os.Open(name); err != nil {
			return nil, errors.Unwrap(err)
		}
		if info, err := f.Stat(); err == nil && info.IsDir() {
			f.Close()
			return nil, errors.New("is a directory")
		}
	}
	s, err := openFile(f)
	if err != nil && f != stdin {
		f.Close()
	}
	return s, err
}
