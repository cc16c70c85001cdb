package main

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// hepDatagrams are those that "read" sends of a capture.
func hepDatagrams(t *testing.T, args ...string) (datagrams [][]byte, stdout string) {
	t.Helper()
	homer, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer homer.Close()
	var out, stderr bytes.Buffer
	args = append([]string{"read", "-hep", homer.LocalAddr().String()}, args...)
	if code := run(args, nil, &out, &stderr); code != exitOK {
		t.Fatalf("exit code %d\n%s", code, &stderr)
	}
	// All were sent over loopback, and so are there.
	homer.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
	b := make([]byte, 1<<16)
	for {
		n, _, err := homer.ReadFrom(b)
		if err != nil {
			return datagrams, out.String()
		}
		datagrams = append(datagrams, bytes.Clone(b[:n]))
	}
}

// chunksOf takes a datagram apart.
func chunksOf(t *testing.T, b []byte) map[uint16][]byte {
	t.Helper()
	if string(b[:4]) != "HEP3" || int(binary.BigEndian.Uint16(b[4:])) != len(b) {
		t.Fatalf("header %x of %d octets", b[:6], len(b))
	}
	chunks := make(map[uint16][]byte)
	for b = b[6:]; len(b) > 0; {
		n := binary.BigEndian.Uint16(b[4:])
		chunks[binary.BigEndian.Uint16(b[2:])] = b[6:n]
		b = b[n:]
	}
	return chunks
}

func TestHEP(t *testing.T) {
	datagrams, stdout := hepDatagrams(t, fileDialogues)
	var messages []string
	for line := range strings.Lines(stdout) {
		if strings.HasPrefix(line, `{"type":"message"`) {
			messages = append(messages, strings.TrimSpace(line))
		}
	}
	counted := strings.Contains(stdout, `"hep":{"sent":16,"failed":0}`)
	if len(datagrams) != len(messages) || len(messages) == 0 || !counted {
		t.Fatalf("%d datagrams of %d messages", len(datagrams), len(messages))
	}
	correlated := make(map[string]int)
	for i, d := range datagrams {
		c := chunksOf(t, d)
		if string(c[15]) != messages[i] {
			t.Errorf("payload %s, want %s", c[15], messages[i])
		}
		correlated[string(c[17])]++
	}
	if n := correlated["00000001@4915112345678"]; n != 4 {
		t.Errorf("of the first dialogue's four messages %d have its correlation ID: %v", n, correlated)
	}
}

// Whatever is selected is sent, whether there are lines or not; with -write-pcap, too.
func TestHEPFilters(t *testing.T) {
	packets := filepath.Join(t.TempDir(), "out.pcapng")
	datagrams, stdout := hepDatagrams(t,
		"-messages=false", "-write-pcap", packets, "-operation", "updateLocation", fileDialogues)
	if len(datagrams) == 0 || len(datagrams) > 4 || strings.Contains(stdout, `"type":"message"`) {
		t.Errorf("%d datagrams; lines\n%s", len(datagrams), stdout)
	}
	if info, err := os.Stat(packets); err != nil || info.Size() < 500 {
		t.Errorf("packets: %v, %v", info, err)
	}
}

func TestHEPMisuse(t *testing.T) {
	var stderr bytes.Buffer
	code := run([]string{"read", "-hep", "nowhere", fileDialogues}, nil, &bytes.Buffer{}, &stderr)
	if code != exitError || !strings.Contains(stderr.String(), "-hep takes HOST:PORT") {
		t.Errorf("exit code %d: %s", code, &stderr)
	}
}

// TestHEPChunks looks at what stands beside the payload. (tshark has no dissector for HEP;
// sipcapture's own decoder cannot be a dependency, by its licence.)
func TestHEPChunks(t *testing.T) {
	datagrams, _ := hepDatagrams(t, "-hep-id", "77", fileDialogues)
	for i, d := range datagrams {
		c := chunksOf(t, d)
		var m struct {
			Time     time.Time
			Src, Dst string
		}
		if err := json.Unmarshal(c[15], &m); err != nil {
			t.Fatal(err)
		}
		at := time.Unix(int64(binary.BigEndian.Uint32(c[9])), int64(binary.BigEndian.Uint32(c[10]))*1000)
		const port = 2905
		switch {
		case !bytes.Equal(c[1], []byte{2}), !bytes.Equal(c[2], []byte{132}), !bytes.Equal(c[11], []byte{100}),
			net.IP(c[3]).String() != m.Src, net.IP(c[4]).String() != m.Dst,
			!at.Equal(m.Time.Truncate(time.Microsecond)), binary.BigEndian.Uint32(c[12]) != 77,
			binary.BigEndian.Uint16(c[7]) != port && binary.BigEndian.Uint16(c[8]) != port:
			t.Errorf("datagram %d of %+v:\n%s", i, m, hex.Dump(d))
		}
	}
}
