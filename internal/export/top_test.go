package export

import (
	"flag"
	"os"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/tcapflow/tcapflow/internal/dialogue"
	"github.com/tcapflow/tcapflow/internal/sigtran/tcap"
)

var update = flag.Bool("update", false, "write the golden files anew")

// busyTop has dialogues of three operations with four peers; the third answers badly.
func busyTop(begun int64) *Top {
	t := &Top{Title: "eth0", Span: 10 * time.Second}
	t.Begin(begun)
	for i := range int64(400) {
		r := dialogue.Record{Begin: 1, DPC: 100 + uint32(i%4), AnswerFrame: 1, Answer: 1 + (i+1)*1e6, Outcome: dialogue.Ended,
			Operation: dialogue.Code{Value: []int32{2, 45, 56}[i%3], Kind: tcap.Local}}
		r.Called.SSN = 6
		switch {
		case i%40 == 2:
			r.Outcome = dialogue.Aborted
		case i%20 == 6:
			r.AnswerFrame, r.Outcome = 0, dialogue.TimedOut
		case i%10 == 1:
			r.Error = dialogue.Code{Value: 27, Kind: tcap.Local}
		}
		t.Add(&r)
	}
	return t
}

func TestTopFrame(t *testing.T) {
	const begun = 1_700_000_000_000_000_000
	top := busyTop(begun)
	lines := top.Draw(begun+5e9, Totals{Packets: 5000, Messages: 4000, Dropped: 3, Open: 12}, 80, 24)
	got := strings.Join(lines, "\n") + "\n"
	const golden = "testdata/top.txt"
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil || got != string(want) {
		t.Errorf("%v; got\n%s", err, got)
	}
}

// A frame fits its screen, whatever that is.
func TestTopFits(t *testing.T) {
	top := busyTop(1)
	for _, colour := range []bool{false, true} {
		top.Colour = colour
		for width := 1; width < 130; width += 7 {
			for height := 1; height < 40; height++ {
				lines := top.Draw(1e9, Totals{}, width, height)
				if len(lines) > height {
					t.Errorf("%d lines of %d", len(lines), height)
				}
				for _, line := range lines {
					line = strings.NewReplacer("\x1b[1m", "", "\x1b[0m", "").Replace(line)
					if n := utf8.RuneCountInString(line); n > width {
						t.Errorf("%d columns of %d: %q", n, width, line)
					}
				}
			}
		}
	}
}

// Windows are two: what is older is not shown any more, and what is new does not begin at
// nothing.
func TestTopWindows(t *testing.T) {
	top := busyTop(0)
	row := func(seconds int64, packets uint64) string {
		return top.Draw(seconds*1e9, Totals{Packets: packets}, 100, 24)[1]
	}
	for _, tt := range []struct {
		seconds int64
		packets uint64
		want    string
	}{
		{4, 400, "packets 100/s  TCAP 0/s  dialogues 100/s"},
		{10, 1000, "packets 100/s  TCAP 0/s  dialogues 40/s"},
		{16, 1000, "packets 62.5/s  TCAP 0/s  dialogues 25/s"},
		{20, 1000, "packets 0/s  TCAP 0/s  dialogues 0/s"},
	} {
		if got := row(tt.seconds, tt.packets); !strings.HasPrefix(got, tt.want) {
			t.Errorf("after %d s: %q, want %q", tt.seconds, got, tt.want)
		}
	}
}

func TestTopIsBounded(t *testing.T) {
	top := &Top{}
	top.Begin(0)
	for i := range uint32(3 * maxPeers) {
		top.Add(&dialogue.Record{DPC: i, Operation: dialogue.Code{Value: int32(i), Kind: tcap.Local}})
	}
	if n, m := len(top.now.peers), len(top.now.operations); n > maxPeers+1 || m > maxOperations+1 {
		t.Errorf("%d peers, %d operations", n, m)
	}
}
