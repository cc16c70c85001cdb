package export

import (
	"bufio"
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/tcapflow/tcapflow/internal/dialogue"
	"github.com/tcapflow/tcapflow/internal/sigtran/tcap"
)

func TestMetrics(t *testing.T) {
	var s Summary
	s.Packets, s.Frames.Fragments.Joined, s.Messages.Begin, s.MSU.Total, s.Dialogues.Answered = 7, 3, 4, 5, 6
	var l Latencies
	for ms, outcome := range []dialogue.Outcome{dialogue.Ended, dialogue.Ended, dialogue.Aborted} {
		r := dialogue.Record{Begin: 1, Answer: 1 + int64(ms)*1e6, AnswerFrame: 2, Outcome: outcome,
			Operation: dialogue.Code{Value: 45, Kind: tcap.Local}}
		r.Called.SSN = 6
		l.Add(&r)
	}
	l.Add(&dialogue.Record{})
	var b bytes.Buffer
	if err := WriteMetrics(&b, &s, &l, 9); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"# TYPE tcapflow_packets_total counter", "tcapflow_packets_total 7", "tcapflow_frames_ip_fragments_joined_total 3",
		"tcapflow_tcap_begin_total 4", "tcapflow_mtp3_total 5", "tcapflow_dialogues_answered_total 6", "tcapflow_dialogues_open 9",
		`tcapflow_latency_seconds_bucket{operation="sendRoutingInfoForSM",result="ok",peer="0",le="0.001"} 2`,
		`tcapflow_latency_seconds_bucket{operation="sendRoutingInfoForSM",result="ok",peer="0",le="0.0025"} 2`,
		`tcapflow_latency_seconds_bucket{operation="sendRoutingInfoForSM",result="abort",peer="0",le="+Inf"} 1`,
		`tcapflow_latency_seconds_sum{operation="sendRoutingInfoForSM",result="abort",peer="0"} 0.002`,
	} {
		if !strings.Contains(b.String(), want+"\n") {
			t.Errorf("no %s in\n%s", want, &b)
		}
	}
	line := regexp.MustCompile(`^(# TYPE [a-z0-9_]+ (counter|gauge|histogram)|[a-z0-9_]+(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\})? [0-9.e+-]+)$`)
	seen := map[string]bool{}
	for text := range strings.Lines(b.String()) {
		if text = strings.TrimSuffix(text, "\n"); !line.MatchString(text) || seen[text] {
			t.Errorf("not a line, or one that was there: %s", text)
		}
		seen[text] = true
	}
}

// TestMetricsAreParsed has Prometheus' own parser read the text, names in it that need
// escapes too.
func TestMetricsAreParsed(t *testing.T) {
	var s Summary
	s.Packets = 1 << 60
	var l Latencies
	for ms := range 100 {
		l.Add(&dialogue.Record{Begin: 1, Answer: 1 + int64(ms)*1e8, AnswerFrame: 2, DPC: uint32(ms % 3)})
	}
	var b bytes.Buffer
	if err := WriteMetrics(&b, &s, &l, 9); err != nil {
		t.Fatal(err)
	}
	odd := Family{Name: "odd", Kind: Gauge, Points: []Point{{Value: 3, Labels: []Label{{"a", "\"\\\n,}"}, {"b", ""}}}}}
	out := prometheus{bufio.NewWriter(&b)}
	out.family(&odd)
	out.Flush()
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(&b)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(Families(&s, &l, 9)) + 1; len(families) != n {
		t.Errorf("%d families were read, %d written", len(families), n)
	}
	if v := families["tcapflow_packets_total"].Metric[0].GetCounter().GetValue(); v != 1<<60 {
		t.Errorf("packets %v", v)
	}
	if v := families["odd"].Metric[0].Label[0].GetValue(); v != "\"\\\n,}" {
		t.Errorf("the label is read as %q", v)
	}
	histograms := families["tcapflow_latency_seconds"].Metric
	if h := histograms[0].GetHistogram(); len(histograms) != 3 || h.GetSampleCount() != 34 ||
		h.Bucket[0].GetCumulativeCount() != 1 || h.Bucket[len(h.Bucket)-1].GetCumulativeCount() != 34 {
		t.Errorf("%d histograms, the first %v", len(histograms), h)
	}
}

// TestMetricsOfAll has a metric for each number in the summary line.
func TestMetricsOfAll(t *testing.T) {
	var b bytes.Buffer
	if err := WriteMetrics(&b, &Summary{}, &Latencies{}, 0); err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(Summary{})
	if err != nil {
		t.Fatal(err)
	}
	numbers := strings.Count(string(text), ":0")
	if n := strings.Count(b.String(), " counter\n"); n != numbers || n < 60 {
		t.Errorf("%d counters for %d numbers in %s", n, numbers, text)
	}
}

// TestPeersAreBounded has no more histograms than it says, however many point codes come.
func TestPeersAreBounded(t *testing.T) {
	var l Latencies
	for pc := range uint32(3 * maxPairs) {
		for _, code := range []int32{2, 45} {
			l.Add(&dialogue.Record{AnswerFrame: 1, DPC: pc, Operation: dialogue.Code{Value: code, Kind: tcap.Local}})
		}
	}
	f := l.family()
	if len(f.Points) != maxPairs+2 {
		t.Errorf("%d histograms", len(f.Points))
	}
	count := uint64(0)
	for _, m := range f.Points {
		count += m.Latency.Count
	}
	if count != 6*maxPairs {
		t.Errorf("%d dialogues are in them", count)
	}
	if peer := f.Points[len(f.Points)-1].Labels[2].Value; peer != "other" {
		t.Errorf("the last peer is %q", peer)
	}
}
