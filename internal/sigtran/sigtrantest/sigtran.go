package sigtrantest

import (
	"encoding/binary"
	"slices"
)

// M3UA is a DATA message with an SCCP user part.
func M3UA(opc, dpc uint32, sccp []byte) []byte {
	return M3UAOf(RoutingContext(7), ProtocolData(opc, dpc, sccp))
}

// M3UAOf is a DATA message with these parameters.
func M3UAOf(params ...[]byte) []byte { return ua(1, 1, slices.Concat(params...)) }

// RoutingContext is a parameter of M3UA, as are NetworkAppearance, CorrelationID and
// ProtocolData.
func RoutingContext(v uint32) []byte { return param(0x0006, binary.BigEndian.AppendUint32(nil, v)) }

// NetworkAppearance is a parameter.
func NetworkAppearance(v uint32) []byte { return param(0x0200, binary.BigEndian.AppendUint32(nil, v)) }

// CorrelationID is a parameter.
func CorrelationID(v uint32) []byte { return param(0x0013, binary.BigEndian.AppendUint32(nil, v)) }

// ProtocolData is a parameter with an SCCP user part.
func ProtocolData(opc, dpc uint32, sccp []byte) []byte { return ServiceData(3, opc, dpc, sccp) }

// ServiceData is ProtocolData of a user part with this service indicator.
func ServiceData(service byte, opc, dpc uint32, data []byte) []byte {
	label := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, opc), dpc)
	return param(0x0210, slices.Concat(label, []byte{service, 2, 0, 1}, data))
}

// M2UA is a Data message.
func M2UA(msu []byte) []byte { return ua(6, 1, param(0x0300, msu)) }

// SUA is a CLDT message between point codes with global titles.
func SUA(called, calling []byte, data []byte) []byte {
	return ua(7, 1, slices.Concat(RoutingContext(7), param(0x0115, []byte{0, 0, 0, 0}),
		param(0x0102, calling), param(0x0103, called), param(0x010b, data)))
}

// SUAReturn is a CLDR message for a cause.
func SUAReturn(cause byte, called, calling []byte, data []byte) []byte {
	return ua(7, 2, slices.Concat(RoutingContext(7), param(0x0106, []byte{0, 0, 1, cause}),
		param(0x0102, calling), param(0x0103, called), param(0x010b, data)))
}

// SUAAddress is a source or destination address with an international E.164 global
// title of an even number of digits, a point code and a subsystem number.
func SUAAddress(digits string, pc uint32, ssn byte) []byte {
	title := slices.Concat([]byte{0, 0, 0, 4, byte(len(digits)), 0, 1, 4}, bcd(digits))
	return slices.Concat([]byte{0, 1, 0, 7}, param(0x8001, title),
		param(0x8002, binary.BigEndian.AppendUint32(nil, pc)), param(0x8003, []byte{0, 0, 0, ssn}))
}

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

// MTP3Wide is one with a routing label of ANSI, or of China: point codes of 24 bits.
func MTP3Wide(opc, dpc uint32, sccp []byte) []byte {
	code := func(c uint32) []byte { return []byte{byte(c), byte(c >> 8), byte(c >> 16)} }
	return slices.Concat([]byte{0x83}, code(dpc), code(opc), []byte{5}, sccp)
}

// MTP3Japan is one with a routing label of Japan: point codes of 16 bits.
func MTP3Japan(opc, dpc uint32, sccp []byte) []byte {
	return append([]byte{0x83, byte(dpc), byte(dpc >> 8), byte(opc), byte(opc >> 8), 5}, sccp...)
}

// M2PA is a User Data message.
func M2PA(msu []byte) []byte {
	b := binary.BigEndian.AppendUint32([]byte{1, 0, 11, 1}, uint32(17+len(msu)))
	return slices.Concat(b, []byte{0, 0, 0, 1, 0, 0, 0, 2, 0}, msu)
}

// MTP2 is a message signal unit; MTP2AnnexA one with the header of Q.703 Annex A.
func MTP2(msu []byte) []byte {
	return append([]byte{0x80, 0x80, byte(min(len(msu), 63))}, msu...)
}

// MTP2AnnexA is a message signal unit with the longer header.
func MTP2AnnexA(msu []byte) []byte {
	return append([]byte{1, 0x80, 1, 0x80, byte(len(msu)), byte(len(msu) >> 8)}, msu...)
}
