// Package sigtrantest builds SS7-over-IP traffic for tests, from TCAP out to
// Ethernet frames. It encodes just enough for the decoders to have something
// to read, and panics on what it cannot encode.
package sigtrantest

import (
	"encoding/binary"
	"net"
	"slices"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
)

// TLV encodes a BER element with a definite length below 128.
func TLV(tag byte, content ...[]byte) []byte {
	body := slices.Concat(content...)
	if len(body) > 127 {
		panic("content too long")
	}
	return append([]byte{tag, byte(len(body))}, body...)
}

// Indefinite encodes a constructed BER element with an indefinite length.
func Indefinite(tag byte, content ...[]byte) []byte {
	return slices.Concat([]byte{tag, 0x80}, slices.Concat(content...), []byte{0, 0})
}

// Dialogue is a dialogue portion: pdu is 0x60 for a request, 0x61 for a
// response; the context is 0.4.0.0.1.0.CONTEXT.3, a MAP application context.
func Dialogue(pdu, context byte) []byte {
	oid := TLV(0x06, []byte{0x04, 0x00, 0x00, 0x01, 0x00, context, 0x03})
	return TLV(0x6b, TLV(0x28,
		TLV(0x06, []byte{0x00, 0x11, 0x86, 0x05, 0x01, 0x01, 0x01}),
		TLV(0xa0, TLV(pdu, TLV(0x80, []byte{0x07, 0x80}), TLV(0xa1, oid)))))
}

// Invoke is a component portion with one invoke of a local operation.
func Invoke(id, opcode byte) []byte {
	return TLV(0x6c, TLV(0xa1, TLV(0x02, []byte{id}), TLV(0x02, []byte{opcode}), TLV(0x30)))
}

// Result is a component portion with one last result of a local operation.
func Result(id, opcode byte) []byte {
	return TLV(0x6c, TLV(0xa2, TLV(0x02, []byte{id}), TLV(0x30, TLV(0x02, []byte{opcode}), TLV(0x30))))
}

// OTID and DTID are transaction IDs.
func OTID(id string) []byte { return TLV(0x48, []byte(id)) }

// DTID is a destination transaction ID.
func DTID(id string) []byte { return TLV(0x49, []byte(id)) }

// GT is a party address with a subsystem number and an international E.164
// global title (indicator 4).
func GT(digits string, ssn byte) []byte {
	scheme := byte(0x12)
	if len(digits)%2 == 1 {
		scheme, digits = 0x11, digits+"0"
	}
	b := []byte{0x12, ssn, 0x00, scheme, 0x04}
	for i := 0; i < len(digits); i += 2 {
		b = append(b, digits[i]-'0'|(digits[i+1]-'0')<<4)
	}
	return b
}

// PC is a party address with a point code and a subsystem number.
func PC(code uint16, ssn byte) []byte {
	return append(binary.LittleEndian.AppendUint16([]byte{0x43}, code), ssn)
}

// UDT is an SCCP unitdata message.
func UDT(called, calling, data []byte) []byte {
	p2 := 2 + 1 + len(called)
	p3 := p2 - 1 + 1 + len(calling)
	b := []byte{0x09, 0x00, 3, byte(p2), byte(p3)}
	for _, v := range [][]byte{called, calling, data} {
		b = append(append(b, byte(len(v))), v...)
	}
	return b
}

// XUDT is an SCCP extended unitdata message with these optional parameters.
func XUDT(called, calling, data, optional []byte) []byte {
	p2 := 3 + 1 + len(called)
	p3 := p2 - 1 + 1 + len(calling)
	p4 := p3 - 1 + 1 + len(data)
	b := []byte{0x11, 0x00, 15, 4, byte(p2), byte(p3), 0}
	if len(optional) > 0 {
		b[6] = byte(p4)
	}
	for _, v := range [][]byte{called, calling, data} {
		b = append(append(b, byte(len(v))), v...)
	}
	return append(b, optional...)
}

// M3UA is a DATA message with an SCCP user part.
func M3UA(opc, dpc uint32, sccp []byte) []byte {
	label := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, opc), dpc)
	value := slices.Concat(label, []byte{3, 2, 0, 1}, sccp)
	context := []byte{0x00, 0x06, 0x00, 0x08, 0, 0, 0, 7}
	return ua(1, 1, slices.Concat(context, param(0x0210, value)))
}

// M2UA is a Data message.
func M2UA(msu []byte) []byte { return ua(6, 1, param(0x0300, msu)) }

func param(tag uint16, value []byte) []byte {
	b := binary.BigEndian.AppendUint16(nil, tag)
	b = binary.BigEndian.AppendUint16(b, uint16(4+len(value)))
	return pad(append(b, value...))
}

func ua(class, kind byte, params []byte) []byte {
	b := binary.BigEndian.AppendUint32([]byte{1, 0, class, kind}, uint32(8+len(params)))
	return append(b, params...)
}

func pad(b []byte) []byte { return append(b, make([]byte, -len(b)&3)...) }

// MTP3 is an MTP3 message with an SCCP user part and ITU-T routing label.
func MTP3(opc, dpc uint32, sccp []byte) []byte {
	label := binary.LittleEndian.AppendUint32([]byte{0x83}, dpc|opc<<14|5<<28)
	return append(label, sccp...)
}

// M2PA is a User Data message.
func M2PA(msu []byte) []byte {
	b := binary.BigEndian.AppendUint32([]byte{1, 0, 11, 1}, uint32(17+len(msu)))
	return slices.Concat(b, []byte{0, 0, 0, 1, 0, 0, 0, 2, 0}, msu)
}

// Chunk is a DATA chunk; flags 3 make it a whole message, 2 its first fragment,
// 1 its last.
func Chunk(tsn uint32, ppid uint32, flags byte, payload []byte) []byte {
	b := binary.BigEndian.AppendUint16([]byte{0, flags}, uint16(16+len(payload)))
	b = binary.BigEndian.AppendUint32(b, tsn)
	b = append(b, 0, 1, 0, 0)
	b = binary.BigEndian.AppendUint32(b, ppid)
	return pad(append(b, payload...))
}

// SCTP is a packet on M3UA's port at both ends.
func SCTP(chunks ...[]byte) []byte {
	header := []byte{0x0b, 0x59, 0x0b, 0x59, 0xde, 0xad, 0xbe, 0xef, 0, 0, 0, 0}
	return append(header, slices.Concat(chunks...)...)
}

// Frame is an Ethernet frame with an IPv4 packet from 192.0.2.SRC to
// 192.0.2.DST, in a VLAN unless that is 0.
func Frame(src, dst byte, vlan uint16, sctp []byte) []byte {
	ip := &layers.IPv4{Version: 4, TTL: 64, Protocol: layers.IPProtocolSCTP,
		SrcIP: net.IPv4(192, 0, 2, src), DstIP: net.IPv4(192, 0, 2, dst)}
	ethernet := &layers.Ethernet{EthernetType: layers.EthernetTypeIPv4,
		SrcMAC: net.HardwareAddr{2, 0, 0, 0, 0, src}, DstMAC: net.HardwareAddr{2, 0, 0, 0, 0, dst}}
	parts := []gopacket.SerializableLayer{ethernet, ip, gopacket.Payload(sctp)}
	if vlan != 0 {
		ethernet.EthernetType = layers.EthernetTypeDot1Q
		parts = slices.Insert(parts, 1, gopacket.SerializableLayer(
			&layers.Dot1Q{VLANIdentifier: vlan, Type: layers.EthernetTypeIPv4}))
	}
	buffer := gopacket.NewSerializeBuffer()
	options := gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}
	if err := gopacket.SerializeLayers(buffer, options, parts...); err != nil {
		panic(err)
	}
	return buffer.Bytes()
}
