// Package sigtrantest builds SS7-over-IP traffic for tests, from TCAP out to
// Ethernet frames. It encodes just enough for the decoders to have something
// to read, and panics on what it cannot encode.
package sigtrantest

import (
	"encoding/binary"
	"slices"
)

// TLV encodes a BER element with a definite length below 65536.
func TLV(tag byte, content ...[]byte) []byte {
	body := slices.Concat(content...)
	length := []byte{byte(len(body))}
	if len(body) > 127 {
		length = []byte{0x82, byte(len(body) >> 8), byte(len(body))}
	}
	return slices.Concat([]byte{tag}, length, body)
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
	return append([]byte{0x12, ssn, 0x00, scheme, 0x04}, bcd(digits)...)
}

// bcd encodes an even number of digits, two an octet, the low half first.
func bcd(digits string) (b []byte) {
	for i := 0; i < len(digits); i += 2 {
		b = append(b, digits[i]-'0'|(digits[i+1]-'0')<<4)
	}
	return b
}

// PC is a party address with a point code and a subsystem number.
func PC(code uint16, ssn byte) []byte {
	return append(binary.LittleEndian.AppendUint16([]byte{0x43}, code), ssn)
}
