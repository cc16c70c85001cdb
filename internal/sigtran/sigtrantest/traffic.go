package sigtrantest

import (
	"encoding/binary"
	"io"
	"math/rand/v2"
	"slices"
)

// peer is one direction of an association of Traffic.
type peer struct {
	src, dst byte
	tsn      uint32
	m2pa     bool
}

// Traffic makes captures of MAP dialogues: M3UA and M2PA, UDT and XUDT, several peers,
// one packet in a hundred sent again and one in a hundred out of order. It is the same
// each time.
type Traffic struct {
	random *rand.Rand
	there  [8]peer
	back   [8]peer
	late   []byte // a packet that is out of order
	last   []byte
	now    uint64 // nanoseconds
	count  int
	next   uint32 // transaction ID
}

// NewTraffic returns a Traffic at its beginning.
func NewTraffic() *Traffic {
	t := &Traffic{random: rand.New(rand.NewPCG(1, 2)), now: 1_700_000_000_000_000_000}
	for i := range t.there {
		a, b := byte(10+2*i), byte(11+2*i)
		t.there[i] = peer{src: a, dst: b, tsn: 1000, m2pa: i%3 == 2}
		t.back[i] = peer{src: b, dst: a, tsn: 5000, m2pa: i%3 == 2}
	}
	return t
}

// WriteTo writes a pcap file, with time stamps in nanoseconds, of so many packets.
func (t *Traffic) WriteTo(w io.Writer, packets int) error {
	header := binary.LittleEndian.AppendUint32(nil, 0xa1b23c4d)
	header = append(header, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 1, 0, 0, 0)
	if _, err := w.Write(header); err != nil {
		return err
	}
	var b []byte
	for t.count < packets {
		b = t.dialogue(b[:0])
		if _, err := w.Write(b); err != nil {
			return err
		}
	}
	return nil
}

// dialogue appends the packets of one dialogue. Its answer comes at once: so that
// many dialogues are open, each begins before the one before it ends.
func (t *Traffic) dialogue(b []byte) []byte {
	t.next++
	i := int(t.next) % len(t.there)
	otid := string(binary.BigEndian.AppendUint32(nil, t.next))
	dtid := string(binary.BigEndian.AppendUint32(nil, ^t.next))
	vlr, hlr := GT("49171000"+digits4(i), 7), GT("49177000"+digits4(i), 6)
	operations := []byte{2, 45, 56, 22, 46}
	operation := operations[t.random.IntN(len(operations))]
	there, back := &t.there[i], &t.back[i]
	b = t.send(b, there, hlr, vlr, TLV(0x62, OTID(otid), Dialogue(0x60, 20), Invoke(1, operation)))
	if operation == 2 {
		b = t.send(b, back, vlr, hlr, TLV(0x65, OTID(dtid), DTID(otid), Dialogue(0x61, 20), Invoke(1, 7)))
		b = t.send(b, there, hlr, vlr, TLV(0x65, OTID(otid), DTID(dtid), Result(1, 7)))
	}
	return t.send(b, back, vlr, hlr, TLV(0x64, DTID(otid), Dialogue(0x61, 20), Result(1, operation)))
}

func digits4(n int) string {
	return string([]byte{'0', '0', byte('0' + n/10), byte('0' + n%10)})
}

// send appends a message as a packet.
func (t *Traffic) send(b []byte, p *peer, called, calling, tcap []byte) []byte {
	sccp := UDT(called, calling, tcap)
	if t.random.IntN(4) == 0 {
		sccp = XUDT(called, calling, tcap, nil)
	}
	opc, dpc := uint32(p.src), uint32(p.dst)
	payload, ppid, port := M3UA(opc, dpc, sccp), uint32(3), uint16(2905)
	if p.m2pa {
		payload, ppid, port = M2PA(MTP3(opc, dpc, sccp)), 5, 3565
	}
	p.tsn++
	packet := Ethernet(IPv4(p.src, p.dst, ProtoSCTP, SCTPPort(port, Chunk(p.tsn, ppid, 3, payload))), 0x0800)
	switch n := t.random.IntN(100); {
	case n == 0 && t.last != nil:
		b = t.record(b, t.last)
	case n == 1 && t.late == nil:
		t.late = packet
		return b
	}
	b = t.record(b, packet)
	if t.late != nil {
		b = t.record(b, t.late)
		t.late = nil
	}
	t.last = packet
	return b
}

// record appends a packet with its header, at the next time.
func (t *Traffic) record(b, packet []byte) []byte {
	t.count++
	t.now += 10_000
	b = binary.LittleEndian.AppendUint32(b, uint32(t.now/1e9))
	b = binary.LittleEndian.AppendUint32(b, uint32(t.now%1e9))
	b = binary.LittleEndian.AppendUint32(b, uint32(len(packet)))
	b = binary.LittleEndian.AppendUint32(b, uint32(len(packet)))
	return append(b, slices.Clone(packet)...)
}
