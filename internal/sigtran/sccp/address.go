package sccp

// Address indicator bits, ITU-T Q.713 §3.4.1.
const (
	indicatorPC    = 1 << 0
	indicatorSSN   = 1 << 1
	indicatorGTI   = 0x0f << 2
	indicatorOnSSN = 1 << 6
)

// Address is a called or calling party address (ITU-T Q.713 §3.4). A part that
// is absent is zero; 0 is "not known" for a subsystem number and no valid
// signalling point code either.
type Address struct {
	GT         string // global title digits; A to F for the codes above 9
	SSN        byte   // subsystem number
	PC         uint16 // point code, 14 bits
	RouteOnSSN bool   // routing indicator: subsystem number, not global title
}

// parseAddress reads the address indicator, then in this order, each if
// indicated: point code (2 octets, little endian, 14 bits), subsystem number
// (1 octet), global title (the rest).
func parseAddress(b []byte) (Address, error) {
	if len(b) == 0 {
		return Address{}, errAddress
	}
	indicator, b := b[0], b[1:]
	a := Address{RouteOnSSN: indicator&indicatorOnSSN != 0}
	if indicator&indicatorPC != 0 {
		if len(b) < 2 {
			return Address{}, errAddress
		}
		a.PC = uint16(b[0]) | uint16(b[1]&0x3f)<<8
		b = b[2:]
	}
	if indicator&indicatorSSN != 0 {
		if len(b) < 1 {
			return Address{}, errAddress
		}
		a.SSN = b[0]
		b = b[1:]
	}
	var err error
	a.GT, err = globalTitle(indicator&indicatorGTI>>2, b)
	return a, err
}

// globalTitle returns the digits of a global title in one of the four formats
// of ITU-T Q.713 §3.4.2.3. An odd number of digits is told by the top bit of
// the nature of address in format 1 and by encoding scheme 1 in formats 3 and
// 4; format 2 has neither, and is taken as even.
func globalTitle(format byte, b []byte) (string, error) {
	header := [...]int{1: 1, 2: 1, 3: 2, 4: 3}
	if format == 0 || int(format) >= len(header) {
		return "", nil // none, or reserved: nothing known about its form
	}
	if len(b) < header[format] {
		return "", errAddress
	}
	odd := false
	switch format {
	case 1:
		odd = b[0]&0x80 != 0
	case 3, 4:
		odd = b[1]&0x0f == 1
	}
	return digits(b[header[format]:], odd), nil
}

// digits reads two digits an octet, the low half first.
func digits(b []byte, odd bool) string {
	const alphabet = "0123456789ABCDEF"
	out := make([]byte, 0, 2*len(b))
	for _, octet := range b {
		out = append(out, alphabet[octet&0x0f], alphabet[octet>>4])
	}
	if odd && len(out) > 0 {
		out = out[:len(out)-1]
	}
	return string(out)
}
