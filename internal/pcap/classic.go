package pcap

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"

	"github.com/tcapflow/tcapflow/internal/sigtran/link"
)

// Magic numbers of pcap files
// (https://www.ietf.org/archive/id/draft-ietf-opsawg-pcap). The third is of
// Alexey Kuznetzov's patch to libpcap 0.4, as libpcap's sf-pcap.c knows it: 8 more
// octets in each packet header.
const (
	magicMicroseconds = 0xa1b2c3d4
	magicNanoseconds  = 0xa1b23c4d
	magicKuznetzov    = 0xa1b2cd34
)

const (
	classicHeader = 24
	recordHeader  = 16
	kuznetzovMore = 8
)

// classic reads pcap files.
type classic struct {
	r      *bufio.Reader
	order  binary.ByteOrder
	link   link.Type
	unit   int64 // of a time stamp's fraction, nanoseconds
	header int   // octets of a packet header
}

func newClassic(r *bufio.Reader, magic []byte) (*classic, error) {
	c := &classic{r: r, order: binary.LittleEndian, unit: 1000, header: recordHeader}
	if magic[0] == 0xa1 {
		c.order = binary.BigEndian
	}
	switch c.order.Uint32(magic) {
	case magicMicroseconds:
	case magicNanoseconds:
		c.unit = 1
	case magicKuznetzov:
		c.header += kuznetzovMore
	default:
		return nil, ErrNotCapture
	}
	b, err := take(r, classicHeader)
	if err != nil {
		return nil, err
	}
	// The top bits of the field tell of a frame check sequence.
	c.link = link.Type(c.order.Uint32(b[20:]))
	return c, nil
}

func (c *classic) buffered() int { return c.r.Buffered() }

func (c *classic) next() (Packet, error) {
	h, err := c.r.Peek(c.header)
	if err != nil {
		if err == io.EOF && len(h) == 0 {
			return Packet{}, io.EOF
		}
		return Packet{}, cutOr(err)
	}
	seconds, fraction := c.order.Uint32(h), c.order.Uint32(h[4:])
	captured, wire := c.order.Uint32(h[8:]), c.order.Uint32(h[12:])
	if captured > MaxPacket {
		return Packet{}, fmt.Errorf("%w: packet of %d octets, at most %d", ErrCorrupt, captured, MaxPacket)
	}
	b, err := take(c.r, c.header+int(captured))
	if err != nil {
		return Packet{}, err
	}
	return Packet{
		Time: int64(seconds)*1e9 + int64(fraction)*c.unit,
		Link: c.link,
		Data: b[c.header:],
		Wire: int(min(wire, maxWire)),
	}, nil
}
