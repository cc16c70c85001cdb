package sigtran

import (
	"testing"
	"time"

	"github.com/gopacket/gopacket/layers"

	. "github.com/tcapflow/tcapflow/internal/sigtran/sigtrantest"
	"github.com/tcapflow/tcapflow/internal/sigtran/tcap"
)

var (
	hlr   = GT("491710000000", 6)
	vlr   = GT("4915112345678", 7)
	begin = TLV(0x62, OTID("\x01\x02\x03\x04"), Dialogue(0x60, 1), Invoke(1, 2))
	udt   = UDT(hlr, vlr, begin)
)

func frame(ppid uint32, payload []byte) []byte {
	return Frame(1, 2, 0, SCTP(Chunk(1, ppid, 3, payload)))
}

// TestLayers takes the same message through each way that it can come.
func TestLayers(t *testing.T) {
	ethernet := layers.LinkTypeEthernet
	ip := frame(3, M3UA(1, 2, udt))[14:]
	for _, tt := range []struct {
		name  string
		link  layers.LinkType
		frame []byte
		via   string
	}{
		{"m3ua", ethernet, frame(3, M3UA(1, 2, udt)), "m3ua"},
		{"m2pa", ethernet, frame(5, M2PA(MTP3(1, 2, udt))), "m2pa"},
		{"m2ua", ethernet, frame(2, M2UA(MTP3(1, 2, udt))), "m2ua"},
		{"by port", ethernet, frame(0, M3UA(1, 2, udt)), "m3ua"},
		{"xudt", ethernet, frame(3, M3UA(1, 2, XUDT(hlr, vlr, begin, nil))), "m3ua"},
		{"xudt, segmentation parameter of a whole message", ethernet,
			frame(3, M3UA(1, 2, XUDT(hlr, vlr, begin, []byte{0x10, 4, 0x80, 1, 2, 3, 0}))), "m3ua"},
		{"vlan", ethernet, Frame(1, 2, 7, SCTP(Chunk(1, 3, 3, M3UA(1, 2, udt)))), "m3ua"},
		{"raw", layers.LinkTypeRaw, ip, "m3ua"},
		{"raw, live", 12, ip, "m3ua"},
		{"null", layers.LinkTypeNull, append([]byte{2, 0, 0, 0}, ip...), "m3ua"},
		{"sll", layers.LinkTypeLinuxSLL, append([]byte{0, 0, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0, 8, 0}, ip...), "m3ua"},
		{"sll2", 276, append([]byte{8, 0, 0, 0, 0, 0, 0, 2, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0}, ip...), "m3ua"},
		{"mtp2", layers.LinkTypeMTP2, append([]byte{0x80, 0x80, 63}, MTP3(1, 2, udt)...), "mtp"},
		{"mtp3", layers.LinkTypeMTP3, MTP3(1, 2, udt), "mtp"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := NewDecoder()
			got := d.Decode(tt.link, time.Unix(1, 2), tt.frame)
			if len(got) != 1 {
				t.Fatalf("%d messages, counters %+v", len(got), d.Counters())
			}
			m := got[0]
			if m.Via != tt.via || m.OPC != 1 || m.DPC != 2 || m.Err != nil || m.Frame != 1 ||
				m.Called.GT != "491710000000" || m.Called.SSN != 6 ||
				m.Calling.GT != "4915112345678" || m.Calling.SSN != 7 ||
				m.TCAP.Kind != tcap.Begin || m.TCAP.OTID != "\x01\x02\x03\x04" ||
				m.TCAP.ApplicationContext != "0.4.0.0.1.0.1.3" ||
				len(m.TCAP.Components) != 1 || m.TCAP.Components[0].Code != 2 {
				t.Errorf("got %+v", m)
			}
		})
	}
}

// TestCounters takes what is no message, or a broken one, through.
func TestCounters(t *testing.T) {
	var c Counters
	fragment := frame(3, M3UA(1, 2, udt))
	fragment[20] |= 0x20 // more fragments
	for _, tt := range []struct {
		name  string
		link  layers.LinkType
		frame []byte
		count func() uint64
	}{
		{"link type", layers.LinkTypeIEEE802_11, nil, func() uint64 { return c.Unsupported }},
		{"short frame", layers.LinkTypeEthernet, []byte{1, 2, 3}, func() uint64 { return c.Malformed.Link }},
		{"ip fragment", layers.LinkTypeEthernet, fragment, func() uint64 { return c.Fragments }},
		{"sctp header", layers.LinkTypeEthernet, Frame(1, 2, 0, []byte{1, 2}), func() uint64 { return c.Malformed.SCTP }},
		{"m3ua", layers.LinkTypeEthernet, frame(3, []byte{1, 0, 1}), func() uint64 { return c.Malformed.M3UA }},
		{"m2pa", layers.LinkTypeEthernet, frame(5, []byte{1, 0, 11}), func() uint64 { return c.Malformed.M2PA }},
		{"m2ua", layers.LinkTypeEthernet, frame(2, []byte{1, 0, 6}), func() uint64 { return c.Malformed.M2UA }},
		{"mtp3", layers.LinkTypeMTP3, []byte{3, 0}, func() uint64 { return c.Malformed.MTP3 }},
		{"sccp", layers.LinkTypeSCCP, []byte{9, 0, 200, 1, 1}, func() uint64 { return c.Malformed.SCCP }},
		{"sccp management", layers.LinkTypeSCCP, UDT(PC(1, 1), PC(2, 1), []byte{3, 7, 1, 0, 0}), func() uint64 { return c.OtherUsers }},
		{"sccp segment", layers.LinkTypeSCCP, XUDT(hlr, vlr, begin, []byte{0x10, 4, 0x81, 1, 2, 3, 0}), func() uint64 { return c.Segments }},
		{"tcap", layers.LinkTypeSCCP, UDT(hlr, vlr, []byte{0x62, 2, 0x48, 9}), func() uint64 { return c.Malformed.TCAP }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := NewDecoder()
			if got := d.Decode(tt.link, time.Time{}, tt.frame); len(got) != 0 {
				t.Errorf("got %+v", got)
			}
			if c = d.Counters(); tt.count() != 1 {
				t.Errorf("not counted: %+v", c)
			}
		})
	}
}

func FuzzDecode(f *testing.F) {
	for _, link := range []layers.LinkType{layers.LinkTypeEthernet, layers.LinkTypeMTP2, layers.LinkTypeSCCP} {
		f.Add(uint16(link), frame(3, M3UA(1, 2, udt)))
	}
	f.Fuzz(func(t *testing.T, link uint16, b []byte) {
		d := NewDecoder()
		for range 2 {
			d.Decode(layers.LinkType(link), time.Time{}, b)
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	f := frame(3, M3UA(1, 2, udt))
	d := NewDecoder()
	b.SetBytes(int64(len(f)))
	b.ReportAllocs()
	for b.Loop() {
		if len(d.Decode(layers.LinkTypeEthernet, time.Time{}, f)) != 1 {
			b.Fatal("no message")
		}
	}
}
