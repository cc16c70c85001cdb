//go:build cgo && libpcap

package main

import (
	"bufio"
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/gopacket/gopacket/pcap"
)

// TestCaptureLive injects the frames of the synthetic capture on the loopback
// interface: the dialogues that come out are those of the file.
func TestCaptureLive(t *testing.T) { captureLive(t, "lo", 16) }

// TestCaptureTwice has the interface twice: each packet comes twice and counts once.
func TestCaptureTwice(t *testing.T) { captureLive(t, "lo,lo", 32) }

func captureLive(t *testing.T, interfaces string, packets int) {
	if !canCapture() {
		t.Skip("no permission to capture")
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var stdout bytes.Buffer
	code := make(chan int, 1)
	frames := dialogueFrames()
	written := filepath.Join(t.TempDir(), "written.pcapng")
	go func() {
		// VLAN tags need a filter of their own: the loopback interface keeps them in the frame.
		code <- run([]string{
			"capture", "-i", interfaces, "-f", "sctp or (vlan and sctp)",
			"-count", strconv.Itoa(packets), "-duration", "10s", "-write-pcap", written,
		}, os.Stdin, &stdout, w)
		w.Close()
	}()
	lines := bufio.NewScanner(r)
	if !lines.Scan() || lines.Text() != "capturing on "+interfaces {
		t.Fatalf("first line %q", lines.Text())
	}
	h, err := pcap.OpenLive("lo", 65535, false, pcap.BlockForever)
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	for _, f := range frames {
		if err := h.WritePacketData(f.data); err != nil {
			t.Fatal(err)
		}
	}
	for lines.Scan() {
		t.Log(lines.Text())
	}
	if c := <-code; c != exitOK {
		t.Fatalf("exit code %d", c)
	}
	for _, want := range []string{
		`"tcap":{"total":16,"begin":7,"continue":3,"end":4,"abort":1,"unidirectional":1}`,
		`"dialogues":{"answered":6,"unanswered":1,`,
	} {
		if !strings.Contains(stdout.String(), want) {
			t.Errorf("no %s in\n%s", want, &stdout)
		}
	}
	if n := len(dialogueLines(t, written)); n != 7 {
		t.Errorf("the packets that were written are of %d dialogues", n)
	}
}
