package main

import (
	"bytes"

	"github.com/tcapflow/tcapflow/internal/export"
)

// metrics is the state of the flow between two packets.
func (f *flow) metrics() []byte {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.summary
	s.Counters = f.decoder.Counters()
	s.Dialogues = f.table.Counters()
	s.WritePcap = f.packetCounters()
	var b bytes.Buffer
	_ = export.WriteMetrics(&b, &s, &f.latency, f.table.Len()) // a buffer takes all
	return b.Bytes()
}
