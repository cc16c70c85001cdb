package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	. "github.com/tcapflow/tcapflow/internal/sigtran/sigtrantest"
)

// TestSubscribersLikeTshark compares the numbers of captures that have one message in a
// frame: the IMSI is that of tshark, and an MSISDN is among its numbers, which are those
// of nodes, too.
func TestSubscribersLikeTshark(t *testing.T) {
	for name, count := range map[string]int{
		"map_udt.pcap": 23, "camel2.pcap": 1, "gsm_map_with_ussd_string.pcap": 1,
	} {
		t.Run(name, func(t *testing.T) {
			path := capturePath(t, name)
			got := subscribersOf(t, path, "clear")
			if len(got) != count {
				t.Errorf("%d messages with numbers, want %d", len(got), count)
			}
			for _, row := range tshark(t, path, "frame.number", "e212.imsi", "e164.msisdn") {
				frame, err := strconv.Atoi(row[0])
				if err != nil {
					t.Fatal(err)
				}
				n := got[frame]
				others := strings.Split(row[2], ",")
				if n["imsi"] != row[1] || n["msisdn"] != "" && !slices.Contains(others, n["msisdn"]) {
					t.Errorf("frame %d: got %v, tshark has %q", frame, n, row[1:])
				}
			}
		})
	}
}

// subscribersOf are the numbers in the messages of a capture, by frame.
func subscribersOf(t *testing.T, path, mode string) map[int]map[string]string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	if code := run([]string{"read", "-subscribers", mode, path}, os.Stdin, &stdout, &stderr); code != exitOK {
		t.Fatalf("exit code %d\n%s", code, &stderr)
	}
	numbers := make(map[int]map[string]string)
	for text := range bytes.Lines(stdout.Bytes()) {
		var l struct {
			Frame      int
			Subscriber map[string]string
		}
		if err := json.Unmarshal(text, &l); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if l.Subscriber != nil {
			numbers[l.Frame] = l.Subscriber
		}
	}
	return numbers
}

func TestSubscribersAreMasked(t *testing.T) {
	imsi := []byte{0x62, 0x02, 0x21, 0x43, 0x65, 0x87, 0x09, 0xf1}
	path := subscriberCapture(t, imsi)
	for mode, want := range map[string]string{
		"masked": "26201xxxxxxxxxx", "clear": "262012345678901", "off": "",
	} {
		if got := subscribersOf(t, path, mode)[1]["imsi"]; got != want {
			t.Errorf("%s: got %q, want %q", mode, got, want)
		}
	}
	var stderr bytes.Buffer
	code := run([]string{"read", "-subscribers", "all", path}, os.Stdin, &bytes.Buffer{}, &stderr)
	if code != exitUsage {
		t.Errorf("exit code %d: %s", code, &stderr)
	}
}

// subscriberCapture has an updateLocation with this IMSI.
func subscriberCapture(t *testing.T, imsi []byte) string {
	t.Helper()
	invoke := TLV(0xa1, TLV(0x02, []byte{1}), TLV(0x02, []byte{2}), TLV(0x30, TLV(0x04, imsi)))
	begin := TLV(0x62, OTID("abcd"), Dialogue(0x60, 1), TLV(0x6c, invoke))
	unitdata := UDT(GT("491710000000", 6), GT("4915112345678", 7), begin)
	path := filepath.Join(t.TempDir(), "imsi.pcap")
	write(t, path, writeCapture(t, []frame{{0, Frame(1, 2, 0, SCTP(Chunk(1, 3, 3, M3UA(1, 2, unitdata))))}}))
	return path
}
