package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// fieldCaptures are small captures, each of one thing that occurs in the field, with
// what a correct reader says of them in EXPECTED.tsv: file, expectation, note.
const fieldCaptures = "field"

// tally is what such an expectation counts.
type tally struct {
	begin, cont, end, abort, answered, unmatched, malformed, returned uint64
	latency                                                           float64
}

// TestFieldCaptures reads them all.
func TestFieldCaptures(t *testing.T) {
	table, err := os.ReadFile(filepath.Join(capturePath(t, fieldCaptures), "EXPECTED.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	for row := range strings.Lines(string(table)) {
		columns := strings.Split(strings.TrimSuffix(row, "\n"), "\t")
		t.Run(columns[0], func(t *testing.T) {
			lines := readLines(t, filepath.Join(captures, fieldCaptures, columns[0]))
			if special[columns[0]] != nil {
				special[columns[0]](t, lines)
				return
			}
			compare(t, columns[1], tallyOf(t, lines))
		})
	}
}

// expectation takes "b1", "answered1", "latency 5 ms" out of a row.
var expectation = regexp.MustCompile(`([a-z]+) ?([0-9]+)`)

func compare(t *testing.T, want string, got tally) {
	t.Helper()
	names := map[string]uint64{
		"b": got.begin, "c": got.cont, "e": got.end, "a": got.abort, "abort": got.abort, "answered": got.answered,
		"unmatched": got.unmatched, "malformed": got.malformed, "latency": uint64(got.latency),
	}
	compared := 0
	for _, m := range expectation.FindAllStringSubmatch(want, -1) {
		n, known := names[m[1]]
		if !known {
			continue
		}
		compared++
		if m[2] != strconv.FormatUint(n, 10) {
			t.Errorf("want %s, got %s %d: %+v", want, m[1], n, got)
		}
	}
	if compared == 0 {
		t.Errorf("nothing of %q could be compared", want)
	}
}

func tallyOf(t *testing.T, lines []line) (got tally) {
	t.Helper()
	for _, l := range lines {
		switch l.Type {
		case "dialogue":
			got.latency = max(got.latency, l.Latency)
		case "summary":
			var counts map[string]uint64
			if err := json.Unmarshal(l.TCAP, &counts); err != nil {
				t.Fatal(err)
			}
			got.begin, got.cont, got.end, got.abort = counts["begin"], counts["continue"], counts["end"], counts["abort"]
			got.answered, got.unmatched = l.Dialogues.Answered, l.Dialogues.Unmatched
			got.returned = l.UserData.Returned
			for _, n := range l.Malformed.layers {
				got.malformed += n
			}
		}
	}
	return got
}

// special are the rows whose expectation is in words.
var special = map[string]func(*testing.T, []line){
	"udts.pcap":  returned,
	"xudts.pcap": returned,
	"snaplen96.pcap": func(t *testing.T, lines []line) {
		s := lines[len(lines)-1]
		if s.CutPackets != 2 || tallyOf(t, lines).malformed != 0 {
			t.Errorf("got %+v", s)
		}
	},
	"ppid0_other_port.pcap": func(t *testing.T, lines []line) {
		if s := lines[len(lines)-1]; s.Data.Unknown != 2 {
			t.Errorf("got %+v", s)
		}
	},
	"m3ua_two_protocol_data.pcap": func(t *testing.T, lines []line) {
		compare(t, "b2 e2 answered2", tallyOf(t, lines))
		if s := lines[len(lines)-1]; s.Adaptation.More != 2 {
			t.Errorf("got %+v", s)
		}
	},
	"tcap_abort.pcap": func(t *testing.T, lines []line) {
		compare(t, "b2 abort2 answered2", tallyOf(t, lines))
		var causes []string
		for _, l := range lines {
			if string(l.TCAP) == `"abort"` && l.AbortCause != nil {
				causes = append(causes, fmt.Sprintf("provider %d", *l.AbortCause))
			} else if string(l.TCAP) == `"abort"` {
				causes = append(causes, "source "+l.AbortSource)
			}
		}
		if !slices.Equal(causes, []string{"provider 1", "source user"}) {
			t.Errorf("got %q", causes)
		}
	},
	"tcap_indefinite.pcap": func(t *testing.T, lines []line) {
		compare(t, "b1 c1 e1 answered1", tallyOf(t, lines))
		if m := lines[1]; m.Context != "0.4.0.0.1.0.20.3" || len(m.Components) != 1 || *m.Components[0].Opcode != 45 {
			t.Errorf("got %+v", m)
		}
	},
}

func returned(t *testing.T, lines []line) {
	got := tallyOf(t, lines)
	compare(t, "b1", got)
	back, over := lines[2], lines[3]
	if got.returned != 1 || back.ReturnCause == nil || *back.ReturnCause != 1 || over.Outcome != "undeliverable" {
		t.Errorf("got %+v, then %+v; %d returned", back, over, got.returned)
	}
}
