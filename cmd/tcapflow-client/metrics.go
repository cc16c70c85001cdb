package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/tcapflow/tcapflow/internal/export"
)

// serveMetrics answers on address, such as 127.0.0.1:9145, until stop is called:
// /metrics in Prometheus' text format, and /healthz as long as the program runs.
func (f *flow) serveMetrics(address string, stderr io.Writer) (stop func(), err error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("metrics: %w: -metrics takes HOST:PORT of this machine, port 0 for any", err)
	}
	fmt.Fprintf(stderr, "metrics on http://%s/metrics\n", l.Addr())
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", string(export.MetricsFormat))
		w.Write(f.metrics()) // a reader that went away is no concern of ours
	})
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "ok\n") })
	server := &http.Server{
		Handler:           mux,
		ReadHeaderTimeout: 5 * time.Second,
		WriteTimeout:      10 * time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    1 << 13,
	}
	f.shared = true
	go server.Serve(l)
	return func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		server.Shutdown(ctx)
	}, nil
}

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
