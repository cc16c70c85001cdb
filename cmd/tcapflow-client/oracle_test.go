package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// captures are real ones, beside the repository; their licences do not let them
// into it.
const captures = "../../../shared/captures"

func capturePath(t *testing.T, name string) string {
	t.Helper()
	path := filepath.Join(captures, name)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("no capture to read: %v", err)
	}
	return path
}

// seen is what both this program and tshark tell of a TCAP message.
type seen struct {
	frame, kind, otid, dtid, called, calling, calledSSN, callingSSN string
}

// line is a line of output, of any type.
type line struct {
	Type   string
	OPC    int
	DPC    int
	Frame  int
	TCAP   json.RawMessage // a kind in messages, counts in the summary
	OTID   string
	DTID   string
	Called struct {
		GT  string
		SSN int
	}
	Calling struct {
		GT  string
		SSN int
	}
	BeginFrame int `json:"begin_frame"`
	LastFrame  int `json:"last_frame"`
	Outcome    string
	Latency    float64 `json:"latency_ms"`

	Context     string `json:"application_context"`
	AbortCause  *int   `json:"abort_cause"`
	AbortSource string `json:"abort_source"`
	ReturnCause *int   `json:"return_cause"`
	Partial     bool
	Dialogues   struct {
		Answered  uint64
		Unmatched uint64 `json:"unmatched_messages"`
	}
	Data struct {
		Unknown uint64 `json:"unknown_protocol"`
	} `json:"sctp_data"`
	Adaptation struct {
		More uint64 `json:"more_protocol_data"`
	}
	UserData struct {
		Returned uint64 `json:"tcap_returned"`
	} `json:"user_data"`
	CutPackets uint64 `json:"cut_packets"`
	Malformed  layerCounts
	Components []struct {
		Kind   string
		Family int
		Opcode *int
	}
}

// layerCounts is the summary's counts of what was malformed; in a message it is a text.
type layerCounts struct{ layers map[string]uint64 }

func (l *layerCounts) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		return nil
	}
	return json.Unmarshal(b, &l.layers)
}

// readLines runs "read" on a capture.
func readLines(t *testing.T, path string) []line {
	t.Helper()
	var stdout, stderr bytes.Buffer
	if code := run([]string{"read", path}, os.Stdin, &stdout, &stderr); code != exitOK {
		t.Fatalf("exit code %d\n%s", code, &stderr)
	}
	var lines []line
	for s := bufio.NewScanner(&stdout); s.Scan(); {
		var l line
		if err := json.Unmarshal(s.Bytes(), &l); err != nil {
			t.Fatalf("%s: %v", s.Bytes(), err)
		}
		lines = append(lines, l)
	}
	return lines
}

// tshark prints fields of the TCAP frames of a capture, a row for each.
func tshark(t *testing.T, path string, fields ...string) [][]string {
	t.Helper()
	return tsharkWith(t, path, []string{"-Y", "tcap", "-o", "tcap.persistentsrt:TRUE"}, fields...)
}

// tsharkWith does the same with these options, which select the frames.
func tsharkWith(t *testing.T, path string, options []string, fields ...string) [][]string {
	t.Helper()
	program, err := exec.LookPath("tshark")
	if err != nil {
		t.Skipf("no oracle: %v", err)
	}
	args := slices.Concat([]string{"-2", "-r", path, "-T", "fields"}, options)
	for _, f := range fields {
		args = append(args, "-e", f)
	}
	out, err := exec.Command(program, args...).Output()
	if err != nil {
		t.Fatalf("tshark: %v", err)
	}
	var rows [][]string
	for row := range strings.Lines(string(out)) {
		rows = append(rows, strings.Split(strings.TrimSuffix(row, "\n"), "\t"))
	}
	return rows
}

// TestMessagesLikeTshark compares every TCAP message of captures that have no
// more than one in a frame.
func TestMessagesLikeTshark(t *testing.T) {
	for name, count := range map[string]int{
		"map_udt.pcap": 38, "camel2.pcap": 4, "gsm_map_with_ussd_string.pcap": 1, "m3ua_synthetic.pcap": 15,
	} {
		t.Run(name, func(t *testing.T) {
			path := capturePath(t, name)
			kinds := []string{"begin", "continue", "end", "abort", "unidirectional"}
			var want []seen
			for _, r := range tshark(t, path, "frame.number", "tcap.otid", "tcap.dtid", "sccp.called.digits", "sccp.calling.digits",
				"sccp.called.ssn", "sccp.calling.ssn", "tcap.begin_element", "tcap.continue_element", "tcap.end_element",
				"tcap.abort_element", "tcap.unidirectional_element") {
				kind := slices.IndexFunc(r[7:], func(s string) bool { return s != "" })
				want = append(want, seen{r[0], kinds[kind], r[1], r[2], r[3], r[4], r[5], r[6]})
			}
			var got []seen
			for _, l := range readLines(t, path) {
				if l.Type == "message" {
					got = append(got, seen{fmt.Sprint(l.Frame), strings.Trim(string(l.TCAP), `"`), l.OTID, l.DTID,
						l.Called.GT, l.Calling.GT, fmt.Sprint(l.Called.SSN), fmt.Sprint(l.Calling.SSN)})
				}
			}
			if len(got) != count || !slices.Equal(got, want) {
				t.Errorf("got %d messages:\n%+v\ntshark has %d:\n%+v", len(got), got, len(want), want)
			}
		})
	}
}

// TestDialoguesLikeTshark compares the dialogues that ended, by the frames of
// their Begin and End.
func TestDialoguesLikeTshark(t *testing.T) {
	path := capturePath(t, "map_udt.pcap")
	var want, got []string
	for _, r := range tshark(t, path, "frame.number", "tcap.srt.begin") { // stands at the Begin and names the End
		if r[1] != "" {
			want = append(want, r[0]+"-"+r[1])
		}
	}
	for _, l := range readLines(t, path) {
		if l.Type == "dialogue" && l.Outcome == "end" {
			got = append(got, fmt.Sprintf("%d-%d", l.BeginFrame, l.LastFrame))
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if len(want) == 0 || !slices.Equal(got, want) {
		t.Errorf("got %q, tshark has %q", got, want)
	}
}

// TestNoTCAP reads captures of other protocols.
func TestNoTCAP(t *testing.T) {
	for _, name := range []string{
		"m3ua_isup.cap", "3gpp_mc.cap", "isup.cap", "sctp_bundled_m3ua.pcap", "sctp_fragments.cap",
		"sctp_bundled_fragments.pcap",
	} {
		t.Run(name, func(t *testing.T) {
			for _, l := range readLines(t, capturePath(t, name)) {
				if l.Type != "summary" && l.Type != "start" {
					t.Errorf("got %+v", l)
				}
			}
		})
	}
}

// TestANSILikeTshark compares the operations of captures of ANSI TCAP. tshark takes one
// MTP3 standard for a whole run; the one that fits each capture is given to it. In the
// second one, one node codes its calling address as ANSI has it but leaves the bit that
// says so at 0: tshark then reads ITU's form, subsystem number 0 and an octet too many.
func TestANSILikeTshark(t *testing.T) {
	for name, standard := range map[string]string{"ansi_map_ota.pcap": "ITU", "ansi_map_win.pcap": "ANSI"} {
		t.Run(name, func(t *testing.T) {
			path := capturePath(t, name)
			var want, got []string
			fields := []string{"frame.number", "mtp3.opc", "mtp3.dpc", "sccp.called.ssn", "sccp.calling.ssn"}
			for _, r := range tsharkWith(t, path, []string{"-o", "mtp3.standard:" + standard, "-Y", "ansi_tcap"}, fields...) {
				if r[4] == "0" {
					r[4] = "8"
				}
				want = append(want, strings.Join(r, " "))
			}
			for _, l := range readLines(t, path) {
				if l.Type == "message" {
					got = append(got, fmt.Sprintf("%d %d %d %d %d", l.Frame, l.OPC, l.DPC, l.Called.SSN, l.Calling.SSN))
				}
			}
			if len(want) == 0 || !slices.Equal(got, want) {
				t.Errorf("got %q, tshark has %q", got, want)
			}
		})
	}
}
