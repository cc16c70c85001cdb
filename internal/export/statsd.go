package export

import (
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/tcapflow/tcapflow/internal/dialogue"
)

const (
	// statsdDatagram keeps a datagram whole on Ethernet, whatever is around it:
	// https://github.com/statsd/statsd/blob/master/docs/metric_types.md, "Multi-Metric Packets".
	statsdDatagram = 1432
	// maxTimings bounds the latencies that are kept between two sendings. Of more, an even
	// sample is sent, with its rate.
	maxTimings = 512
)

// StatsD sends counts and latencies to a StatsD server in UDP datagrams:
//
//	newState      counter: Begins
//	delState      counter: dialogues that ended with an End
//	abort         counter: dialogues that were aborted
//	expiredState  counter: dialogues that nobody went on with
//	parseError    counter: what could not be read
//	latency       timer, milliseconds: from a Begin to its first answer
//
// A prefix stands before each name. Nothing waits for the server: what cannot be sent is
// gone.
type StatsD struct {
	conn    net.Conn
	prefix  string
	mu      sync.Mutex
	counts  statsdCounts // what will be sent
	sent    statsdTotals // what was sent of totals
	timings []time.Duration
	timed   int // latencies of this interval, those that are not kept too
}

type statsdCounts struct{ del, abort, expired uint64 }

// statsdTotals are counters that only go up.
type statsdTotals struct{ began, errors uint64 }

// NewStatsD sends to address, HOST:PORT. Errors are those of the name.
func NewStatsD(address, prefix string) (*StatsD, error) {
	conn, err := net.Dial("udp", address)
	if err != nil {
		return nil, err
	}
	return &StatsD{conn: conn, prefix: prefix, timings: make([]time.Duration, 0, maxTimings)}, nil
}

// Add takes a dialogue that is over.
func (s *StatsD) Add(r *dialogue.Record) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch r.Outcome {
	case dialogue.Ended:
		s.counts.del++
	case dialogue.Aborted:
		s.counts.abort++
	case dialogue.TimedOut:
		s.counts.expired++
	}
	if !r.Answered() {
		return
	}
	// Each latency has the same chance to be among those that are kept (Vitter, 1985,
	// algorithm R).
	s.timed++
	if len(s.timings) < maxTimings {
		s.timings = append(s.timings, r.Latency())
		return
	}
	if at := rand.IntN(s.timed); at < maxTimings {
		s.timings[at] = r.Latency()
	}
}

// Send sends what came since the last time; s has the totals. It returns the first error,
// after it has tried all.
func (s *StatsD) Send(totals *Summary) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := statsdTotals{began: totals.Messages.Begin, errors: totals.parseErrors()}
	b := batch{conn: s.conn, prefix: s.prefix}
	b.count("newState", now.began-s.sent.began)
	b.count("delState", s.counts.del)
	b.count("abort", s.counts.abort)
	b.count("expiredState", s.counts.expired)
	b.count("parseError", now.errors-s.sent.errors)
	rate := ""
	if s.timed > len(s.timings) {
		rate = "|@" + strconv.FormatFloat(float64(len(s.timings))/float64(s.timed), 'g', 6, 64)
	}
	for _, d := range s.timings {
		b.line("latency", string(appendMilliseconds(nil, int64(d))), "|ms"+rate)
	}
	b.flush()
	s.counts, s.sent, s.timings, s.timed = statsdCounts{}, now, s.timings[:0], 0
	return b.err
}

// Close sends no more.
func (s *StatsD) Close() error { return s.conn.Close() }

// parseErrors counts what could not be read.
func (s *Summary) parseErrors() uint64 {
	m := &s.Malformed
	return m.Link + m.SCTP + m.M3UA + m.M2PA + m.M2UA + m.SUA + m.MTP3 + m.SCCP + m.TCAP
}

// batch gathers lines to datagrams.
type batch struct {
	conn   net.Conn
	prefix string
	b      []byte
	err    error
}

func (b *batch) count(name string, n uint64) {
	if n > 0 {
		b.line(name, strconv.FormatUint(n, 10), "|c")
	}
}

func (b *batch) line(name, value, kind string) {
	size := len(b.prefix) + len(name) + 1 + len(value) + len(kind)
	if len(b.b) > 0 && len(b.b)+1+size > statsdDatagram {
		b.flush()
	}
	if len(b.b) > 0 {
		b.b = append(b.b, '\n')
	}
	b.b = append(append(append(b.b, b.prefix...), name...), ':')
	b.b = append(append(b.b, value...), kind...)
}

func (b *batch) flush() {
	if len(b.b) == 0 {
		return
	}
	if _, err := b.conn.Write(b.b); err != nil && b.err == nil {
		b.err = err
	}
	b.b = b.b[:0]
}
