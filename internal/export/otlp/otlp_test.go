package otlp

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	metrics "go.opentelemetry.io/proto/otlp/metrics/v1"
	"google.golang.org/protobuf/proto"

	"github.com/tcapflow/tcapflow/internal/dialogue"
	"github.com/tcapflow/tcapflow/internal/export"
)

// TestSend is a collector: it reads what the SDK sends when it is stopped.
func TestSend(t *testing.T) {
	bodies := make(chan []byte, 10)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		if err != nil || r.URL.Path != "/v1/metrics" {
			t.Errorf("%s: %v", r.URL.Path, err)
		}
		bodies <- b
	}))
	defer server.Close()
	var s export.Summary
	s.Packets = 7
	var l export.Latencies
	for _, ms := range []int64{3, 4, 90_000} {
		l.Add(&dialogue.Record{Begin: 1, Answer: 1 + ms*1e6, AnswerFrame: 2, DPC: 5})
	}
	stop, err := Start(Options{URL: server.URL, Interval: time.Hour, Service: "prog", Version: "1", Instance: "pod",
		Families: func() []export.Family { return export.Families(&s, &l, 2) }})
	if err != nil {
		t.Fatal(err)
	}
	if err := stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	var request collector.ExportMetricsServiceRequest
	if err := proto.Unmarshal(<-bodies, &request); err != nil {
		t.Fatal(err)
	}
	got := request.ResourceMetrics[0]
	if a := got.Resource.Attributes[0]; a.Key != "service.instance.id" || a.Value.GetStringValue() != "pod" {
		t.Errorf("the resource has %v", got.Resource.Attributes)
	}
	byName := make(map[string]*metrics.Metric)
	for _, m := range got.ScopeMetrics[0].Metrics {
		byName[m.Name] = m
	}
	packets := byName["tcapflow_packets_total"].GetSum()
	if !packets.GetIsMonotonic() || packets.DataPoints[0].GetAsInt() != 7 {
		t.Errorf("packets: %v", packets)
	}
	if n := byName["tcapflow_dialogues_open"].GetGauge().GetDataPoints()[0].GetAsInt(); n != 2 {
		t.Errorf("%d open dialogues", n)
	}
	h := byName["tcapflow_latency_seconds"].GetHistogram().GetDataPoints()[0]
	if h.Count != 3 || h.BucketCounts[2] != 2 || h.BucketCounts[len(h.ExplicitBounds)] != 1 || len(h.Attributes) != 3 {
		t.Errorf("latencies: %v", h)
	}
}

func TestWrongURL(t *testing.T) {
	for _, wrong := range []string{"127.0.0.1:4318", "collector", "grpc://x:4317", ":"} {
		if _, err := Start(Options{URL: wrong}); err == nil {
			t.Errorf("%s is taken", wrong)
		}
	}
}

// TestNobodyListens tells that nothing arrived, and does not wait for ever.
func TestNobodyListens(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	stop, err := Start(Options{URL: server.URL, Interval: time.Hour,
		Families: func() []export.Family { return nil }})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if stop(ctx) == nil {
		t.Error("nobody was told")
	}
}
