package pcap

import (
	"bytes"
	"testing"

	"github.com/tcapflow/tcapflow/internal/sigtran/link"
)

func TestFrame(t *testing.T) {
	ip4, ip6 := []byte{0x45, 1, 2}, []byte{0x60, 3}
	header := func(high, low byte, rest []byte) []byte {
		return append([]byte{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, high, low}, rest...)
	}
	sll := append(append(make([]byte, 14), 0x08, 0x00), ip4...)
	sll2 := append(append([]byte{0x86, 0xdd}, make([]byte, 18)...), ip6...)
	for _, test := range []struct {
		kind link.Type
		data []byte
		want []byte // nil: it cannot be sent
	}{
		{link.Ethernet, header(0x81, 0, ip4), header(0x81, 0, ip4)},
		{link.Ethernet, ip4, nil},
		{link.Raw, ip4, header(0x08, 0x00, ip4)},
		{link.IPv6, ip6, header(0x86, 0xdd, ip6)},
		{link.Raw, []byte{0x10}, nil},
		{link.Raw, nil, nil},
		{link.LinuxSLL, sll, header(0x08, 0x00, ip4)},
		{link.LinuxSLL, sll[:15], nil},
		{link.LinuxSLL2, sll2, header(0x86, 0xdd, ip6)},
		{link.Null, append([]byte{2, 0, 0, 0}, ip4...), header(0x08, 0x00, ip4)},
		{link.Loop, []byte{0, 0, 0}, nil},
		{link.MTP2, []byte{1, 2, 3, 4}, nil},
	} {
		dirty := bytes.Repeat([]byte{0xff}, 100)
		got, ok := Frame(Packet{Link: test.kind, Data: test.data}, dirty)
		if ok != (test.want != nil) || ok && !bytes.Equal(got, test.want) {
			t.Errorf("link type %d, %x: %x, %v; want %x", test.kind, test.data, got, ok, test.want)
		}
	}
}
