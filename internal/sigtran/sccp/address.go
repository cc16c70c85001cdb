package sccp

import "github.com/tcapflow/tcapflow/internal/sigtran/mtp3"

// Address indicator bits, ITU-T Q.713 §3.4.1. ANSI T1.112.3 §3.4.1 has the first two
// the other way round, the point code after the subsystem number, and at the top a
// bit that is 1 for its own format.
const (
	indicatorPC       = 1 << 0
	indicatorSSN      = 1 << 1
	indicatorGTI      = 0x0f << 2
	indicatorOnSSN    = 1 << 6
	indicatorNational = 1 << 7

	ansiIndicatorSSN = 1 << 0
	ansiIndicatorPC  = 1 << 1
)

// Quality tells how well octets fit the form that they were read in.
type Quality byte

// The qualities.
const (
	Broken Quality = iota // they do not: lengths disagree, or a code is not defined
	Odd                   // they do, but hold what is not usual in it
	Clean
)

const maxDigits = 32

const alphabet = "0123456789ABCDEF"

// Address is a called or calling party address (ITU-T Q.713 §3.4, ANSI T1.112.3
// §3.4), as a value: it aliases nothing, and equal addresses compare equal. A part
// that is absent is zero; 0 is "not known" for a subsystem number and no valid
// signalling point code either.
type Address struct {
	PC         uint32              // point code, of 14, 16 or 24 bits
	digits     [maxDigits / 2]byte // two an octet, the low half first
	count      uint8               // of digits
	SSN        uint8               // subsystem number
	GTI        uint8               // global title indicator: the format; 0 without a global title
	TT         uint8               // translation type; 0 where the format has none
	Plan       uint8               // numbering plan; 0 likewise
	Nature     uint8               // nature of address; 0 likewise
	RouteOnSSN bool                // routing indicator: subsystem number, not global title
	Unread     bool                // there is one, but in the form of no standard
	Truncated  bool                // more than 32 digits: the rest is left out
}

// HasTitle tells whether there are global title digits.
func (a *Address) HasTitle() bool { return a.count > 0 }

// Digits gives access to the digits as they are encoded, two an octet, the low half
// first; with an odd number the last half is 0.
func (a *Address) Digits() (octets []byte, count int) {
	return a.digits[:(a.count+1)/2], int(a.count)
}

// AppendGT appends the global title's digits as text; A to F for the codes above 9.
func (a *Address) AppendGT(dst []byte) []byte {
	var text [maxDigits + 1]byte
	for i, octet := range a.digits[:(a.count+1)/2] {
		text[2*i], text[2*i+1] = alphabet[octet&0x0f], alphabet[octet>>4]
	}
	return append(dst, text[:a.count]...)
}

// digit is the character for the digit at i.
func (a *Address) digit(i int) byte {
	octet := a.digits[i/2]
	if i%2 == 1 {
		octet >>= 4
	}
	return alphabet[octet&0x0f]
}

// HasPrefix tells whether the global title begins with these digits.
func (a *Address) HasPrefix(digits string) bool {
	if len(digits) > int(a.count) {
		return false
	}
	for i := range len(digits) {
		if a.digit(i) != digits[i] {
			return false
		}
	}
	return true
}

// GT is the global title's digits as text.
func (a *Address) GT() string { return string(a.AppendGT(nil)) }

// SetDigits takes over digits, two an octet, the low half first; n is their number.
func (a *Address) SetDigits(b []byte, n int) {
	n = min(n, 2*len(b))
	if a.Truncated = n > maxDigits; a.Truncated {
		n = maxDigits
	}
	a.digits = [maxDigits / 2]byte{}
	copy(a.digits[:], b[:(n+1)/2])
	if n%2 == 1 {
		a.digits[n/2] &= 0x0f
	}
	a.count = uint8(n)
}

// parse reads an address into a, or marks a as unread if it is broken.
func (a *Address) parse(b []byte, s mtp3.Standard) Quality {
	*a = Address{}
	q := Broken
	switch {
	case len(b) == 0:
	case s == mtp3.ANSI:
		q = a.parseANSI(b[0], b[1:])
	default:
		q = a.parseITU(b[0], b[1:], s)
	}
	if q == Broken {
		*a = Address{Unread: true}
	}
	return q
}

// parseITU reads what the address indicator says: point code, subsystem number (1
// octet), global title (the rest).
func (a *Address) parseITU(indicator byte, b []byte, s mtp3.Standard) Quality {
	a.RouteOnSSN, a.GTI = indicator&indicatorOnSSN != 0, indicator&indicatorGTI>>2
	q := Clean
	if indicator&indicatorNational != 0 {
		q = Odd
	}
	if indicator&indicatorPC != 0 {
		var ok bool
		if b, ok = a.pointCode(b, s, &q); !ok {
			return Broken
		}
	}
	if indicator&indicatorSSN != 0 {
		if len(b) == 0 {
			return Broken
		}
		a.SSN, b = b[0], b[1:]
	}
	return min(q, a.title(b), a.complete(indicator))
}

// pointCode reads a point code, little endian, and returns what follows it.
func (a *Address) pointCode(b []byte, s mtp3.Standard, q *Quality) (rest []byte, ok bool) {
	size := 2
	if s == mtp3.China || s == mtp3.ANSI {
		size = 3
	}
	if len(b) < size {
		return nil, false
	}
	a.PC = uint32(b[0]) | uint32(b[1])<<8
	if size == 3 {
		a.PC |= uint32(b[2]) << 16
	}
	if s == mtp3.ITU && a.PC > 0x3fff {
		a.PC &= 0x3fff
		*q = min(*q, Odd)
	}
	return b[size:], true
}

// parseANSI reads an address of ANSI T1.112.3 §3.4: subsystem number, point code
// (member, cluster, network), global title.
func (a *Address) parseANSI(indicator byte, b []byte) Quality {
	a.RouteOnSSN, a.GTI = indicator&indicatorOnSSN != 0, indicator&indicatorGTI>>2
	q := Clean
	if indicator&indicatorNational == 0 && len(b) > 0 {
		q = Odd
	}
	if indicator&ansiIndicatorSSN != 0 {
		if len(b) == 0 {
			return Broken
		}
		a.SSN, b = b[0], b[1:]
	}
	if indicator&ansiIndicatorPC != 0 {
		var ok bool
		if b, ok = a.pointCode(b, mtp3.ANSI, &q); !ok {
			return Broken
		}
	}
	return min(q, a.ansiTitle(b), a.complete(indicator))
}

// complete tells whether an address says what its routing indicator promises, and
// has a subsystem number, without which no user of SCCP can be meant.
func (a *Address) complete(indicator byte) Quality {
	switch {
	case indicator&^indicatorNational == 0:
		return Clean // deliberately empty, Q.713 §3.5
	case a.SSN == 0, !a.RouteOnSSN && a.GTI == 0:
		return Odd
	}
	return Clean
}

// title reads a global title in one of the four formats of ITU-T Q.713 §3.4.2.3.
// An odd number of digits is told by the top bit of the nature of address in format
// 1 and by encoding scheme 1 in formats 3 and 4; format 2 has neither, and is taken
// as even.
func (a *Address) title(b []byte) Quality {
	headers := [...]int{0: 0, 1: 1, 2: 1, 3: 2, 4: 3}
	if int(a.GTI) >= len(headers) {
		return Odd // reserved: nothing is known about its form
	}
	n := headers[a.GTI]
	if len(b) < n || a.GTI == 0 && len(b) > 0 {
		return Broken
	}
	scheme := byte(2) // BCD, even number of digits: Q.713 §3.4.2.3.3
	switch a.GTI {
	case 1:
		a.Nature = b[0] & 0x7f
		scheme -= b[0] >> 7
	case 2:
		a.TT = b[0]
	case 3:
		a.TT, a.Plan, scheme = b[0], b[1]>>4, b[1]&0x0f
	case 4:
		a.TT, a.Plan, scheme, a.Nature = b[0], b[1]>>4, b[1]&0x0f, b[2]&0x7f
	}
	return a.titleDigits(b[n:], scheme, a.Nature == 0 && a.GTI == 4)
}

// ansiTitle reads a global title in one of the two formats of ANSI T1.112.3 §3.4.2.3:
// translation type, numbering plan and encoding scheme, digits; or translation type
// and digits.
func (a *Address) ansiTitle(b []byte) Quality {
	switch {
	case a.GTI == 0 && len(b) == 0:
		return Clean
	case a.GTI == 1 && len(b) >= 2:
		a.TT, a.Plan = b[0], b[1]>>4
		return a.titleDigits(b[2:], b[1]&0x0f, false)
	case a.GTI == 2 && len(b) >= 1:
		a.TT = b[0]
		return a.titleDigits(b[1:], 2, false)
	}
	return Broken
}

// titleDigits reads the digits; scheme 1 stands for an odd number of them.
func (a *Address) titleDigits(b []byte, scheme byte, unusual bool) Quality {
	n := 2 * len(b)
	if scheme == 1 && n > 0 {
		n--
	}
	a.SetDigits(b, n)
	if a.GTI != 0 && n == 0 || scheme == 0 || scheme > 2 || unusual || !decimal(b, n) {
		return Odd
	}
	return Clean
}

// decimal tells whether n digits are 0 to 9, the last one or F (a signal for the end
// of an address).
func decimal(b []byte, n int) bool {
	for i := range n {
		digit := b[i/2]
		if i%2 == 1 {
			digit >>= 4
		}
		if digit &= 0x0f; digit > 9 && (digit != 0x0f || i != n-1) {
			return false
		}
	}
	return true
}
