package export

import (
	"fmt"
	"net"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tcapflow/tcapflow/internal/dialogue"
)

// server returns a StatsD whose datagrams come out of read, a line each.
func server(t *testing.T, prefix string) (s *StatsD, read func(lines int) []string) {
	t.Helper()
	l, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	if s, err = NewStatsD(l.LocalAddr().String(), prefix); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s, func(n int) (lines []string) {
		l.SetReadDeadline(time.Now().Add(10 * time.Second))
		for b := make([]byte, 1<<16); len(lines) < n; {
			size, _, err := l.ReadFrom(b)
			if err != nil {
				t.Fatalf("after %d lines: %v", len(lines), err)
			}
			if size > statsdDatagram {
				t.Errorf("a datagram of %d octets", size)
			}
			lines = append(lines, strings.Split(string(b[:size]), "\n")...)
		}
		return lines
	}
}

func record(outcome dialogue.Outcome, latency time.Duration) *dialogue.Record {
	r := &dialogue.Record{Begin: 1, Outcome: outcome}
	if latency > 0 {
		r.AnswerFrame, r.Answer = 2, 1+int64(latency)
	}
	return r
}

func TestStatsD(t *testing.T) {
	s, read := server(t, "site.tcap.")
	var totals Summary
	totals.Messages.Begin, totals.Malformed.TCAP, totals.Malformed.SCTP = 5, 2, 1
	s.Add(record(dialogue.Ended, 1500*time.Microsecond))
	s.Add(record(dialogue.Ended, 2*time.Second))
	s.Add(record(dialogue.Aborted, 0))
	s.Add(record(dialogue.TimedOut, 0))
	if err := s.Send(&totals); err != nil {
		t.Fatal(err)
	}
	want := "site.tcap.newState:5|c site.tcap.delState:2|c site.tcap.abort:1|c site.tcap.expiredState:1|c " +
		"site.tcap.parseError:3|c site.tcap.latency:1.5|ms site.tcap.latency:2000|ms"
	if got := strings.Join(read(7), " "); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	totals.Messages.Begin++
	if err := s.Send(&totals); err != nil { // what was sent is not sent again
		t.Fatal(err)
	}
	if got := strings.Join(read(1), " "); got != "site.tcap.newState:1|c" {
		t.Error(got)
	}
}

// TestStatsDIsBounded has more latencies than are sent: the rest is told by the rate.
func TestStatsDIsBounded(t *testing.T) {
	s, read := server(t, "")
	for i := range 10 * maxTimings {
		s.Add(record(dialogue.Ended, time.Duration(i+1)*time.Millisecond))
	}
	if err := s.Send(&Summary{}); err != nil {
		t.Fatal(err)
	}
	lines := read(maxTimings + 1)
	line := regexp.MustCompile(`^latency:[0-9]+\|ms\|@0\.1$`)
	late := 0
	for _, text := range lines[1:] {
		if !line.MatchString(text) {
			t.Errorf("%s", text)
		}
		var ms int
		fmt.Sscanf(text, "latency:%d", &ms)
		if ms > 5*maxTimings {
			late++
		}
	}
	// Half of the latencies are of the second half. That 512 draws have fewer than 150
	// or more than 362 of it has a probability below 1e-20.
	if lines[0] != "delState:5120|c" || len(lines) != maxTimings+1 || late < 150 || late > 362 {
		t.Errorf("%d lines, the first %s; %d of the second half", len(lines), lines[0], late)
	}
}

// TestStatsDWithoutServer has nobody listen: an error is told, nothing waits.
func TestStatsDWithoutServer(t *testing.T) {
	l, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.LocalAddr().String()
	l.Close()
	s, err := NewStatsD(address, "")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	failed := false
	for i := uint64(1); i <= 100 && !failed; i++ { // the first one is refused, the next one told
		var totals Summary
		totals.Messages.Begin = i
		failed = s.Send(&totals) != nil
	}
	if !failed {
		t.Error("nobody was told")
	}
}
