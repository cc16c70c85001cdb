//go:build !(cgo && libpcap)

package pcap

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
)

// LibVersion says which libpcap is inside: none.
func LibVersion() string { return "none" }

// Interfaces needs libpcap.
func Interfaces() ([]Interface, error) { return nil, ErrNoLibpcap }

// OpenLive needs libpcap.
func OpenLive(LiveOptions) (Source, error) { return nil, ErrNoLibpcap }

// reader is what both of pcapgo's file readers offer.
type reader interface {
	ReadPacketData() ([]byte, gopacket.CaptureInfo, error)
}

type goFile struct {
	file   *os.File
	reader reader
	link   layers.LinkType // of the whole file; pcapng tells it with each packet
}

func openFile(f *os.File) (Source, error) {
	buffered := bufio.NewReaderSize(f, 1<<16)
	ng, err := sniff(buffered)
	if err != nil {
		return nil, err
	}
	if ng {
		r, err := pcapgo.NewNgReader(buffered, pcapgo.NgReaderOptions{WantMixedLinkType: true})
		if err != nil {
			return nil, headerError(err)
		}
		return &goFile{file: f, reader: r}, nil
	}
	r, err := pcapgo.NewReader(buffered)
	if err != nil {
		return nil, headerError(err)
	}
	return &goFile{file: f, reader: r, link: r.LinkType()}, nil
}

func headerError(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return ErrTruncated
	}
	return fmt.Errorf("%w: %v", ErrNotCapture, err)
}

func (g *goFile) Next() (Packet, error) {
	data, info, err := g.reader.ReadPacketData()
	switch {
	case err == io.EOF && info.CaptureLength == 0:
		return Packet{}, io.EOF
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return Packet{}, ErrTruncated
	case err != nil:
		return Packet{}, err
	}
	link := g.link
	if len(info.AncillaryData) > 0 {
		if t, ok := info.AncillaryData[0].(layers.LinkType); ok {
			link = t
		}
	}
	return Packet{Time: info.Timestamp, Link: link, Data: data}, nil
}

func (g *goFile) Dropped() (uint64, error) { return 0, nil }

func (g *goFile) Close() error { return g.file.Close() }

// Magic numbers of capture files as they stand in a file, in both byte orders:
// https://www.ietf.org/archive/id/draft-ietf-opsawg-pcap and -pcapng.
var (
	magicNG = []byte{0x0a, 0x0d, 0x0d, 0x0a}
	magics  = [][]byte{
		{0xd4, 0xc3, 0xb2, 0xa1}, {0xa1, 0xb2, 0xc3, 0xd4}, // microseconds
		{0x4d, 0x3c, 0xb2, 0xa1}, {0xa1, 0xb2, 0x3c, 0x4d}, // nanoseconds
	}
)

// sniff tells the two formats apart without taking anything from r.
func sniff(r *bufio.Reader) (ng bool, err error) {
	head, err := r.Peek(len(magicNG))
	if len(head) == 0 && err == io.EOF {
		return false, ErrEmpty
	}
	if err == io.EOF {
		return false, ErrTruncated
	}
	if err != nil {
		return false, err
	}
	if bytes.Equal(head, magicNG) {
		return true, nil
	}
	for _, m := range magics {
		if bytes.Equal(head, m) {
			return false, nil
		}
	}
	return false, ErrNotCapture
}
