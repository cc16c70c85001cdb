package pcap

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
)

// classic is a capture file of two packets with the given byte order and
// magic number; unit is a time stamp's fraction of a second.
func classic(order binary.AppendByteOrder, magic uint32, unit time.Duration) []byte {
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

func readAll(t *testing.T, content []byte) (packets []string, err error) {
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
		if want := time.Unix(1709251199, 123456000); !p.Time.Equal(want) || p.Link != layers.LinkTypeEthernet {
			t.Errorf("got %v, link type %v", p.Time, p.Link)
		}
		packets = append(packets, string(p.Data))
	}
}

func TestOpenFile(t *testing.T) {
	little, big := binary.LittleEndian, binary.BigEndian
	whole := classic(little, 0xa1b2c3d4, time.Microsecond)
	ng := pcapng(t)
	for _, tt := range []struct {
		name    string
		content []byte
		packets int
		err     error
	}{
		{"microseconds, little endian", whole, 2, nil},
		{"microseconds, big endian", classic(big, 0xa1b2c3d4, time.Microsecond), 2, nil},
		{"nanoseconds, little endian", classic(little, 0xa1b23c4d, time.Nanosecond), 2, nil},
		{"nanoseconds, big endian", classic(big, 0xa1b23c4d, time.Nanosecond), 2, nil},
		{"pcapng", ng, 2, nil},
		{"no packets", whole[:24], 0, nil},
		{"cut in a packet", whole[:len(whole)-1], 1, ErrTruncated},
		{"cut before a packet's data", whole[:len(whole)-4], 1, ErrTruncated},
		{"cut in a packet header", whole[:len(whole)-8], 1, ErrTruncated},
		{"cut in the file header", whole[:10], 0, ErrTruncated},
		{"cut in the magic number", whole[:2], 0, ErrTruncated},
		{"pcapng, cut in a packet", ng[:len(ng)-6], 1, ErrTruncated},
		{"pcapng, cut in the header", ng[:20], 0, ErrTruncated},
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
		w.Write(classic(binary.LittleEndian, 0xa1b2c3d4, time.Microsecond))
		w.Close()
	}()
	s, err := OpenFile("-", r)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if p, err := s.Next(); err != nil || string(p.Data) != "pkt0" {
		t.Errorf("got %+v, %v", p, err)
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
