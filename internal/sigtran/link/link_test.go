package link

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"

	build "github.com/tcapflow/tcapflow/internal/sigtran/sigtrantest"
)

var (
	sctp = build.SCTP()
	ip   = build.IPv4(1, 2, build.ProtoSCTP, sctp)
	eth  = build.Ethernet(ip, typeIPv4)
)

// TestWays takes one SCTP packet through all that it may stand in.
func TestWays(t *testing.T) {
	options := []byte{build.ProtoSCTP, 0, 1, 4, 0, 0, 0, 0} // PadN
	udp := func(port uint16, b []byte) []byte {
		return build.Ethernet(build.IPv4(9, 8, build.ProtoUDP, build.UDP(40000, port, b)), typeIPv4)
	}
	gre := func(header []byte, b []byte) []byte {
		return build.Ethernet(build.IPv4(9, 8, build.ProtoGRE, slices.Concat(header, b)), typeIPv4)
	}
	erf := func(kind byte, b ...[]byte) []byte {
		return slices.Concat(make([]byte, 8), []byte{kind}, make([]byte, 7), slices.Concat(b...))
	}
	own := slices.Clone(sctp) // as IPv4 stamps it, for what does not
	own[6], own[7] = 1, 2
	pad := []byte{0, 0}
	for _, tt := range []struct {
		name  string
		link  Type
		frame []byte
	}{
		{"ethernet", Ethernet, eth},
		{"ethernet, padded", Ethernet, append(slices.Clone(eth), 0, 0, 0, 0)},
		{"vlan", Ethernet, build.Ethernet(ip, typeVLAN, typeIPv4)},
		{"q in q, 8100", Ethernet, build.Ethernet(ip, typeVLAN, typeVLAN, typeIPv4)},
		{"q in q, 88a8", Ethernet, build.Ethernet(ip, typeQinQ, typeVLAN, typeIPv4)},
		{"q in q, 9100", Ethernet, build.Ethernet(ip, typeQinQ91, typeVLAN, typeIPv4)},
		{"snap", Ethernet, build.Ethernet(slices.Concat([]byte{0xaa, 0xaa, 3, 0, 0, 0, 8, 0}, ip), uint16(8+len(ip)))},
		{"mpls", Ethernet, build.Ethernet(slices.Concat([]byte{0, 1, 0, 64, 0, 2, 1, 64}, ip), typeMPLS)},
		{"mpls pseudowire", Ethernet, build.Ethernet(slices.Concat([]byte{0, 1, 1, 64, 0, 0, 0, 0}, eth), typeMPLS)},
		{"pppoe", Ethernet, build.Ethernet(slices.Concat([]byte{0x11, 0, 0, 1, 0, 99, 0, 0x21}, ip), typePPPoE)},
		{"sll", LinuxSLL, slices.Concat(make([]byte, 14), []byte{8, 0}, ip)},
		{"sll, vlan", LinuxSLL, slices.Concat(make([]byte, 14), []byte{0x81, 0, 0, 5, 8, 0}, ip)},
		{"sll2", LinuxSLL2, slices.Concat([]byte{8, 0}, make([]byte, 18), ip)},
		{"raw", Raw, ip}, {"raw, live", DLTRaw, ip}, {"ipv4", IPv4, ip},
		{"null, little endian", Null, slices.Concat([]byte{2, 0, 0, 0}, ip)},
		{"null, big endian", Null, slices.Concat([]byte{0, 0, 0, 2}, ip)},
		{"loop", Loop, slices.Concat([]byte{0, 0, 0, 2}, ip)},
		{"ppp", PPP, slices.Concat([]byte{0xff, 3, 0, 0x21}, ip)},
		{"ppp, compressed", PPP, slices.Concat([]byte{0x21}, ip)},
		{"cisco hdlc", CHDLC, slices.Concat([]byte{0x0f, 0, 8, 0}, ip)},
		{"erf", ERF, erf(2, pad, eth)},
		{"erf, extension headers", ERF, erf(0x82, []byte{0x80, 0, 0, 0, 0, 0, 0, 0}, make([]byte, 8), pad, eth)},
		{"erf, ipv4", ERF, erf(22, ip)},
		{"ip in ip", Raw, build.IPv4(9, 8, 4, ip)},
		{"ip in ipv6", Raw, build.IPv6(9, 8, 4, ip)},
		{"ipv6", Raw, build.IPv6(1, 2, build.ProtoSCTP, own)},
		{"ipv6 type", IPv6, build.IPv6(1, 2, build.ProtoSCTP, own)},
		{"null, ipv6", Null, slices.Concat([]byte{30, 0, 0, 0}, build.IPv6(1, 2, build.ProtoSCTP, own))},
		{"ipv6, options", Raw, build.IPv6(1, 2, protoOptions, slices.Concat(options, own))},
		{"ipv6, authenticated", Raw, build.IPv6(1, 2, protoAuth, slices.Concat([]byte{build.ProtoSCTP, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, own))},
		{"ipv6, atomic fragment", Raw, build.IPv6(1, 2, protoFragment, slices.Concat([]byte{build.ProtoSCTP, 0, 0, 0, 0, 0, 0, 1}, own))},
		{"gre", Ethernet, gre([]byte{0, 0, 8, 0}, ip)},
		{"gre, all fields", Ethernet, gre(append([]byte{0xb0, 0, 8, 0}, make([]byte, 12)...), ip)},
		{"gre, ethernet", Ethernet, gre([]byte{0, 0, 0x65, 0x58}, eth)},
		{"erspan 1", Ethernet, gre([]byte{0, 0, 0x88, 0xbe}, eth)},
		{"erspan 2", Ethernet, gre(append([]byte{0x10, 0, 0x88, 0xbe}, make([]byte, 12)...), eth)},
		{"erspan 3", Ethernet, gre(append([]byte{0x10, 0, 0x22, 0xeb}, make([]byte, 16)...), eth)},
		{"erspan 3, platform", Ethernet, gre(slices.Concat([]byte{0x10, 0, 0x22, 0xeb}, make([]byte, 15), []byte{1}, make([]byte, 8)), eth)},
		{"vxlan", Ethernet, udp(4789, slices.Concat([]byte{8, 0, 0, 0, 0, 0, 1, 0}, eth))},
		{"gtp-u", Ethernet, udp(2152, slices.Concat([]byte{0x30, 255, 0, 9, 0, 0, 0, 1}, ip))},
		{"gtp-u, extension", Ethernet, udp(2152, slices.Concat([]byte{0x34, 255, 0, 9, 0, 0, 0, 1, 0, 0, 0, 0x85, 1, 0, 0, 0}, ip))},
		{"over udp", Ethernet, build.Ethernet(build.IPv4(1, 2, build.ProtoUDP, build.UDP(9899, 9899, own)), typeIPv4)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var d Decoder
			p, err := d.Decode(tt.link, 0, tt.frame, false)
			if err != nil || p.Kind != ToSCTP || !slices.Equal(p.Payload, own) {
				t.Fatalf("got %+v, %v", p, err)
			}
			v4, v6 := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1")
			if p.Src != v4 && p.Src != v6 {
				t.Errorf("source %v", p.Src)
			}
			for n := range tt.frame { // cut short: an error or less of the payload, no panic
				var d Decoder
				if p, err := d.Decode(tt.link, 0, tt.frame[:n], true); err == nil && p.Kind == ToSCTP && !p.Cut {
					t.Errorf("cut at %d, but not told", n)
				}
				d.Decode(tt.link, 0, tt.frame[:n], false)
			}
		})
	}
}

func TestOthers(t *testing.T) {
	for _, tt := range []struct {
		name  string
		link  Type
		frame []byte
		kind  Kind
		err   error
	}{
		{"link type", 105, nil, Unsupported, nil},
		{"arp", Ethernet, build.Ethernet(nil, 0x0806), Other, nil},
		{"udp", Raw, build.IPv4(1, 2, build.ProtoUDP, build.UDP(53, 53, nil)), Other, nil},
		{"icmp", Raw, build.IPv4(1, 2, 1, nil), Other, nil},
		{"gtp-u echo", Raw, build.IPv4(1, 2, build.ProtoUDP, build.UDP(1, 2152, []byte{0x32, 1, 0, 0, 0, 0, 0, 0})), Other, nil},
		{"short", Ethernet, []byte{1, 2, 3}, Other, errShort},
		{"header length", Raw, append([]byte{0x44}, make([]byte, 30)...), Other, errLength},
		{"total length", Raw, append([]byte{0x45, 0, 1, 0}, make([]byte, 30)...), Other, errLength},
		{"endless tags", Ethernet, build.Ethernet(nil, slices.Repeat([]uint16{typeVLAN}, 40)...), Other, errDepth},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var d Decoder
			if p, err := d.Decode(tt.link, 0, tt.frame, false); p.Kind != tt.kind || err != tt.err {
				t.Errorf("got %+v, %v", p, err)
			}
		})
	}
}

// TestFragments has datagrams in pieces, in and out of order, twice, and not all.
func TestFragments(t *testing.T) {
	b := slices.Concat(build.SCTP(), make([]byte, 20), []byte("end"))
	v4 := func(offset, end int, more bool) []byte {
		return build.IPv4Fragment(1, 2, build.ProtoSCTP, 7, offset, more, b[offset:end])
	}
	v6 := func(offset, end int, more byte) []byte {
		return build.IPv6(1, 2, protoFragment, slices.Concat([]byte{build.ProtoSCTP, 0, 0, byte(offset) | more, 0, 0, 0, 1}, b[offset:end]))
	}
	n := len(b)
	for _, tt := range []struct {
		name   string
		pieces [][]byte
		whole  int
		want   FragmentCounters
	}{
		{"in order", [][]byte{v4(0, 16, true), v4(16, n, false)}, 1, FragmentCounters{Joined: 1}},
		{"backwards", [][]byte{v4(24, n, false), v4(16, 24, true), v4(0, 16, true)}, 1, FragmentCounters{Joined: 2}},
		{"overlapping", [][]byte{v4(0, 24, true), v4(8, 16, true), v4(16, n, false)}, 1, FragmentCounters{Joined: 2}},
		{"twice", [][]byte{v4(0, 16, true), v4(0, 16, true), v4(16, n, false)}, 1, FragmentCounters{Joined: 1, Incomplete: 1}},
		{"first missing", [][]byte{v4(16, 24, true), v4(24, n, false)}, 0, FragmentCounters{Incomplete: 2}},
		{"ipv6", [][]byte{v6(16, n, 0), v6(0, 16, 1)}, 1, FragmentCounters{Joined: 1}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var d Decoder
			whole := 0
			for _, f := range tt.pieces {
				p, err := d.Decode(Raw, 0, f, false)
				if err != nil {
					t.Fatal(err)
				}
				if p.Kind == ToSCTP {
					whole++
					if !slices.Equal(p.Payload, b) {
						t.Errorf("got %x, want %x", p.Payload, b)
					}
				}
			}
			d.Close()
			if d.Fragments() != tt.want || whole != tt.whole || d.fragments.held != 0 {
				t.Errorf("%d whole, %+v, %d octets held", whole, d.Fragments(), d.fragments.held)
			}
		})
	}
}

// TestFragmentBounds keeps what is held within bounds of number, octets and time.
func TestFragmentBounds(t *testing.T) {
	var d Decoder
	for id := range uint16(5000) {
		d.Decode(Raw, 0, build.IPv4Fragment(1, 2, build.ProtoSCTP, id, 0, true, make([]byte, 1400)), false)
		if len(d.fragments.open) > maxDatagrams || d.fragments.held > maxHeld+1400 {
			t.Fatalf("%d datagrams, %d octets", len(d.fragments.open), d.fragments.held)
		}
	}
	d.Decode(Raw, fragmentLife+1, build.IPv4Fragment(1, 2, build.ProtoSCTP, 1, 0, true, []byte("12345678")), false)
	if n := len(d.fragments.open); n != 1 {
		t.Errorf("%d datagrams after their time", n)
	}
	if c := d.Fragments(); c.Incomplete != 5000 {
		t.Errorf("%+v", c)
	}
}

func TestMTP2(t *testing.T) {
	msu := []byte("\x83message")
	phdr := func(annexA byte, b []byte) []byte { return append([]byte{0, annexA, 0, 1}, b...) }
	cut := build.MTP2(msu)[:6]
	for _, tt := range []struct {
		name    string
		link    Type
		frame   []byte
		cut     bool
		kind    Kind
		payload string
		err     error
	}{
		{"message", MTP2, build.MTP2(msu), false, ToMTP3, string(msu), nil},
		{"check sequence", MTP2, append(build.MTP2(msu), 1, 2), false, ToMTP3, string(msu), nil},
		{"fill-in", MTP2, []byte{0, 0, 0, 9, 9}, false, FillIn, "", nil},
		{"link status", MTP2, []byte{0, 0, 2, 9, 9}, false, FillIn, "", nil},
		{"spare bits", MTP2, []byte{0, 0, 0xc0, 9}, false, FillIn, "", nil},
		{"long", MTP2, build.MTP2(make([]byte, 100)), false, ToMTP3, string(make([]byte, 100)), nil},
		{"cut", MTP2, cut, true, ToMTP3, "\x83me", nil},
		{"length past the end", MTP2, cut, false, Other, "", errLength},
		{"short", MTP2, []byte{0, 0}, false, Other, "", errShort},
		{"pseudo-header", MTP2Phdr, phdr(0, build.MTP2(msu)), false, ToMTP3, string(msu), nil},
		{"annex A", MTP2Phdr, phdr(1, build.MTP2AnnexA(msu)), false, ToMTP3, string(msu), nil},
		{"not known, basic", MTP2Phdr, phdr(2, build.MTP2(msu)), false, ToMTP3, string(msu), nil},
		{"not known, annex A", MTP2Phdr, phdr(2, build.MTP2AnnexA(msu)), false, ToMTP3, string(msu), nil},
		{"pseudo-header short", MTP2Phdr, []byte{0, 0}, false, Other, "", errShort},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var d Decoder
			p, err := d.Decode(tt.link, 0, tt.frame, tt.cut)
			if p.Kind != tt.kind || string(p.Payload) != tt.payload || err != tt.err {
				t.Errorf("got %+v, %v", p, err)
			}
		})
	}
}

func FuzzDecode(f *testing.F) {
	types := []Type{Ethernet, Raw, LinuxSLL2, Null, MTP2Phdr, MTP2, ERF, PPP, CHDLC, LinuxSLL}
	for _, link := range types {
		f.Add(uint16(link), eth, false)
	}
	f.Add(uint16(Raw), build.IPv4Fragment(1, 2, build.ProtoSCTP, 7, 0, true, sctp), false)
	var d Decoder
	f.Fuzz(func(t *testing.T, link uint16, b []byte, cut bool) {
		p, err := d.Decode(Type(link), int64(len(b))*1e8, b, cut)
		if err != nil && p.Kind != Other || len(p.Payload) > maxDatagram && len(p.Payload) > len(b) {
			t.Errorf("got %+v, %v", p, err)
		}
		if d.fragments.held > maxHeld+maxDatagram {
			t.Errorf("%d octets held", d.fragments.held)
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	for name, frame := range map[string][]byte{"ipv4": eth, "vlan": build.Ethernet(ip, typeVLAN, typeIPv4)} {
		b.Run(name, func(b *testing.B) {
			var d Decoder
			b.ReportAllocs()
			for b.Loop() {
				if p, err := d.Decode(Ethernet, 0, frame, false); err != nil || p.Kind != ToSCTP {
					b.Fatal(fmt.Sprint(p, err))
				}
			}
		})
	}
}
