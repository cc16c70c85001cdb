package sigtrantest

import (
	"encoding/binary"
	"slices"
)

// UDT is an SCCP unitdata message.
func UDT(called, calling, data []byte) []byte {
	return connectionless([]byte{0x09, 0x00}, called, calling, data)
}

// UDTS brings a message back for a cause.
func UDTS(cause byte, called, calling, data []byte) []byte {
	return connectionless([]byte{0x0a, cause}, called, calling, data)
}

func connectionless(fixed []byte, parts ...[]byte) []byte {
	b := slices.Clone(fixed)
	at := len(parts)
	for _, p := range parts {
		b = append(b, byte(at))
		at += len(p) // one octet for the length more, one pointer less
	}
	for _, p := range parts {
		b = append(append(b, byte(len(p))), p...)
	}
	return b
}

// XUDT is an SCCP extended unitdata message with these optional parameters.
func XUDT(called, calling, data, optional []byte) []byte {
	return extended([]byte{0x11, 0x00, 15}, called, calling, data, optional)
}

// XUDTS brings a message back for a cause.
func XUDTS(cause byte, called, calling, data []byte) []byte {
	return extended([]byte{0x12, cause, 15}, called, calling, data, nil)
}

func extended(fixed, called, calling, data, optional []byte) []byte {
	b := append(slices.Clone(fixed), 4, byte(4+len(called)), byte(4+len(called)+len(calling)), 0)
	if len(optional) > 0 {
		b[len(b)-1] = byte(4 + len(called) + len(calling) + len(data))
	}
	for _, p := range [][]byte{called, calling, data} {
		b = append(append(b, byte(len(p))), p...)
	}
	return append(b, optional...)
}

// LUDT is an SCCP long unitdata message. Its pointers have two octets, and count from
// the second one.
func LUDT(called, calling, data []byte) []byte {
	b := []byte{0x13, 0x00, 15}
	at := 7 // to the first parameter from the first pointer's second octet
	for _, p := range [][]byte{called, calling} {
		b = binary.LittleEndian.AppendUint16(b, uint16(at))
		at += 1 + len(p) - 2
	}
	b = binary.LittleEndian.AppendUint16(b, uint16(at))
	b = binary.LittleEndian.AppendUint16(b, 0)
	for _, p := range [][]byte{called, calling} {
		b = append(append(b, byte(len(p))), p...)
	}
	b = binary.LittleEndian.AppendUint16(b, uint16(len(data)))
	return append(b, data...)
}

// Segmentation is the optional parameter of a segment.
func Segmentation(first bool, remaining byte, reference uint32) []byte {
	b := []byte{0x10, 4, remaining, byte(reference), byte(reference >> 8), byte(reference >> 16), 0}
	if first {
		b[2] |= 0x80
	}
	return b
}

// ANSIPC is a party address of ANSI T1.112.3 with a subsystem number and a point code.
func ANSIPC(code uint32, ssn byte) []byte {
	return []byte{0xc3, ssn, byte(code), byte(code >> 8), byte(code >> 16)}
}

// ANSIGT is a party address of ANSI T1.112.3 with a subsystem number and a global
// title of format 2; its digits are even in number.
func ANSIGT(digits string, translation, ssn byte) []byte {
	return append([]byte{0x89, ssn, translation}, bcd(digits)...)
}

// ChinaPC is a party address of China's GF 001-9001 with a point code of 24 bits.
func ChinaPC(code uint32, ssn byte) []byte {
	return []byte{0x43, byte(code), byte(code >> 8), byte(code >> 16), ssn}
}
