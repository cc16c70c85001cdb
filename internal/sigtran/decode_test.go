package sigtran

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tcapflow/tcapflow/internal/sigtran/link"
	"github.com/tcapflow/tcapflow/internal/sigtran/mtp3"
	build "github.com/tcapflow/tcapflow/internal/sigtran/sigtrantest"
	"github.com/tcapflow/tcapflow/internal/sigtran/tcap"
)

var (
	hlr   = build.GT("491710000000", 6)
	vlr   = build.GT("4915112345678", 7)
	begin = build.TLV(0x62, build.OTID("\x01\x02\x03\x04"), build.Dialogue(0x60, 1), build.Invoke(1, 2))
	udt   = build.UDT(hlr, vlr, begin)
)

func frame(ppid uint32, payload []byte) []byte {
	return build.Frame(1, 2, 0, build.SCTP(build.Chunk(1, ppid, 3, payload)))
}

func newDecoder() *Decoder { return NewDecoder(Options{Auto: true}) }

// decode gives a decoder frames, a millisecond apart, closes it, and returns what came
// out.
func decode(t *testing.T, d *Decoder, link link.Type, frames ...[]byte) (all []Message) {
	t.Helper()
	for i, f := range frames {
		at := int64(i) * 1e6
		all = append(all, d.Decode(link, at, at, f, false)...)
	}
	all = append(all, d.Close()...)
	balanced(t, d)
	return all
}

func balanced(t *testing.T, d *Decoder) {
	t.Helper()
	c := d.Counters()
	if err := c.Balance(); err != nil {
		t.Error(err)
	}
}

// TestLayers takes the same message through each way that it can come.
func TestLayers(t *testing.T) {
	ethernet := link.Ethernet
	label := build.ProtocolData(1, 2, udt)
	for _, tt := range []struct {
		name  string
		link  link.Type
		frame []byte
		via   Via
	}{
		{"m3ua", ethernet, frame(3, build.M3UA(1, 2, udt)), M3UA},
		{"m3ua, protocol data first", ethernet, frame(3, build.M3UAOf(label, build.RoutingContext(1), build.NetworkAppearance(2))), M3UA},
		{"m3ua, alone", ethernet, frame(3, build.M3UAOf(label)), M3UA},
		{"m3ua, all", ethernet, frame(3, build.M3UAOf(build.NetworkAppearance(2), build.RoutingContext(1), label, build.CorrelationID(3))), M3UA},
		{"m2pa", ethernet, frame(5, build.M2PA(build.MTP3(1, 2, udt))), M2PA},
		{"m2ua", ethernet, frame(2, build.M2UA(build.MTP3(1, 2, udt))), M2UA},
		{"by port", ethernet, frame(0, build.M3UA(1, 2, udt)), M3UA},
		{"byte order of the identifier", ethernet, frame(3<<24, build.M3UA(1, 2, udt)), M3UA},
		{"i-data", ethernet, build.Frame(1, 2, 0, build.SCTP(build.IData(1, 1, 3, 3, build.M3UA(1, 2, udt)))), M3UA},
		{"xudt", ethernet, frame(3, build.M3UA(1, 2, build.XUDT(hlr, vlr, begin, nil))), M3UA},
		{"xudt, segmentation parameter of a whole message", ethernet,
			frame(3, build.M3UA(1, 2, build.XUDT(hlr, vlr, begin, build.Segmentation(true, 0, 9)))), M3UA},
		{"ludt", ethernet, frame(3, build.M3UA(1, 2, build.LUDT(hlr, vlr, begin))), M3UA},
		{"vlan", ethernet, build.Frame(1, 2, 7, build.SCTP(build.Chunk(1, 3, 3, build.M3UA(1, 2, udt)))), M3UA},
		{"mtp2", link.MTP2, build.MTP2(build.MTP3(1, 2, udt)), MTP},
		{"mtp3", link.MTP3, build.MTP3(1, 2, udt), MTP},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := newDecoder()
			got := decode(t, d, tt.link, tt.frame)
			if len(got) != 1 {
				t.Fatalf("%d messages, counters %+v", len(got), d.Counters())
			}
			m := got[0]
			if m.Via != tt.via || m.OPC != 1 || m.DPC != 2 || m.Err != nil || m.Frame != 1 ||
				m.Called.GT() != "491710000000" || m.Called.SSN != 6 ||
				m.Calling.GT() != "4915112345678" || m.Calling.SSN != 7 || m.Cause != -1 ||
				m.TCAP.Kind != tcap.Begin || m.TCAP.OTID.String() != "01020304" ||
				m.TCAP.Context.String() != "0.4.0.0.1.0.1.3" ||
				m.TCAP.Count != 1 || m.TCAP.Components[0].Code != 2 {
				t.Errorf("got %+v", m)
			}
		})
	}
}

// TestSUA has point codes in the addresses.
func TestSUA(t *testing.T) {
	called, calling := build.SUAAddress("491710000000", 2, 6), build.SUAAddress("491511234567", 1, 7)
	d := newDecoder()
	got := decode(t, d, link.Ethernet, frame(4, build.SUA(called, calling, begin)), frame(4, build.SUAReturn(3, calling, called, begin)))
	if len(got) != 2 || got[0].OPC != 1 || got[0].DPC != 2 || got[0].Via != SUA || got[0].Returned() || got[1].Cause != 3 {
		t.Errorf("got %+v, %+v", got, d.Counters())
	}
}

// TestSeveral has more than one message in a chunk, and in an M3UA message.
func TestSeveral(t *testing.T) {
	one, two := build.ProtocolData(1, 2, udt), build.ProtocolData(3, 4, udt)
	for name, payload := range map[string][]byte{
		"two protocol data": build.M3UAOf(one, two),
		"two messages":      append(build.M3UAOf(one), build.M3UAOf(two)...),
	} {
		d := newDecoder()
		got := decode(t, d, link.Ethernet, frame(3, payload))
		if len(got) != 2 || got[0].OPC != 1 || got[1].OPC != 3 {
			t.Errorf("%s: got %+v", name, got)
		}
		if c := d.Counters(); c.Adaptation.MoreProtocolData+c.Adaptation.Total != 2 {
			t.Errorf("%s: %+v", name, c.Adaptation)
		}
	}
}

// TestPorts takes the user's word for a port.
func TestPorts(t *testing.T) {
	f := build.Frame(1, 2, 0, build.SCTPPort(12905, build.Chunk(1, 0, 3, build.M3UA(1, 2, udt))))
	if got := decode(t, newDecoder(), link.Ethernet, f); len(got) != 0 {
		t.Errorf("got %+v", got)
	}
	own := build.Frame(1, 2, 0, build.SCTPPort(12905, build.Chunk(2, 999, 3, build.M3UA(1, 2, udt))))
	d := NewDecoder(Options{Auto: true, Ports: map[uint16]uint32{12905: 3}})
	if got := decode(t, d, link.Ethernet, f, own); len(got) != 2 {
		t.Errorf("got %+v", got)
	}
}

// TestDuplicates has a chunk sent again on another path, and captured twice.
func TestDuplicates(t *testing.T) {
	packet := build.SCTP(build.Chunk(7, 3, 3, build.M3UA(1, 2, udt)))
	other := build.Ethernet(build.IPv4Fragment(9, 8, build.ProtoSCTP, 0, 0, false, packet), 0x0800)
	first := build.Ethernet(build.IPv4Fragment(1, 2, build.ProtoSCTP, 0, 0, false, packet), 0x0800)
	d := newDecoder()
	if got := decode(t, d, link.Ethernet, first, first, other); len(got) != 1 || d.Counters().Data.Duplicates != 2 {
		t.Errorf("got %+v, %+v", got, d.Counters().Data)
	}
	none := slices.Clone(packet) // without a verification tag, nothing is known
	copy(none[4:8], []byte{0, 0, 0, 0})
	first, other = build.IPv4Fragment(1, 2, build.ProtoSCTP, 0, 0, false, none), build.IPv4Fragment(9, 8, build.ProtoSCTP, 0, 0, false, none)
	if got := decode(t, newDecoder(), link.Raw, first, first, other); len(got) != 3 {
		t.Errorf("got %+v", got)
	}
}

func segments(t *testing.T, cut ...int) (list [][]byte) {
	t.Helper()
	parts := [][]byte{begin[:20], begin[20:40], begin[40:]}
	for i, p := range parts {
		if slices.Contains(cut, i) {
			continue
		}
		x := build.XUDT(hlr, vlr, p, build.Segmentation(i == 0, byte(len(parts)-1-i), 77))
		list = append(list, build.MTP3(1, 2, x))
	}
	return list
}

func TestSegments(t *testing.T) {
	d := newDecoder()
	got := decode(t, d, link.MTP3, segments(t)...)
	if len(got) != 1 || got[0].Segments != 3 || got[0].Partial || got[0].TCAP.Count != 1 || got[0].Frame != 3 {
		t.Errorf("got %+v", got)
	}
	d = newDecoder()
	got = decode(t, d, link.MTP3, segments(t, 1)...)
	if len(got) != 1 || !got[0].Partial || got[0].Frame != 1 || got[0].TCAP.OTID.String() != "01020304" {
		t.Errorf("a segment is missing: got %+v, %+v", got, d.Counters())
	}
	d = newDecoder()
	for i, f := range append(segments(t, 1), build.MTP3(1, 2, udt)) {
		got = d.Decode(link.MTP3, int64(i)*3e9, int64(i)*3e9, f, false)
	}
	if len(got) != 1 || got[0].Partial {
		t.Errorf("got %+v", got)
	}
}

// TestStandards has the same message in the forms of four standards: each direction
// finds its own, and no address is shown in the form of another.
func TestStandards(t *testing.T) {
	type form struct {
		standard        mtp3.Standard
		called, calling []byte
		label           func(opc, dpc uint32, sccp []byte) []byte
		opc             uint32
	}
	forms := []form{
		{mtp3.ITU, build.PC(200, 6), build.PC(100, 7), build.MTP3, 100},
		{mtp3.ANSI, build.ANSIPC(0x0a0b0c, 6), build.ANSIPC(0x010203, 7), build.MTP3Wide, 0x010203},
		{mtp3.China, build.ChinaPC(0x0a0b0c, 6), build.ChinaPC(0x010203, 7), build.MTP3Wide, 0x010203},
		{mtp3.Japan, build.GT("491710000000", 6), build.GT("491511234567", 7), build.MTP3Japan, 0xfff1},
	}
	for _, f := range forms {
		t.Run(f.standard.String(), func(t *testing.T) {
			msu := f.label(f.opc, 9, build.UDT(f.called, f.calling, begin))
			got := decode(t, newDecoder(), link.Ethernet, frame(5, build.M2PA(msu)))
			if len(got) != 1 || got[0].Standard != f.standard || got[0].OPC != f.opc || got[0].DPC != 9 || got[0].Calling.SSN != 7 {
				t.Fatalf("got %+v", got)
			}
			fixed := NewDecoder(Options{Standard: f.standard})
			if one := decode(t, fixed, link.Ethernet, frame(5, build.M2PA(msu))); fmt.Sprint(one) != fmt.Sprint(got) {
				t.Errorf("with the option: %+v, without: %+v", one, got)
			}
		})
	}
}

// TestANSIOverM3UA has no label that would tell; a title alone could be ITU's.
func TestANSIOverM3UA(t *testing.T) {
	title := build.ANSIGT("3035551234", 9, 6)
	message := func(tsn uint32, called []byte) []byte {
		m := build.M3UA(1, 2, build.UDT(called, build.ANSIPC(0x010203, 7), begin))
		return build.Frame(1, 2, 0, build.SCTP(build.Chunk(tsn, 3, 3, m)))
	}
	got := decode(t, newDecoder(), link.Ethernet, message(1, title), message(2, build.ANSIPC(5, 6)), message(3, title))
	for _, m := range got {
		if m.Standard != mtp3.ANSI || m.Calling.PC != 0x010203 || m.Called.HasTitle() && m.Called.GT() != "3035551234" {
			t.Errorf("got %+v", m)
		}
	}
	if len(got) != 3 {
		t.Errorf("%d messages", len(got))
	}
}

// TestOneOddMessage does not change what the direction has shown.
func TestOneOddMessage(t *testing.T) {
	d := newDecoder()
	odd := build.ANSIPC(0x010203, 7)
	for i, calling := range [][]byte{build.PC(1, 7), odd, build.PC(1, 7), build.PC(1, 7)} {
		m := build.M3UA(1, 2, build.UDT(build.PC(2, 6), calling, begin))
		d.Decode(link.Ethernet, 0, 0, build.Frame(1, 2, 0, build.SCTP(build.Chunk(uint32(i), 3, 3, m))), false)
	}
	if s := d.associations.last.forms.current; s != mtp3.ITU {
		t.Errorf("the direction is %s now", s)
	}
	if d.Counters().Unread != 1 {
		t.Errorf("%d messages with an address of no form, want the one that mixes two", d.Counters().Unread)
	}
}

// TestCounters takes what is no message, or a broken one, through: each ends in one
// counter.
func TestCounters(t *testing.T) {
	var c Counters
	fragment := build.Ethernet(build.IPv4Fragment(1, 2, build.ProtoSCTP, 1, 0, true, build.SCTP()), 0x0800)
	for _, tt := range []struct {
		name  string
		link  link.Type
		frame []byte
		count *uint64
		hint  string
	}{
		{"link type", 105, nil, &c.Frames.Unsupported, "link type"},
		{"short frame", link.Ethernet, []byte{1, 2, 3}, &c.Malformed.Link, "malformed"},
		{"arp", link.Ethernet, build.Ethernet(nil, 0x0806), &c.Frames.Other, "nothing of SS7"},
		{"fill-in unit", link.MTP2, []byte{0, 0, 0}, &c.Frames.FillIn, "fill-in"},
		{"ip fragment", link.Ethernet, fragment, &c.Frames.Fragments.Incomplete, "IP fragments"},
		{"sctp header", link.Ethernet, build.Frame(1, 2, 0, []byte{1, 2}), &c.Malformed.SCTP, "malformed"},
		{"heartbeat", link.Ethernet, build.Frame(1, 2, 0, build.SCTP([]byte{4, 0, 0, 4})), &c.Control, "chunks without data"},
		{"unknown protocol", link.Ethernet, frame(46, []byte("diameter")), &c.Data.Unknown, "-port 2905=m3ua"},
		{"sctp fragment", link.Ethernet, build.Frame(1, 2, 0, build.SCTP(build.Chunk(1, 3, 2, []byte("x")))),
			&c.Data.FragmentsIncomplete, "SCTP fragments"},
		{"management", link.Ethernet, frame(3, []byte{1, 0, 3, 1, 0, 0, 0, 8}), &c.Adaptation.Control, "without user data"},
		{"link status", link.Ethernet, frame(5, []byte{1, 0, 11, 2, 0, 0, 0, 20, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 1}),
			&c.Adaptation.Control, "without user data"},
		{"octets after a message", link.Ethernet, frame(3, append([]byte{1, 0, 3, 1, 0, 0, 0, 8}, 1, 2, 3, 4, 5)), &c.Adaptation.Trailing, ""},
		{"m3ua", link.Ethernet, frame(3, []byte{1, 0, 1}), &c.Malformed.M3UA, "malformed"},
		{"protocol data short", link.Ethernet, frame(3, build.M3UAOf(build.ProtocolData(1, 2, nil)[:8])), &c.Malformed.M3UA, ""},
		{"m2pa", link.Ethernet, frame(5, []byte{1, 0, 11}), &c.Malformed.M2PA, ""},
		{"m2ua", link.Ethernet, frame(2, []byte{1, 0, 6}), &c.Malformed.M2UA, ""},
		{"sua", link.Ethernet, frame(4, []byte{1, 0, 7, 1, 0, 0, 0, 8}), &c.Malformed.SUA, ""},
		{"isup", link.Ethernet, frame(3, build.M3UAOf(build.ServiceData(5, 1, 2, []byte("isup")))), &c.MSU.Other, "messages of ISUP"},
		{"snm", link.MTP3, []byte{0x80, 1, 2, 3, 4, 5}, &c.MSU.Other, "network management"},
		{"mtp3", link.MTP3, []byte{3, 0}, &c.Malformed.MTP3, ""},
		{"sccp", link.SCCP, []byte{9, 0, 200, 1, 1}, &c.Malformed.SCCP, "-standard"},
		{"sccp connection", link.SCCP, []byte{6, 1, 2, 3, 0, 1}, &c.SCCP.Connection, "BSSAP or RANAP"},
		{"sccp management", link.SCCP, build.UDT(build.PC(1, 1), build.PC(2, 1), []byte{3, 7, 1, 0, 0}), &c.UserData.Management, "management"},
		{"another user", link.SCCP, build.UDT(hlr, vlr, []byte("x")), &c.UserData.Other, "another user"},
		{"sccp segment", link.SCCP, build.XUDT(hlr, vlr, begin, build.Segmentation(false, 1, 9)), &c.SCCP.Segments.Incomplete, ""},
		{"tcap", link.SCCP, build.UDT(hlr, vlr, []byte{0x62, 2, 0x48, 9}), &c.Malformed.TCAP, "malformed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := newDecoder()
			if got := decode(t, d, tt.link, tt.frame); len(got) != 0 {
				t.Errorf("got %+v", got)
			}
			if c = d.Counters(); *tt.count != 1 {
				t.Errorf("not counted: %+v", c)
			}
			if hint := c.Hint(); !strings.Contains(hint, tt.hint) || !strings.HasPrefix(hint, "no TCAP found, but 1 ") {
				t.Errorf("hint %q, want %q", hint, tt.hint)
			}
		})
	}
}

// TestNoHint has nothing to say where TCAP was found, or nothing came.
func TestNoHint(t *testing.T) {
	d := newDecoder()
	c := d.Counters()
	if hint := c.Hint(); hint != "" {
		t.Errorf("without packets: %q", hint)
	}
	decode(t, d, link.MTP3, build.MTP3(1, 2, udt))
	c = d.Counters()
	if hint := c.Hint(); hint != "" {
		t.Errorf("with TCAP: %q", hint)
	}
}

// TestCut takes each beginning of a frame, as captures with a snap length have them:
// none is malformed, all are counted as cut, and the transaction ID is there as soon
// as it can be.
func TestCut(t *testing.T) {
	for name, whole := range map[string][]byte{
		"m3ua": frame(3, build.M3UA(1, 2, udt)), "m2pa": frame(5, build.M2PA(build.MTP3(1, 2, udt))),
		"ludt": frame(3, build.M3UA(1, 2, build.LUDT(hlr, vlr, begin))),
	} {
		seen := 0
		for n := range whole {
			d := newDecoder()
			got := d.Decode(link.Ethernet, 0, 0, whole[:n], true)
			d.Close()
			balanced(t, d)
			if c := d.Counters(); c.Malformed.Total() != 0 || c.CutPackets != 1 || c.Unread != 0 {
				t.Fatalf("%s, %d octets: %+v", name, n, c)
			}
			for _, m := range got {
				seen++
				if m.TCAP.OTID.String() != "01020304" || m.Calling.GT() != "4915112345678" {
					t.Errorf("%s, %d octets: %+v", name, n, m)
				}
			}
		}
		if seen < 30 {
			t.Errorf("%s: only %d of %d beginnings had a message", name, seen, len(whole))
		}
	}
}

func TestAssociationBound(t *testing.T) {
	d := newDecoder()
	for i := range uint32(3 * maxAssociations) {
		packet := build.SCTP(build.Chunk(1, 3, 2, []byte("fragment")))
		packet[8/2], packet[5], packet[6], packet[7] = byte(i>>24), byte(i>>16), byte(i>>8), byte(i)
		d.Decode(link.Raw, 0, 0, build.IPv4Fragment(1, 2, build.ProtoSCTP, 0, 0, false, packet), false)
	}
	if len(d.associations.list) != maxAssociations || len(d.associations.byKey) != maxAssociations {
		t.Errorf("%d, %d directions", len(d.associations.list), len(d.associations.byKey))
	}
	d.Close()
	balanced(t, d)
}

// FuzzDecode counts all that comes in, whatever it is.
func FuzzDecode(f *testing.F) {
	for _, link := range []link.Type{link.Ethernet, link.MTP2, link.SCCP} {
		f.Add(uint16(link), frame(3, build.M3UA(1, 2, udt)), false)
	}
	f.Add(uint16(link.Ethernet), frame(4, build.SUA(build.SUAAddress("12", 2, 6), build.SUAAddress("34", 1, 7), begin)), true)
	f.Add(uint16(link.MTP3), build.MTP3Wide(1, 2, build.UDT(build.ANSIPC(1, 2), build.ANSIGT("12", 3, 4), begin)), false)
	f.Add(uint16(link.SCCP), build.XUDT(hlr, vlr, begin, build.Segmentation(true, 1, 9)), false)
	f.Fuzz(func(t *testing.T, kind uint16, b []byte, cut bool) {
		d := newDecoder()
		for i := range int64(2) {
			d.Decode(link.Type(kind), i*5e9, i*5e9, b, cut)
		}
		d.Close()
		balanced(t, d)
	})
}

func BenchmarkDecode(b *testing.B) {
	m2pa := frame(5, build.M2PA(build.MTP3(1, 2, udt)))
	for name, f := range map[string][]byte{"m3ua": frame(3, build.M3UA(1, 2, udt)), "m2pa": m2pa} {
		b.Run(name, func(b *testing.B) {
			d := newDecoder()
			tsn := f[14+20+12+4:] // Ethernet, IP, SCTP, chunk header
			b.SetBytes(int64(len(f)))
			b.ReportAllocs()
			for i := uint32(0); b.Loop(); i++ {
				tsn[0], tsn[1], tsn[2], tsn[3] = byte(i>>24), byte(i>>16), byte(i>>8), byte(i)
				if len(d.Decode(link.Ethernet, 0, 0, f, false)) != 1 {
					b.Fatal("no message")
				}
			}
		})
	}
}
