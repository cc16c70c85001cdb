package link

import (
	"net"
	"net/netip"
	"testing"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"

	"github.com/tcapflow/tcapflow/internal/sigtran/sigtrantest"
)

// TestIPv6 has SCTP after a destination options header.
func TestIPv6(t *testing.T) {
	src, dst := net.ParseIP("2001:db8::1"), net.ParseIP("2001:db8::2")
	options := []byte{byte(layers.IPProtocolSCTP), 0, 1, 4, 0, 0, 0, 0} // PadN
	for name, tt := range map[string]struct {
		next    layers.IPProtocol
		payload string
		kind    Kind
	}{
		"sctp":                {layers.IPProtocolSCTP, "sctp", SCTP},
		"destination options": {layers.IPProtocolIPv6Destination, string(options) + "sctp", SCTP},
		"fragment":            {layers.IPProtocolIPv6Fragment, "\x84\x00\x00\x01\x00\x00\x00\x01sctp", Fragment},
		"udp":                 {layers.IPProtocolUDP, "udp", Other},
	} {
		t.Run(name, func(t *testing.T) {
			b := gopacket.NewSerializeBuffer()
			err := gopacket.SerializeLayers(b, gopacket.SerializeOptions{FixLengths: true},
				&layers.IPv6{Version: 6, NextHeader: tt.next, SrcIP: src, DstIP: dst}, gopacket.Payload(tt.payload))
			if err != nil {
				t.Fatal(err)
			}
			p, err := NewDecoder().Decode(layers.LinkTypeRaw, b.Bytes())
			if err != nil || p.Kind != tt.kind {
				t.Fatalf("got %+v, %v", p, err)
			}
			if p.Kind == SCTP && (string(p.Payload) != "sctp" || p.Src != netip.MustParseAddr("2001:db8::1")) {
				t.Errorf("got %+v", p)
			}
		})
	}
}

// TestMTP2 takes only message signal units.
func TestMTP2(t *testing.T) {
	for indicator, want := range map[byte]Kind{0: Other, 1: Other, 2: Other, 3: MTP3, 63: MTP3, 0xc0: Other} {
		p, err := NewDecoder().Decode(layers.LinkTypeMTP2, []byte{0, 0, indicator, 0x83})
		if err != nil || p.Kind != want {
			t.Errorf("indicator %d: %+v, %v", indicator, p, err)
		}
	}
}

func FuzzDecode(f *testing.F) {
	frame := sigtrantest.Frame(1, 2, 3, sigtrantest.SCTP())
	for _, t := range []layers.LinkType{layers.LinkTypeEthernet, layers.LinkTypeRaw, linuxSLL2, layers.LinkTypeNull, layers.LinkTypeMTP2Phdr} {
		f.Add(uint16(t), frame)
	}
	d := NewDecoder()
	f.Fuzz(func(t *testing.T, link uint16, b []byte) {
		p, err := d.Decode(layers.LinkType(link), b)
		if err != nil && p.Kind != Other || len(p.Payload) > len(b) {
			t.Errorf("got %+v, %v", p, err)
		}
	})
}
