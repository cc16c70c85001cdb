//go:build linux

package main

import (
	"bytes"
	"os"
	"testing"

	"github.com/gopacket/gopacket/pcapgo"
)

const capture = "../../../../cmd/tcapflow-client/testdata/dialogues.pcap"

// The oracle is gopacket's reader.
func TestParse(t *testing.T) {
	data, err := os.ReadFile(capture)
	if err != nil {
		t.Fatal(err)
	}
	frames, err := parse(data)
	if err != nil {
		t.Fatal(err)
	}
	oracle, err := pcapgo.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	for i, frame := range frames {
		if want, _, err := oracle.ReadPacketData(); err != nil || !bytes.Equal(frame, want) {
			t.Fatalf("frame %d differs from %x (%v)", i+1, want, err)
		}
	}
	if _, _, err := oracle.ReadPacketData(); err == nil {
		t.Errorf("%d frames, and the file has more", len(frames))
	}
	for _, cut := range []int{0, 23, 30, len(data) - 1} {
		if _, err := parse(data[:cut]); err == nil {
			t.Errorf("no error for the first %d octets", cut)
		}
	}
}
