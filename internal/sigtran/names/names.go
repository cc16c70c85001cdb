// Package names tells what the codes in TCAP messages stand for: operations, errors
// and application contexts of MAP, CAP, INAP and ANSI MAP.
//
// Codes of MAP and CAP overlap, so a code alone has no name: the application context
// tells whose it is, and where there is none, as in most Continues and Ends, the
// subsystem numbers do.
package names

import (
	"bytes"

	"github.com/tcapflow/tcapflow/internal/sigtran/tcap"
)

// Protocol is a user of TCAP.
type Protocol byte

// The users. IN stands for CAP and INAP, which share their codes.
const (
	Unknown Protocol = iota
	MAP
	IN
)

// Object identifiers as they are encoded, X.690 §8.19: the prefixes of 3GPP's and
// ETSI's contexts.
var (
	// 0.4.0.0.1.0: gsm-NetworkId of TS 29.002 §17.3.3.
	prefixMAP = []byte{0x04, 0x00, 0x00, 0x01, 0x00}
	// 0.4.0.0.1: with 20 to 23 after it CAP, TS 29.078 §2.2.
	prefixUMTS = []byte{0x04, 0x00, 0x00, 0x01}
	// 0.4.0.1.1: ETSI's in-network, ETS 300 374-1.
	prefixINAP = []byte{0x04, 0x00, 0x01, 0x01}
	// 0.0.17: ITU-T Q.1218 and Q.1228.
	prefixCS = []byte{0x00, 0x11}
)

// Application contexts of CAP phases 1 and 2 have MAP's prefix.
const (
	firstCAP = 50
	lastCAP  = 52
)

// Of tells the user by the application context, or without one by the subsystem
// numbers of both sides (3GPP TS 23.003 §8).
func Of(context *tcap.OID, calling, called byte) Protocol {
	b := context.Octets()
	switch {
	case len(b) == 0:
		if p := ofSSN(called); p != Unknown {
			return p
		}
		return ofSSN(calling)
	case bytes.HasPrefix(b, prefixMAP) && len(b) == len(prefixMAP)+2:
		if x := b[len(prefixMAP)]; x >= firstCAP && x <= lastCAP {
			return IN
		}
		return MAP
	case bytes.HasPrefix(b, prefixUMTS), bytes.HasPrefix(b, prefixINAP), bytes.HasPrefix(b, prefixCS):
		return IN
	}
	return Unknown
}

func ofSSN(ssn byte) Protocol {
	switch {
	case ssn >= 5 && ssn <= 10, ssn == 145, ssn >= 148 && ssn <= 151:
		return MAP
	case ssn == 146, ssn == 147, ssn == 241:
		return IN
	}
	return Unknown
}

// ansiMAP is the family of private codes that ANSI MAP has, TIA/EIA-41.5 §6.4.1.2.
const ansiMAP = 9

// Operation is the name of an operation code, or "".
func (p Protocol) Operation(code int32, kind tcap.CodeKind) string {
	switch {
	case kind == tcap.Private && code>>8 == ansiMAP:
		return at(ansiOperations[:], code&0xff)
	case kind == tcap.Local && p == MAP:
		return at(mapOperations[:], code)
	case kind == tcap.Local && p == IN:
		return at(inOperations[:], code)
	}
	return ""
}

// Error is the name of an error code, or "".
func (p Protocol) Error(code int32, kind tcap.CodeKind) string {
	switch {
	case kind == tcap.Private:
		return at(ansiErrors[:], code)
	case kind == tcap.Local && p == MAP:
		return at(mapErrors[:], code)
	case kind == tcap.Local && p == IN:
		return at(inErrors[:], code)
	}
	return ""
}

// Context is the name of an application context of MAP or CAP without its version, or
// "".
func Context(context *tcap.OID) string {
	b := context.Octets()
	switch Of(context, 0, 0) {
	case MAP:
		return at(mapContexts[:], int32(b[len(prefixMAP)])) // the last arc is the version
	case IN:
		return inContexts[string(b)]
	}
	return ""
}

func at(table []string, code int32) string {
	if code < 0 || int(code) >= len(table) {
		return ""
	}
	return table[code]
}
