package pcap

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"

	"github.com/tcapflow/tcapflow/internal/sigtran/link"
)

// classicFile is a capture file of two packets with the given byte order and
// magic number; unit is a time stamp's fraction of a second.
func classicFile(order binary.AppendByteOrder, magic uint32, unit time.Duration) []byte {
	b := order.AppendUint32(nil, magic)
	b = order.AppendUint16(order.AppendUint16(b, 2), 4)
	for _, v := range []uint32{0, 0, 65535, uint32(layers.LinkTypeEthernet)} {
		b = order.AppendUint32(b, v)
	}
	for i := range uint32(2) {
		for _, v := range []uint32{1709251199, uint32(123456000 / unit), 4, 4} {
			b = order.AppendUint32(b, v)
		}
		b = append(b, 'p', 'k', 't', byte('0'+i))
	}
	return b
}

// kuznetzov is a file of classicFile's with the longer packet headers.
func kuznetzov(b []byte) []byte {
	out := append(binary.LittleEndian.AppendUint32(nil, 0xa1b2cd34), b[4:24]...)
	for rest := b[24:]; len(rest) > 0; rest = rest[20:] {
		out = slices.Concat(out, rest[:16], []byte{1, 0, 0, 0, 8, 0, 0, 0}, rest[16:20])
	}
	return out
}

// ngBlock is a block of a pcapng file, little endian.
func ngBlock(kind uint32, content []byte) []byte {
	content = append(bytes.Clone(content), make([]byte, -len(content)&3)...)
	length := binary.LittleEndian.AppendUint32(nil, uint32(12+len(content)))
	return slices.Concat(binary.LittleEndian.AppendUint32(nil, kind), length, content, length)
}

func ngSection() []byte {
	return ngBlock(0x0a0d0d0a, []byte{0x4d, 0x3c, 0x2b, 0x1a, 1, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255})
}

func ngInterface(link uint16, snapLen uint32, options ...byte) []byte {
	b := binary.LittleEndian.AppendUint32([]byte{byte(link), byte(link >> 8), 0, 0}, snapLen)
	return ngBlock(1, append(b, options...))
}

func ngPacket(number uint32, stamp uint64, data string) []byte {
	b := binary.LittleEndian.AppendUint32(nil, number)
	b = binary.LittleEndian.AppendUint32(b, uint32(stamp>>32))
	b = binary.LittleEndian.AppendUint32(b, uint32(stamp))
	b = binary.LittleEndian.AppendUint32(b, uint32(len(data)))
	b = binary.LittleEndian.AppendUint32(b, uint32(len(data)))
	return ngBlock(6, append(b, data...))
}

func pcapng(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := pcapgo.NewNgWriter(&b, layers.LinkTypeEthernet)
	if err != nil {
		t.Fatal(err)
	}
	for _, data := range []string{"pkt0", "pkt1"} {
		info := gopacket.CaptureInfo{Timestamp: time.Unix(1709251199, 123456000), CaptureLength: 4, Length: 4}
		if err := w.WritePacket(info, []byte(data)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// allPackets opens content as a file and reads it to its end.
func allPackets(t *testing.T, content []byte) (packets []Packet, err error) {
	t.Helper()
	name := filepath.Join(t.TempDir(), "capture")
	if err := os.WriteFile(name, content, 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := OpenFile(name, nil)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	for {
		p, err := s.Next()
		if err == io.EOF {
			return packets, nil
		}
		if err != nil {
			return packets, err
		}
		p.Data = bytes.Clone(p.Data)
		packets = append(packets, p)
	}
}

func readAll(t *testing.T, content []byte) (packets []string, err error) {
	t.Helper()
	list, err := allPackets(t, content)
	for _, p := range list {
		if p.Time != 1709251199_123456000 || p.Link != link.Ethernet || p.Wire != 4 {
			t.Errorf("got %+v", p)
		}
		packets = append(packets, string(p.Data))
	}
	return packets, err
}

func compressed(t *testing.T, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestOpenFile(t *testing.T) {
	little, big := binary.LittleEndian, binary.BigEndian
	whole := classicFile(little, 0xa1b2c3d4, time.Microsecond)
	ng := pcapng(t)
	gz := compressed(t, whole)
	for _, tt := range []struct {
		name    string
		content []byte
		packets int
		err     error
	}{
		{"microseconds, little endian", whole, 2, nil},
		{"microseconds, big endian", classicFile(big, 0xa1b2c3d4, time.Microsecond), 2, nil},
		{"nanoseconds, little endian", classicFile(little, 0xa1b23c4d, time.Nanosecond), 2, nil},
		{"nanoseconds, big endian", classicFile(big, 0xa1b23c4d, time.Nanosecond), 2, nil},
		{"Kuznetzov's headers", kuznetzov(whole), 2, nil},
		{"pcapng", ng, 2, nil},
		{"gzip", gz, 2, nil},
		{"gzip of pcapng", compressed(t, ng), 2, nil},
		{"gzip, cut in its trailer", gz[:len(gz)-4], 2, ErrTruncated},
		{"gzip, cut in its header", gz[:5], 0, ErrTruncated},
		{"gzip, damaged", append(bytes.Clone(gz[:len(gz)-8]), 1, 2, 3, 4, 5, 6, 7, 8), 2, ErrCorrupt},
		{"no packets", whole[:24], 0, nil},
		{"packet of 4 GiB", append(bytes.Clone(whole), bytes.Repeat([]byte{0xff}, 16)...), 2, ErrCorrupt},
		{"cut in a packet", whole[:len(whole)-1], 1, ErrTruncated},
		{"cut before a packet's data", whole[:len(whole)-4], 1, ErrTruncated},
		{"cut in a packet header", whole[:len(whole)-8], 1, ErrTruncated},
		{"cut in the file header", whole[:10], 0, ErrTruncated},
		{"cut in the magic number", whole[:2], 0, ErrTruncated},
		{"pcapng, cut in a packet", ng[:len(ng)-6], 1, ErrTruncated},
		{"pcapng, cut in the header", ng[:20], 0, ErrTruncated},
		{"pcapng, cut after a packet's data", ng[:len(ng)-2], 2, ErrTruncated},
		{"pcapng, block length 0", append(bytes.Clone(ng), 6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0), 2, ErrCorrupt},
		{"pcapng, unknown interface", append(bytes.Clone(ng), ngPacket(7, 0, "x")...), 2, ErrCorrupt},
		{"pcapng, byte order", bytes.Replace(ng, []byte{0x4d, 0x3c}, []byte{1, 2}, 1), 0, ErrNotCapture},
		{"empty", nil, 0, ErrEmpty},
		{"text", []byte("no capture at all, but long enough for a header"), 0, ErrNotCapture},
	} {
		t.Run(tt.name, func(t *testing.T) {
			packets, err := readAll(t, tt.content)
			if !errors.Is(err, tt.err) || len(packets) != tt.packets {
				t.Errorf("got %q, %v", packets, err)
			}
		})
	}
}

func TestOpenStdin(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		w.Write(classicFile(binary.LittleEndian, 0xa1b2c3d4, time.Microsecond))
		w.Close()
	}()
	s, err := OpenFile("-", r)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if s.MayWait() {
		t.Error("the packets came with the file header")
	}
	if p, err := s.Next(); err != nil || string(p.Data) != "pkt0" || s.MayWait() {
		t.Errorf("got %+v, %v, may wait %t", p, err, s.MayWait())
	}
	if p, err := s.Next(); err != nil || string(p.Data) != "pkt1" || !s.MayWait() {
		t.Errorf("got %+v, %v, may wait %t", p, err, s.MayWait())
	}
}

func TestOpenFileErrors(t *testing.T) {
	if _, err := OpenFile(filepath.Join(t.TempDir(), "missing"), nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error %v", err)
	}
	if _, err := OpenFile(t.TempDir(), nil); err == nil {
		t.Error("a directory was opened")
	}
}

// TestInterfaces has a file with interfaces of several link types, snap lengths and
// units of time, in two sections, with blocks between that hold no packet.
func TestInterfaces(t *testing.T) {
	simple := ngBlock(3, append(binary.LittleEndian.AppendUint32(nil, 9), "simple___"...))
	old := ngBlock(2, append([]byte{1, 0, 3, 0, 0, 0, 0, 0, 5, 0, 0, 0, 3, 0, 0, 0, 3, 0, 0, 0}, "old"...))
	content := slices.Concat(ngSection(),
		ngInterface(1, 6),
		ngInterface(276, 0, 9, 0, 1, 0, 9, 0, 0, 0, 14, 0, 8, 0, 100, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
		ngInterface(113, 0, 9, 0, 1, 0, 0x80|10, 0, 0, 0),
		ngBlock(0xbad, make([]byte, 3<<20)),
		ngPacket(0, 7_000_001, "micro"), ngPacket(1, 7_000_000_001, "nano"), ngPacket(2, 3<<10|512, "binary"),
		simple, old,
		ngSection(), ngInterface(101, 0), ngPacket(0, 1, "next"))
	got, err := allPackets(t, content)
	want := []Packet{
		{7_000_001_000, 1, []byte("micro"), 5},
		{107_000_000_001, 276, []byte("nano"), 4},
		{3_500_000_000, 113, []byte("binary"), 6},
		{0, 1, []byte("simple"), 9},
		{100_000_000_005, 276, []byte("old"), 3},
		{1000, 101, []byte("next"), 4},
	}
	if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
}

func TestClock(t *testing.T) {
	const last = 1<<63 - 1
	for _, tt := range []struct {
		resolution byte
		stamp      uint64
		want       int64
	}{
		{6, 5, 5000}, {9, 5, 5}, {0, 5, 5e9}, {3, 5, 5e6}, {0x80, 5, 5e9}, {0x80 | 1, 5, 25e8}, {12, 5000, 5},
		{6, 1 << 63, last}, {9, 1 << 63, last}, {0, 1 << 63, last}, {0xff, 5, 5000}, {99, 5, 5000},
	} {
		if got := clockOf(tt.resolution).nanoseconds(tt.stamp); got != tt.want {
			t.Errorf("resolution %#x, stamp %d: got %d, want %d", tt.resolution, tt.stamp, got, tt.want)
		}
	}
}

// FuzzReader has packets that are bounded, and an end, whatever the bytes are. The
// buffer is smaller than a user's: to clear that took most of the time.
func FuzzReader(f *testing.F) {
	f.Add(classicFile(binary.BigEndian, 0xa1b2c3d4, time.Microsecond))
	f.Add(kuznetzov(classicFile(binary.LittleEndian, 0xa1b2c3d4, time.Microsecond)))
	f.Add(slices.Concat(ngSection(), ngInterface(1, 6, 9, 0, 1, 0, 9, 0, 0, 0), ngPacket(0, 1, "x")))
	f.Fuzz(func(t *testing.T, content []byte) {
		r, err := newReader(bytes.NewReader(content), 1<<12)
		if err != nil {
			return
		}
		for n := 0; ; n++ {
			p, err := r.next()
			if err != nil {
				return
			}
			if len(p.Data) > MaxPacket || !compressedMagic(content) && n > len(content)/12 {
				t.Fatalf("packet %d of %d octets from a file of %d", n, len(p.Data), len(content))
			}
		}
	})
}

func compressedMagic(b []byte) bool { return bytes.HasPrefix(b, magicGzip) }

func BenchmarkReader(b *testing.B) {
	content := append(classicFile(binary.LittleEndian, 0xa1b2c3d4, time.Microsecond)[:24], bytes.Repeat(classicRecord(), 10_000)...)
	b.SetBytes(int64(len(content)))
	b.ReportAllocs()
	for b.Loop() {
		r, err := newReader(bytes.NewReader(content), fileBuffer)
		if err != nil {
			b.Fatal(err)
		}
		for err == nil {
			_, err = r.next()
		}
		if err != io.EOF {
			b.Fatal(err)
		}
	}
}

// classicRecord is a packet of 200 octets.
func classicRecord() []byte {
	return append([]byte{1, 0, 0, 0, 1, 0, 0, 0, 200, 0, 0, 0, 200, 0, 0, 0}, make([]byte, 200)...)
}
