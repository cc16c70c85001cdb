package subscriber

import (
	"testing"

	"github.com/tcapflow/tcapflow/internal/sigtran/names"
	. "github.com/tcapflow/tcapflow/internal/sigtran/sigtrantest"
	"github.com/tcapflow/tcapflow/internal/sigtran/tcap"
)

// begin is a Begin with one invoke.
func begin(operation byte, argument ...[]byte) []byte {
	parts := append([][]byte{TLV(0x02, []byte{1}), TLV(0x02, []byte{operation})}, argument...)
	return TLV(0x62, OTID("abcd"), TLV(0x6c, TLV(0xa1, parts...)))
}

// end is an End with one result.
func end(operation byte, argument ...[]byte) []byte {
	parts := append([][]byte{TLV(0x02, []byte{operation})}, argument...)
	return TLV(0x64, DTID("abcd"), TLV(0x6c, TLV(0xa2, TLV(0x02, []byte{1}), TLV(0x30, parts...))))
}

var (
	imsiOctets   = []byte{0x62, 0x02, 0x21, 0x43, 0x65, 0x87, 0x09, 0xf1} // 262012345678901
	msisdnOctets = []byte{0x91, 0x94, 0x71, 0x00, 0x32, 0xf4}             // 491700234
)

func TestFind(t *testing.T) {
	const theIMSI, theMSISDN = "262012345678901", "491700234"
	text := TLV(0x04, []byte("0123456789"))
	for _, tt := range []struct {
		name                          string
		protocol                      names.Protocol
		message                       []byte
		imsi, msisdn, calling, called string
	}{
		{name: "updateLocation", message: begin(2, TLV(0x30, TLV(0x04, imsiOctets), TLV(0x81, msisdnOctets))), imsi: theIMSI},
		{name: "sendAuthenticationInfo 2", message: begin(56, TLV(0x04, imsiOctets)), imsi: theIMSI},
		{name: "sendAuthenticationInfo 3", message: begin(56, TLV(0x30, TLV(0x80, imsiOctets))), imsi: theIMSI},
		{name: "insertSubscriberData", message: begin(7, TLV(0x30, TLV(0x80, imsiOctets), TLV(0x81, msisdnOctets))),
			imsi: theIMSI, msisdn: theMSISDN},
		{name: "sendRoutingInfoForSM", message: begin(45, TLV(0x30, TLV(0x80, msisdnOctets))), msisdn: theMSISDN},
		{name: "its result", message: end(45, TLV(0x30, TLV(0x04, imsiOctets))), imsi: theIMSI},
		{name: "an argument is no result", message: begin(22, TLV(0x30, TLV(0x89, imsiOctets)))},
		{name: "mo-forwardSM", message: begin(46, TLV(0x30, TLV(0x84, msisdnOctets), TLV(0x82, msisdnOctets), text,
			TLV(0x04, imsiOctets))), imsi: theIMSI, msisdn: theMSISDN},
		{name: "a text is no IMSI", message: begin(46, TLV(0x30, TLV(0x84, msisdnOctets), TLV(0x04, imsiOctets)))},
		{name: "cancelLocation", message: begin(3, TLV(0xa3, TLV(0x30, TLV(0x04, imsiOctets), TLV(0x04, []byte{1, 2, 3, 4})))),
			imsi: theIMSI},
		{name: "anyTimeInterrogation", message: begin(71, TLV(0x30, TLV(0xa0, TLV(0x81, msisdnOctets)))), msisdn: theMSISDN},
		{name: "no number", message: begin(2, TLV(0x30, TLV(0x04, []byte{0xaa, 0xbb, 0xcc})))},
		{name: "too long", message: begin(2, TLV(0x30, TLV(0x04, make([]byte, 9))))},
		{name: "another operation", message: begin(43, TLV(0x04, imsiOctets))},
		{name: "nobody's", protocol: names.Unknown, message: begin(2, TLV(0x04, imsiOctets))},
		{name: "initialDP", protocol: names.IN, message: begin(0, TLV(0x30, TLV(0x80, []byte{1}),
			TLV(0x83, []byte{0x84, 0x11, 0x94, 0x71, 0x05}), append([]byte{0x9f, 0x32, 8}, imsiOctets...))),
			imsi: theIMSI, calling: "49175"},
		{name: "initialDPSMS", protocol: names.IN, message: begin(60, TLV(0x30, TLV(0x81, msisdnOctets),
			TLV(0x82, msisdnOctets), TLV(0x84, imsiOctets))), imsi: theIMSI, calling: theMSISDN, called: theMSISDN},
	} {
		t.Run(tt.name, func(t *testing.T) {
			protocol := tt.protocol
			if protocol == names.Unknown && tt.name != "nobody's" {
				protocol = names.MAP
			}
			var m tcap.Message
			if ok, err := m.Parse(tt.message); !ok || err != nil {
				t.Fatal(ok, err)
			}
			n := Find(protocol, &m, tt.message)
			got := [4]string{n.IMSI.String(), n.MSISDN.String(), n.Calling.String(), n.Called.String()}
			if want := [4]string{tt.imsi, tt.msisdn, tt.calling, tt.called}; got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

func TestOpened(t *testing.T) {
	information := TLV(0xbe, TLV(0x28, TLV(0x06, []byte{0x04, 0x00, 0x00, 0x01, 0x01, 0x01, 0x01}),
		TLV(0xa0, TLV(0xa0, TLV(0x80, append([]byte{0x96}, imsiOctets...)), TLV(0x81, msisdnOctets)))))
	request := TLV(0x60, TLV(0xa1, TLV(0x06, []byte{0x04, 0x00, 0x00, 0x01, 0x00, 0x13, 0x02})), information)
	dialogue := TLV(0x6b, TLV(0x28, TLV(0x06, []byte{0x00, 0x11, 0x86, 0x05, 0x01, 0x01, 0x01}), TLV(0xa0, request)))
	b := TLV(0x62, OTID("abcd"), dialogue)
	var m tcap.Message
	if ok, err := m.Parse(b); !ok || err != nil {
		t.Fatal(ok, err)
	}
	n := Find(names.MAP, &m, b)
	if got := n.IMSI.String(); got != "262012345678901" || !n.MSISDN.IsZero() {
		t.Errorf("got %q and %q", got, n.MSISDN)
	}
	if got := string(n.IMSI.Masked(nil)); got != "26201xxxxxxxxxx" {
		t.Errorf("masked: %q", got)
	}
}

// FuzzFind holds that whatever a message carries, numbers are digits and fit.
func FuzzFind(f *testing.F) {
	f.Add(begin(2, TLV(0x30, TLV(0x04, imsiOctets))), true)
	f.Add(begin(0, TLV(0x30, TLV(0x83, []byte{0x84, 0x11, 0x94, 0x71}))), false)
	f.Add(end(22, TLV(0xa3, TLV(0x89, imsiOctets), TLV(0x8c, msisdnOctets))), true)
	f.Add([]byte{0x62, 0x80, 0x48, 1, 1, 0x6c, 0x80, 0xa1, 0x80, 2, 1, 1, 2, 1, 7, 0x30, 0x80, 0x80, 3, 1, 2, 3, 0, 0}, true)
	f.Fuzz(func(t *testing.T, b []byte, isMAP bool) {
		var m tcap.Message
		if ok, _ := m.Parse(b); !ok {
			return
		}
		p := names.IN
		if isMAP {
			p = names.MAP
		}
		n := Find(p, &m, b)
		for _, d := range []Digits{n.IMSI, n.MSISDN, n.Calling, n.Called} {
			if len(d.String()) > 2*maxOctets {
				t.Errorf("%q is too long", d)
			}
			var again Digits
			if again.set(d.octets[:], int(d.n)); again != d {
				t.Errorf("%q is not in its one form", d)
			}
		}
	})
}
