//go:build !(cgo && libpcap)

package pcap

// LibVersion says which libpcap is inside: none.
func LibVersion() string { return "none" }

// Interfaces needs libpcap.
func Interfaces() ([]Interface, error) { return nil, ErrNoLibpcap }

// OpenLive needs libpcap.
func OpenLive(LiveOptions) (Source, error) { return nil, ErrNoLibpcap }
