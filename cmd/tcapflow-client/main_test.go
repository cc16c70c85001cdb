package main

import (
	"bytes"
	"flag"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/tcapflow/tcapflow/internal/pcap"
	. "github.com/tcapflow/tcapflow/internal/sigtran/sigtrantest"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"tcapflow-client": main})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(e *testscript.Env) error {
			e.Vars = append(e.Vars, "TESTDATA="+mustAbs(t, "testdata"))
			return nil
		},
		Condition: func(name string) (bool, error) {
			switch name {
			case "libpcap":
				return pcap.LibVersion() != "none", nil
			case "capture": // the test may open packet sockets
				return canCapture(), nil
			case "otlp": // this build has OpenTelemetry's SDK
				return hasOTLP, nil
			}
			return false, nil
		},
	})
}

func mustAbs(t *testing.T, dir string) string {
	t.Helper()
	wd, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	return wd + "/" + dir
}

func canCapture() bool {
	s, err := pcap.OpenLive(pcap.LiveOptions{Interface: "lo", SnapLen: 64})
	if err != nil {
		return false
	}
	s.Close()
	return true
}

const (
	fileDialogues = "testdata/dialogues.pcap"
	fileGolden    = "testdata/dialogues.jsonl"
)

// TestDialogues reads the committed capture and compares the output. With
// -update it writes the capture from its frames, and the output, anew.
func TestDialogues(t *testing.T) {
	capture := writeCapture(t, dialogueFrames())
	if *update {
		write(t, fileDialogues, capture)
	}
	if committed, err := os.ReadFile(fileDialogues); err != nil || !bytes.Equal(committed, capture) {
		t.Errorf("%s is not what dialogueFrames gives (error %v): run go test -update", fileDialogues, err)
	}
	var stdout, stderr bytes.Buffer
	if code := run([]string{"read", fileDialogues}, os.Stdin, &stdout, &stderr); code != exitOK {
		t.Fatalf("exit code %d\n%s", code, &stderr)
	}
	if *update {
		write(t, fileGolden, stdout.Bytes())
	}
	want, err := os.ReadFile(fileGolden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(stdout.Bytes(), want) {
		t.Errorf("output differs from %s; got:\n%s", fileGolden, &stdout)
	}
}

func write(t *testing.T, name string, b []byte) {
	t.Helper()
	if err := os.WriteFile(name, b, 0o644); err != nil {
		t.Fatal(err)
	}
}

// frame is a frame with its time after the start of the capture.
type frame struct {
	after time.Duration
	data  []byte
}

func writeCapture(t *testing.T, frames []frame) []byte {
	t.Helper()
	var b bytes.Buffer
	w := pcapgo.NewWriterNanos(&b)
	if err := w.WriteFileHeader(65535, layers.LinkTypeEthernet); err != nil {
		t.Fatal(err)
	}
	start := time.Date(2024, 2, 29, 23, 59, 58, 123456789, time.UTC)
	for _, f := range frames {
		info := gopacket.CaptureInfo{Timestamp: start.Add(f.after), CaptureLength: len(f.data), Length: len(f.data)}
		if err := w.WritePacket(info, f.data); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}

// dialogueFrames are dialogues between a VLR, an HLR and an SCF, one of each
// shape that is told apart.
func dialogueFrames() []frame {
	const m3ua, m2pa, whole = 3, 5, 3
	vlr, hlr := GT("4915112345678", 7), GT("491710000000", 6)
	toHLR := func(tcap []byte) []byte { return M3UA(1001, 2002, UDT(hlr, vlr, tcap)) }
	toVLR := func(tcap []byte) []byte { return M3UA(2002, 1001, UDT(vlr, hlr, tcap)) }
	out := func(at time.Duration, chunks ...[]byte) frame {
		return frame{at, Frame(1, 2, 0, SCTP(chunks...))}
	}
	back := func(at time.Duration, chunks ...[]byte) frame {
		return frame{at, Frame(2, 1, 0, SCTP(chunks...))}
	}
	const ms = time.Millisecond

	// Over M2PA, in two fragments.
	fragmented := M2PA(MTP3(11, 22, UDT(hlr, vlr, TLV(0x62, OTID("\x0a\x0b"), Dialogue(0x60, 20), Invoke(1, 46)))))
	// Between point codes, with VLAN tags.
	scf, ssf := PC(300, 146), PC(400, 146)
	vlan := func(at time.Duration, src, dst byte, m []byte) frame {
		return frame{at, Frame(src, dst, 42, SCTP(Chunk(90, 0, whole, m)))}
	}
	return []frame{
		// updateLocation: begin, continue, continue, end.
		out(0, Chunk(1, m3ua, whole, toHLR(TLV(0x62, OTID("\x00\x00\x00\x01"), Dialogue(0x60, 1), Invoke(0, 2))))),
		back(31250*time.Microsecond, Chunk(1, m3ua, whole, toVLR(TLV(0x65, OTID("\x77\x01"), DTID("\x00\x00\x00\x01"), Dialogue(0x61, 1), Invoke(0, 7))))),
		out(60*ms, Chunk(2, m3ua, whole, toHLR(TLV(0x65, OTID("\x00\x00\x00\x01"), DTID("\x77\x01"), Result(0, 7))))),
		back(75*ms, Chunk(2, m3ua, whole, toVLR(TLV(0x64, DTID("\x00\x00\x00\x01"), Result(0, 2))))),
		// Two begins and their ends bundled; one dialogue in indefinite lengths.
		out(100*ms,
			Chunk(3, m3ua, whole, toHLR(TLV(0x62, OTID("\x00\x00\x00\x02"), Dialogue(0x60, 14), Invoke(1, 56)))),
			Chunk(4, m3ua, whole, toHLR(Indefinite(0x62, OTID("\x00\x00\x00\x03"), Indefinite(0x6c, Indefinite(0xa1, TLV(0x02, []byte{1}), TLV(0x02, []byte{59}))))))),
		back(150*ms,
			Chunk(3, m3ua, whole, toVLR(Indefinite(0x64, DTID("\x00\x00\x00\x03"), Result(1, 59)))),
			Chunk(4, m3ua, whole, toVLR(TLV(0x64, DTID("\x00\x00\x00\x02"), Dialogue(0x61, 14), Result(1, 56))))),
		// Refused: an abort with cause 1, unrecognized transaction ID.
		out(200*ms, Chunk(5, m3ua, whole, toHLR(TLV(0x62, OTID("\x00\x00\x00\x04"), Invoke(1, 45))))),
		back(200*ms+1, Chunk(5, m3ua, whole, toVLR(TLV(0x67, DTID("\x00\x00\x00\x04"), TLV(0x4a, []byte{1}))))),
		// Never answered.
		out(300*ms, Chunk(6, m3ua, whole, toHLR(TLV(0x62, OTID("\x00\x00\x00\x05"), Invoke(1, 22))))),
		// Fragments, the last one first.
		{400 * ms, Frame(3, 4, 0, SCTP(Chunk(51, m2pa, 1, fragmented[40:])))},
		{401 * ms, Frame(3, 4, 0, SCTP(Chunk(50, m2pa, 2, fragmented[:40])))},
		{450 * ms, Frame(4, 3, 0, SCTP(Chunk(9, m2pa, whole, M2PA(MTP3(22, 11, UDT(vlr, hlr, TLV(0x64, DTID("\x0a\x0b"), Result(1, 46))))))))},
		// No global titles, and no payload protocol identifier.
		vlan(500*ms, 5, 6, M3UA(400, 300, UDT(scf, ssf, TLV(0x62, OTID("\x2a"), Invoke(1, 0))))),
		vlan(512*ms, 6, 5, M3UA(300, 400, XUDT(ssf, scf, TLV(0x65, OTID("\x2b"), DTID("\x2a"), Invoke(1, 23)), nil))),
		// One way, and long after: the unanswered dialogue is over before it.
		out(61*time.Second, Chunk(7, m3ua, whole, toHLR(TLV(0x61, Invoke(1, 44))))),
		// Not a message: its length runs past the packet.
		out(62*time.Second, slices.Concat(Chunk(8, m3ua, whole, nil), []byte{0, 3, 1, 0})),
	}
}
