package pcap

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"math/bits"

	"github.com/tcapflow/tcapflow/internal/sigtran/link"
)

// Block types of pcapng (https://www.ietf.org/archive/id/draft-ietf-opsawg-pcapng,
// §4). A section header's reads the same in both byte orders.
const (
	blockSection   = 0x0a0d0d0a
	blockInterface = 1
	blockOldPacket = 2 // obsolete: drops in the place of half the interface number
	blockSimple    = 3
	blockPacket    = 6
)

var magicNG = []byte{0x0a, 0x0d, 0x0d, 0x0a}

const (
	orderMagic    = 0x1a2b3c4d
	blockOverhead = 12 // type, length, and length again
	packetFields  = 20 // of blockPacket and blockOldPacket, before the data
	simpleFields  = 4  // of blockSimple
	maxInterfaces = 1 << 12
	maxOptions    = 1 << 16 // octets of an interface block; above it is damaged
)

// source is an interface of a section.
type source struct {
	link    link.Type
	snapLen uint32 // 0: no limit
	unit    clock
	offset  int64 // nanoseconds that are added to a time stamp
}

// ng reads pcapng files: any number of sections, each with interfaces of its own.
type ng struct {
	r       *bufio.Reader
	order   binary.ByteOrder
	sources []source
	rest    int64 // octets of the last block that are still to be skipped
}

func newNG(r *bufio.Reader) (*ng, error) {
	g := &ng{r: r}
	head, err := r.Peek(blockOverhead)
	if err != nil {
		return nil, cutOr(err)
	}
	return g, g.section(head)
}

func (g *ng) buffered() int { return max(0, g.r.Buffered()-int(g.rest)) }

func (g *ng) next() (Packet, error) {
	for {
		if err := g.finishBlock(); err != nil {
			return Packet{}, err
		}
		switch _, err := g.r.Peek(1); {
		case err == io.EOF:
			return Packet{}, io.EOF // between two blocks
		case err != nil:
			return Packet{}, cutOr(err)
		}
		p, ok, err := g.block()
		if ok || err != nil {
			return p, err
		}
	}
}

// block reads one block; ok is false for those that hold no packet.
func (g *ng) block() (p Packet, ok bool, err error) {
	head, err := g.r.Peek(blockOverhead) // the shortest block has as many octets
	if err != nil {
		return p, false, cutOr(err)
	}
	if binary.BigEndian.Uint32(head) == blockSection {
		if err := g.section(head); err != nil {
			return p, false, err
		}
	}
	kind, length := g.order.Uint32(head), int64(g.order.Uint32(head[4:]))
	if length < blockOverhead || length%4 != 0 {
		return p, false, fmt.Errorf("%w: block of %d octets", ErrCorrupt, length)
	}
	switch kind {
	case blockInterface:
		if length > maxOptions {
			return p, false, fmt.Errorf("%w: interface block of %d octets", ErrCorrupt, length)
		}
		b, err := take(g.r, int(length))
		if err != nil {
			return p, false, err
		}
		return p, false, g.addSource(b[8 : length-4])
	case blockPacket, blockOldPacket, blockSimple:
		return g.packet(kind, length)
	}
	g.rest = length
	return p, false, g.finishBlock()
}

// section takes over the byte order of a section header and forgets the
// interfaces of the section before.
func (g *ng) section(head []byte) error {
	switch uint32(orderMagic) {
	case binary.LittleEndian.Uint32(head[8:]):
		g.order = binary.LittleEndian
	case binary.BigEndian.Uint32(head[8:]):
		g.order = binary.BigEndian
	default:
		return fmt.Errorf("%w: byte order magic %x", ErrNotCapture, head[8:])
	}
	g.sources = g.sources[:0]
	return nil
}

// finishBlock skips what follows a packet's data in its block: so that Next may hand
// out the buffer, this is done when the next one is asked for. A file may be cut
// there: nothing of the packet is lost then.
//
// Blocks of whatever length are passed over without holding them in memory; where the
// file is still being written, that goes on at the next call.
func (g *ng) finishBlock() error {
	for g.rest > 0 {
		n, err := g.r.Discard(int(min(g.rest, 1<<30)))
		g.rest -= int64(n)
		if err != nil {
			return cutOr(err)
		}
	}
	return nil
}

// Options of an interface block, §4.2.
const (
	optionEnd      = 0
	optionUnit     = 9  // if_tsresol
	optionTSOffset = 14 // if_tsoffset, seconds
)

// addSource reads an interface block: link type (2 octets), reserved (2), snap
// length (4), options.
func (g *ng) addSource(b []byte) error {
	if len(b) < 8 {
		return fmt.Errorf("%w: interface block of %d octets", ErrCorrupt, len(b))
	}
	if len(g.sources) == maxInterfaces {
		return fmt.Errorf("%w: more than %d interfaces", ErrCorrupt, maxInterfaces)
	}
	s := source{link: link.Type(g.order.Uint16(b)), snapLen: g.order.Uint32(b[4:]), unit: clockOf(6)}
	for b = b[8:]; len(b) >= 4; {
		code, n := g.order.Uint16(b), int(g.order.Uint16(b[2:]))
		b = b[4:]
		if code == optionEnd || n > len(b) {
			break
		}
		switch {
		case code == optionUnit && n == 1:
			s.unit = clockOf(b[0])
		case code == optionTSOffset && n == 8:
			s.offset = int64(g.order.Uint64(b)) * 1e9
		}
		b = b[min((n+3)&^3, len(b)):]
	}
	g.sources = append(g.sources, s)
	return nil
}

// packet reads a block with a packet: interface number (4 octets), time stamp (8,
// high half first), captured and original length (4 each), data, options.
func (g *ng) packet(kind uint32, length int64) (p Packet, ok bool, err error) {
	fixed := int64(packetFields)
	if kind == blockSimple {
		fixed = simpleFields
	}
	head, err := g.r.Peek(int(8 + fixed))
	if err != nil {
		return p, false, cutOr(err)
	}
	f := g.fields(kind, head[8:], length-blockOverhead-fixed)
	if int(f.source) >= len(g.sources) {
		return p, false, fmt.Errorf("%w: packet of interface %d, there are %d",
			ErrCorrupt, f.source, len(g.sources))
	}
	s := &g.sources[f.source]
	if kind == blockSimple && s.snapLen != 0 {
		f.captured = min(f.captured, s.snapLen)
	}
	if f.captured > MaxPacket || int64(f.captured) > length-blockOverhead-fixed {
		return p, false, fmt.Errorf("%w: packet of %d octets in a block of %d",
			ErrCorrupt, f.captured, length)
	}
	b, err := take(g.r, int(8+fixed)+int(f.captured))
	if err != nil {
		return p, false, err
	}
	g.rest = length - 8 - fixed - int64(f.captured)
	p = Packet{Link: s.link, Data: b[8+fixed:], Wire: int(min(f.wire, maxWire))}
	if kind != blockSimple {
		p.Time = s.unit.nanoseconds(f.stamp) + s.offset
	}
	return p, true, nil
}

// packetHead is what stands in a block before a packet's data.
type packetHead struct {
	source         uint32
	stamp          uint64
	captured, wire uint32 // octets
}

// fields reads it; a simple block has the original length alone, and as much data as
// fits, room octets at most.
func (g *ng) fields(kind uint32, b []byte, room int64) packetHead {
	if kind == blockSimple {
		wire := g.order.Uint32(b)
		return packetHead{captured: uint32(min(int64(wire), max(room, 0))), wire: wire}
	}
	h := packetHead{
		source:   g.order.Uint32(b),
		stamp:    uint64(g.order.Uint32(b[4:]))<<32 | uint64(g.order.Uint32(b[8:])),
		captured: g.order.Uint32(b[12:]),
		wire:     g.order.Uint32(b[16:]),
	}
	if kind == blockOldPacket {
		h.source = uint32(g.order.Uint16(b))
	}
	return h
}

// clock is the unit of time stamps: so many a second.
type clock uint64

// clockOf reads if_tsresol: a negative power of 10, or of 2 with the top bit set.
// What does not fit is taken as microseconds, the default.
func clockOf(b byte) clock {
	n := clock(1)
	switch {
	case b&0x80 != 0 && b&0x7f < 63:
		return n << (b & 0x7f)
	case b&0x80 == 0 && b < 19:
		for range b {
			n *= 10
		}
		return n
	}
	return 1e6
}

// nanoseconds of a time stamp; what is beyond the year 2262 counts as that.
func (c clock) nanoseconds(stamp uint64) int64 {
	switch c {
	case 1e6:
		if stamp < 1<<63/1000 {
			return int64(stamp * 1000)
		}
	case 1e9:
		if stamp < 1<<63 {
			return int64(stamp)
		}
	}
	hi, lo := bits.Mul64(stamp, 1e9)
	if hi >= uint64(c) {
		return 1<<63 - 1
	}
	q, _ := bits.Div64(hi, lo, uint64(c))
	return int64(min(q, 1<<63-1))
}
