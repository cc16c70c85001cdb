package main

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	build "github.com/tcapflow/tcapflow/internal/sigtran/sigtrantest"
)

// TestTimes has captures whose time jumps: the outcomes of the dialogues, by the
// transaction ID of each.
func TestTimes(t *testing.T) {
	const s, day = time.Second, 24 * time.Hour
	vlr, hlr := build.GT("4915112345678", 7), build.GT("491710000000", 6)
	tsn := uint32(0)
	begin := func(at time.Duration, tid string) frame {
		tsn++
		sccp := build.UDT(hlr, vlr, build.TLV(0x62, build.OTID(tid), build.Invoke(1, 2)))
		return frame{at, build.Frame(1, 2, 0, build.SCTP(build.Chunk(tsn, 3, 3, build.M3UA(1, 2, sccp))))}
	}
	end := func(at time.Duration, tid string) frame {
		tsn++
		sccp := build.UDT(vlr, hlr, build.TLV(0x64, build.DTID(tid), build.Result(1, 2)))
		return frame{at, build.Frame(2, 1, 0, build.SCTP(build.Chunk(tsn, 3, 3, build.M3UA(2, 1, sccp))))}
	}
	for _, tt := range []struct {
		name   string
		frames []frame
		want   []string
	}{
		{"one frame a day ahead", []frame{begin(0, "a"), begin(day, "b"), end(s, "a"), end(2*s, "b")}, []string{"61 end", "62 end"}},
		{"one frame a day back", []frame{begin(day, "a"), begin(0, "b"), end(day+s, "a"), end(day+2*s, "b")}, []string{"61 end", "62 end"}},
		{"a quiet night", []frame{begin(0, "a"), begin(day, "b"), end(day+s, "b"), end(day+2*s, "c")}, []string{"61 timeout", "62 end"}},
		{"the earlier file last", []frame{begin(day, "a"), begin(0, "b"), end(s, "b"), begin(2*s, "c"), begin(70*s, "d")},
			[]string{"62 end", "61 timeout", "63 timeout", "64 capture-end"}},
		{"an odd one last", []frame{begin(0, "a"), begin(day, "b")}, []string{"61 capture-end", "62 capture-end"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "times.pcap")
			if err := os.WriteFile(path, writeCapture(t, tt.frames), 0o600); err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, l := range readLines(t, path) {
				if l.Type == "dialogue" {
					got = append(got, l.OTID+" "+l.Outcome)
				}
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
