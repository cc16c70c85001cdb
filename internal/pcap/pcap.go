// Package pcap is where packets come from: capture files and live interfaces.
//
// Files are read by this package itself, in every build, so that each of them
// gives the same packets everywhere: of several link types and snap lengths in
// one pcapng file, compressed, and of a length that no header can push beyond
// MaxPacket. Live captures go through libpcap, in builds with cgo and the tag
// "libpcap"; without, the program still builds, vets and tests on machines that
// have no headers of libpcap.
package pcap

import (
	"errors"
	"net/netip"

	"github.com/tcapflow/tcapflow/internal/sigtran/link"
)

// MaxPacket bounds the octets of a packet. It is libpcap's MAXIMUM_SNAPLEN.
const MaxPacket = 262144

// maxWire bounds the length on the wire that a file may claim, for machines whose int
// has 32 bits.
const maxWire = 1<<31 - 1

// Errors that a reader can act on. They come wrapped or as they are: use errors.Is.
var (
	ErrNoLibpcap   = errors.New("this binary was built without libpcap")
	ErrPermission  = errors.New("not permitted")
	ErrNoInterface = errors.New("no such interface")
	ErrNotCapture  = errors.New("not a pcap or pcapng capture file")
	ErrEmpty       = errors.New("empty file")
	ErrTruncated   = errors.New("capture file cut short")
	ErrCorrupt     = errors.New("capture file is damaged")
	// ErrIdle is returned by a live Source when no packet came for a moment; it
	// gives the caller a chance to flush, look at signals, and call again.
	ErrIdle = errors.New("no packet yet")
)

// Packet is one captured packet. Data is valid until the next call of Next.
type Packet struct {
	Time int64     // capture time, nanoseconds since 1970 UTC; 0 where a file has none
	Link link.Type // what Data begins with
	Data []byte    // as much as was captured, at most MaxPacket octets
	Wire int       // octets that it had on the wire; above len(Data) if it was cut
}

// Source yields packets.
type Source interface {
	// Next returns the next packet; io.EOF after the last one, ErrIdle or
	// another of this package's errors.
	Next() (Packet, error)
	// Dropped counts packets that the kernel or the interface gave up for want
	// of room; it is 0 for files.
	Dropped() (uint64, error)
	// MayWait tells whether Next might wait for its packet for long: what was written
	// so far should be shown before.
	MayWait() bool
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
