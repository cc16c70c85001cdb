package main

import (
	"bytes"
	"fmt"
	"time"

	"github.com/tcapflow/tcapflow/internal/export"
	"github.com/tcapflow/tcapflow/internal/logs"
)

// metrics is the state of the flow between two packets.
func (f *flow) metrics() []byte {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.totals()
	var b bytes.Buffer
	_ = export.WriteMetrics(&b, &s, &f.latency, f.table.Len()) // a buffer takes all
	return b.Bytes()
}

// totals are the counters of now. The caller holds the lock.
func (f *flow) totals() export.Summary {
	s := f.summary
	s.Counters = f.decoder.Counters()
	s.Dialogues = f.table.Counters()
	s.WritePcap = f.packetCounters()
	return s
}

// pushEvery is how often metrics are sent to those that do not ask for them.
const pushEvery = time.Second

// startStatsD sends to a StatsD server, where that was asked for, until it is stopped; then
// once more, so that nothing is missing of a short run.
func (a *app) startStatsD(f *flow) (stop func(), err error) {
	o := &f.options.service
	if o.statsd == "" {
		return func() {}, nil
	}
	if f.statsd, err = export.NewStatsD(o.statsd, o.statsdPrefix); err != nil {
		return nil, fmt.Errorf("statsd: %w: -statsd takes HOST:PORT", err)
	}
	f.shared = true
	failures := logs.Sampler{Every: 1000}
	send := func() {
		f.mu.Lock()
		s := f.totals()
		f.mu.Unlock()
		if err := f.statsd.Send(&s); err != nil {
			if n, ok := failures.Take("statsd"); ok {
				a.log.Warn("statsd: "+err.Error(), "failures", n)
			}
		}
	}
	end := every(pushEvery, send)
	return func() { end(); send(); f.statsd.Close() }, nil
}

// every calls do again and again, until what it returns is called.
func every(interval time.Duration, do func()) (stop func()) {
	done, ended := make(chan struct{}), make(chan struct{})
	ticker := time.NewTicker(interval)
	go func() {
		defer close(ended)
		for {
			select {
			case <-ticker.C:
				do()
			case <-done:
				return
			}
		}
	}()
	return func() { ticker.Stop(); close(done); <-ended }
}
