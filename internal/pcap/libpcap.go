//go:build cgo && libpcap

package pcap

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"time"

	"github.com/gopacket/gopacket/pcap"

	"github.com/tcapflow/tcapflow/internal/sigtran/link"
)

const (
	// bufferTimeout is how long the kernel may gather packets before it hands
	// them over, and so how often an idle Source returns.
	bufferTimeout = 100 * time.Millisecond
	bufferSize    = 8 << 20 // libpcap's own default is 2 MiB
)

// LibVersion is libpcap's own description, such as "libpcap version 1.10.7 (with TPACKET_V3)".
func LibVersion() string { return pcap.Version() }

type handle struct{ *pcap.Handle }

// OpenLive starts a capture. It needs the CAP_NET_RAW capability, packet(7).
func OpenLive(o LiveOptions) (Source, error) {
	inactive, err := pcap.NewInactiveHandle(o.Interface)
	if err != nil {
		return nil, err
	}
	defer inactive.CleanUp()
	if err := errors.Join(
		inactive.SetSnapLen(o.SnapLen),
		inactive.SetPromisc(o.Promisc),
		inactive.SetTimeout(bufferTimeout),
		inactive.SetBufferSize(bufferSize),
	); err != nil {
		return nil, err
	}
	var h *pcap.Handle
	err = withNetRaw(func() (err error) {
		h, err = inactive.Activate()
		return err
	})
	if err != nil {
		return nil, activateError(err)
	}
	if o.Filter != "" {
		if err := h.SetBPFFilter(o.Filter); err != nil {
			h.Close()
			return nil, fmt.Errorf("filter %q: %w", o.Filter, err)
		}
	}
	return &handle{h}, nil
}

// activateError recognizes gopacket's names for the codes of pcap_activate(3PCAP);
// its type for them is not exported.
func activateError(err error) error {
	switch text := err.Error(); {
	case text == "Permission Denied",
		strings.HasSuffix(text, ": -11"): // PCAP_ERROR_PROMISC_PERM_DENIED
		return ErrPermission
	case text == "No Such Device", strings.Contains(text, "No such device"):
		return ErrNoInterface
	case text == "Interface Not Up":
		return errors.New("interface is down")
	case text == "Cannot set as promisc":
		return errors.New("no promiscuous mode here: leave -promisc out")
	default:
		return errors.New(strings.TrimPrefix(text, "Error: "))
	}
}

func (h *handle) Next() (Packet, error) {
	data, info, err := h.ZeroCopyReadPacketData()
	switch {
	case err == nil:
		return Packet{
			Time: info.Timestamp.UnixNano(),
			Link: link.Type(h.LinkType()),
			Data: data,
			Wire: info.Length,
		}, nil
	case err == io.EOF:
		return Packet{}, io.EOF
	case err == pcap.NextErrorTimeoutExpired:
		return Packet{}, ErrIdle
	}
	return Packet{}, h.Error()
}

// MayWait is false: Next returns ErrIdle in time.
func (h *handle) MayWait() bool { return false }

func (h *handle) Dropped() (uint64, error) {
	s, err := h.Stats()
	if err != nil {
		return 0, err
	}
	return uint64(s.PacketsDropped) + uint64(s.PacketsIfDropped), nil
}

func (h *handle) Close() error {
	h.Handle.Close()
	return nil
}

// Interface flags of pcap_findalldevs(3PCAP).
var interfaceFlags = []struct {
	bit  uint32
	name string
}{
	{1 << 1, "up"}, {1 << 2, "running"}, {1 << 0, "loopback"}, {1 << 3, "wireless"},
}

// Interfaces lists where OpenLive can capture, in libpcap's order.
func Interfaces() ([]Interface, error) {
	devices, err := pcap.FindAllDevs()
	if err != nil {
		return nil, err
	}
	list := []Interface{}
	for _, d := range devices {
		i := Interface{Name: d.Name, Description: d.Description, Flags: []string{}, Addresses: []netip.Prefix{}}
		for _, f := range interfaceFlags {
			if d.Flags&f.bit != 0 {
				i.Flags = append(i.Flags, f.name)
			}
		}
		for _, a := range d.Addresses {
			if ip, ok := netip.AddrFromSlice(a.IP); ok {
				bits, _ := a.Netmask.Size()
				i.Addresses = append(i.Addresses, netip.PrefixFrom(ip, bits))
			}
		}
		list = append(list, i)
	}
	return list, nil
}
