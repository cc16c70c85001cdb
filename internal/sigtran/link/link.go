// Package link takes captured frames down to what SS7 rides on: the SCTP packet
// in an IP packet, or on a TDM link capture the MTP2, MTP3 or SCCP message.
package link

import (
	"errors"
	"net/netip"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
)

// Link types that gopacket has no name for, from https://www.tcpdump.org/linktypes.html
// and, for the two DLT_RAW, pcap/dlt.h (libpcap gives those for live captures).
const (
	linuxSLL2   = layers.LinkType(276)
	rawLinux    = layers.LinkType(12)
	rawOpenBSD  = layers.LinkType(14)
	mtp2PhdrLen = 4
	mtp2Len     = 3 // BSN, FSN, length indicator: ITU-T Q.703 §2.2
)

// Kind says what Packet.Payload begins with.
type Kind byte

// The kinds of payload.
const (
	Other    Kind = iota // neither SCTP nor SS7: nothing of ours
	Fragment             // a fragment of an IP packet, not put together here
	SCTP
	MTP3
	SCCP
)

// Packet is what a frame carries. Src and Dst are set for SCTP only.
type Packet struct {
	Kind     Kind
	Src, Dst netip.Addr
	Payload  []byte // aliases the frame
}

// Supported tells whether frames of this link type can be decoded.
func Supported(t layers.LinkType) bool {
	switch t {
	case layers.LinkTypeMTP2Phdr, layers.LinkTypeMTP2, layers.LinkTypeMTP3, layers.LinkTypeSCCP:
		return true
	}
	_, ok := firstLayer(t, nil)
	return ok
}

// firstLayer names the layer that a frame of an IP link type begins with.
func firstLayer(t layers.LinkType, frame []byte) (gopacket.LayerType, bool) {
	switch t {
	case layers.LinkTypeEthernet:
		return layers.LayerTypeEthernet, true
	case layers.LinkTypeLinuxSLL:
		return layers.LayerTypeLinuxSLL, true
	case linuxSLL2:
		return layers.LayerTypeLinuxSLL2, true
	case layers.LinkTypeNull, layers.LinkTypeLoop:
		return layers.LayerTypeLoopback, true
	case layers.LinkTypeIPv4:
		return layers.LayerTypeIPv4, true
	case layers.LinkTypeIPv6:
		return layers.LayerTypeIPv6, true
	case layers.LinkTypeRaw, rawLinux, rawOpenBSD:
		if len(frame) > 0 && frame[0]>>4 == 6 {
			return layers.LayerTypeIPv6, true
		}
		return layers.LayerTypeIPv4, true
	}
	return 0, false
}

var (
	errLinkType = errors.New("link type not supported")
	errShort    = errors.New("frame shorter than its header")
)

// Decoder decodes frames. It reuses its layers and so is not for concurrent use.
type Decoder struct {
	ethernet layers.Ethernet
	vlan     layers.Dot1Q
	sll      layers.LinuxSLL
	sll2     layers.LinuxSLL2
	loopback layers.Loopback
	ip4      layers.IPv4
	ip6      layers.IPv6
	ip6ext   layers.IPv6ExtensionSkipper
	parsers  map[gopacket.LayerType]*gopacket.DecodingLayerParser // by first layer
	decoded  []gopacket.LayerType
}

// NewDecoder returns a Decoder.
func NewDecoder() *Decoder {
	return &Decoder{parsers: make(map[gopacket.LayerType]*gopacket.DecodingLayerParser)}
}

// parser returns a parser for frames that begin with this layer, on the layers
// that all of the Decoder's parsers share.
func (d *Decoder) parser(first gopacket.LayerType) *gopacket.DecodingLayerParser {
	if p, ok := d.parsers[first]; ok {
		return p
	}
	p := gopacket.NewDecodingLayerParser(first,
		&d.ethernet, &d.vlan, &d.sll, &d.sll2, &d.loopback, &d.ip4, &d.ip6, &d.ip6ext)
	p.IgnoreUnsupported = true
	d.parsers[first] = p
	return p
}

// Decode returns what a frame of link type t carries. Frames of other
// protocols are Other and no error.
func (d *Decoder) Decode(t layers.LinkType, frame []byte) (Packet, error) {
	switch t {
	case layers.LinkTypeSCCP:
		return Packet{Kind: SCCP, Payload: frame}, nil
	case layers.LinkTypeMTP3:
		return Packet{Kind: MTP3, Payload: frame}, nil
	case layers.LinkTypeMTP2:
		return mtp2(frame)
	case layers.LinkTypeMTP2Phdr:
		if len(frame) < mtp2PhdrLen {
			return Packet{}, errShort
		}
		return mtp2(frame[mtp2PhdrLen:])
	}
	first, ok := firstLayer(t, frame)
	if !ok {
		return Packet{}, errLinkType
	}
	if err := d.parser(first).DecodeLayers(frame, &d.decoded); err != nil {
		return Packet{}, err
	}
	return d.carried(), nil
}

// carried looks at the innermost layer that was decoded.
func (d *Decoder) carried() Packet {
	var p Packet
	var next gopacket.LayerType
	for _, layer := range d.decoded {
		switch layer {
		case layers.LayerTypeIPv4:
			p.Src, _ = netip.AddrFromSlice(d.ip4.SrcIP)
			p.Dst, _ = netip.AddrFromSlice(d.ip4.DstIP)
			next, p.Payload = d.ip4.NextLayerType(), d.ip4.Payload
		case layers.LayerTypeIPv6:
			p.Src, _ = netip.AddrFromSlice(d.ip6.SrcIP)
			p.Dst, _ = netip.AddrFromSlice(d.ip6.DstIP)
			next, p.Payload = d.ip6.NextLayerType(), d.ip6.Payload
		case layers.LayerTypeIPv6HopByHop, layers.LayerTypeIPv6Routing, layers.LayerTypeIPv6Destination:
			next, p.Payload = d.ip6ext.NextLayerType(), d.ip6ext.Payload
		}
	}
	switch next {
	case layers.LayerTypeSCTP:
		p.Kind = SCTP
		return p
	case gopacket.LayerTypeFragment, layers.LayerTypeIPv6Fragment:
		return Packet{Kind: Fragment}
	}
	return Packet{}
}

// mtp2 returns the MTP3 message of a message signal unit. Its length indicator
// is above 2; below are fill-in and link status signal units (ITU-T Q.703
// §2.2.3).
func mtp2(frame []byte) (Packet, error) {
	if len(frame) < mtp2Len {
		return Packet{}, errShort
	}
	if frame[2]&0x3f <= 2 {
		return Packet{}, nil
	}
	return Packet{Kind: MTP3, Payload: frame[mtp2Len:]}, nil
}
