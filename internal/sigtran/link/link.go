// Package link takes captured frames down to what SS7 rides on: the SCTP packet
// in an IP packet, through VLANs, MPLS, PPPoE and tunnels, or on a TDM link
// capture the MTP2, MTP3 or SCCP message.
//
// Frames come in, one Packet for each goes out. IP fragments are kept, within
// bounds, until their datagram is whole.
package link

import (
	"errors"
	"net/netip"
)

// Kind says what Packet.Payload begins with, or why there is none.
type Kind byte

// The kinds of packet.
const (
	Other       Kind = iota // neither SCTP nor SS7: nothing of ours
	Fragment                // a fragment of an IP datagram that is not whole yet
	FillIn                  // an MTP2 fill-in or link status signal unit: it carries no message
	Unsupported             // a link type that is not decoded
	ToSCTP                  // an SCTP packet
	ToMTP3                  // an MTP3 message, from its service information octet on
	ToSCCP                  // an SCCP message
)

// Packet is what a frame carries. Src and Dst are set for SCTP only: those of the
// innermost IP packet.
type Packet struct {
	Kind     Kind
	Cut      bool // the capture kept less than the whole: Payload may be cut at its end
	Src, Dst netip.Addr
	Payload  []byte // aliases the frame, or a datagram that was put together until the next call
}

var (
	errShort  = errors.New("frame shorter than its headers")
	errDepth  = errors.New("more than 16 headers one in another")
	errLength = errors.New("length field disagrees with the frame")
)

// maxDepth bounds the headers of a frame: VLAN tags, labels, tunnels.
const maxDepth = 16

// Decoder decodes frames. The zero value is ready for use; it is not for
// concurrent use.
type Decoder struct {
	Frame     uint64 // number of the next frame, for Trace
	fragments fragments
}

// Trace has joins told the frames of a datagram that became whole.
func (d *Decoder) Trace(joins func(frame uint64)) { d.fragments.joins = joins }

// Fragments tells what became of IP fragments that had to wait.
func (d *Decoder) Fragments() FragmentCounters { return d.fragments.counters }

// Close gives up the fragments that still wait.
func (d *Decoder) Close() { d.fragments.forgetAll() }

// Decode returns what a frame of link type t carries. Frames of other protocols are
// Other and no error. now, in nanoseconds, is the capture clock; cut says that the
// frame is not whole, so that lengths beyond its end are no error.
func (d *Decoder) Decode(t Type, now int64, frame []byte, cut bool) (Packet, error) {
	switch t {
	case SCCP:
		return Packet{Kind: ToSCCP, Payload: frame, Cut: cut}, nil
	case MTP3:
		return Packet{Kind: ToMTP3, Payload: frame, Cut: cut}, nil
	case MTP2:
		return mtp2(frame, cut)
	case MTP2Phdr:
		return mtp2Phdr(frame, cut)
	}
	next, b, ok := firstHeader(t, frame)
	if !ok {
		return Packet{Kind: Unsupported}, nil
	}
	w := walk{Packet: Packet{Cut: cut}, now: now, decoder: d}
	return w.run(next, b)
}

// walk goes from header to header.
type walk struct {
	Packet
	now     int64
	decoder *Decoder
}

// header reads one header and tells the next one and where it begins.
type header byte

// The headers; done ends the walk with Packet.Kind set.
const (
	done header = iota
	atShort
	atEthernet
	atEtherType // two octets of EtherType, then what it says
	atIPv4
	atIPv6
	atIP // either, told by the version
	atPPP
	atMPLS
	atFamily // a protocol family of BSD in the host's byte order
	atERF
)

func (w *walk) run(next header, b []byte) (Packet, error) {
	var err error
	for range maxDepth {
		switch next {
		case done:
			w.Payload = b
			return w.Packet, nil
		case atEthernet:
			next, b = ethernet(b)
		case atEtherType:
			next, b = etherType(b)
		case atIPv4:
			next, b, err = w.ipv4(b)
		case atIPv6:
			next, b, err = w.ipv6(b)
		case atIP:
			next = ipVersion(b)
		case atPPP:
			next, b = ppp(b)
		case atMPLS:
			next, b = mpls(b)
		case atFamily:
			next, b = family(b)
		case atERF:
			next, b = erf(b)
		default:
			err = errShort
		}
		if err != nil {
			return Packet{Cut: w.Cut}, err
		}
	}
	return Packet{Cut: w.Cut}, errDepth
}

// end tells what an IP packet's payload is: protocol is its number with IANA.
func (w *walk) end(k Kind, b []byte) (header, []byte, error) {
	w.Kind = k
	return done, b, nil
}
