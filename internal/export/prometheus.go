package export

import (
	"bytes"
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"
)

// bounds are the upper ends of the buckets of Prometheus' histograms, those that an
// SS7 network's timers are about.
var bounds = [...]time.Duration{
	time.Millisecond, 2500 * time.Microsecond, 5 * time.Millisecond, 10 * time.Millisecond,
	25 * time.Millisecond, 50 * time.Millisecond, 100 * time.Millisecond, 250 * time.Millisecond,
	500 * time.Millisecond, time.Second, 2500 * time.Millisecond, 5 * time.Second, 10 * time.Second,
	30 * time.Second, time.Minute,
}

// AppendMetrics appends all counters of a summary, the number of open dialogues, and
// the histograms of latencies, in Prometheus' text format 0.0.4
// (https://prometheus.io/docs/instrumenting/exposition_formats/). A counter has the
// name of its field in the summary line.
func AppendMetrics(b *bytes.Buffer, s *Summary, l *Latencies, open int) {
	appendCounters(b, "tcapflow", reflect.ValueOf(s).Elem())
	fmt.Fprintf(b, "# TYPE tcapflow_dialogues_open gauge\ntcapflow_dialogues_open %d\n", open)
	l.appendHistograms(b)
}

// appendCounters walks a struct as encoding/json does: fields by their tags, those of
// embedded structs as if they were its own.
func appendCounters(b *bytes.Buffer, prefix string, v reflect.Value) {
	for i := range v.NumField() {
		field := v.Type().Field(i)
		tag, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		name := prefix
		if tag != "" {
			name += "_" + tag
		}
		switch {
		case !field.IsExported():
		case field.Type.Kind() == reflect.Struct:
			appendCounters(b, name, v.Field(i))
		case field.Type.Kind() == reflect.Uint64:
			name = strings.TrimSuffix(name, "_total") + "_total"
			fmt.Fprintf(b, "# TYPE %s counter\n%s %d\n", name, name, v.Field(i).Uint())
		}
	}
}

// appendHistograms appends one for each operation and result, in a fixed order.
func (l *Latencies) appendHistograms(b *bytes.Buffer) {
	const name = "tcapflow_latency_seconds"
	fmt.Fprintf(b, "# TYPE %s histogram\n", name)
	for _, key := range l.keys(func(a, b operation) int { return cmp.Compare(a.String(), b.String()) }) {
		for result := range results {
			h := l.rows[key].latency[result]
			if h == nil {
				continue
			}
			labels := fmt.Sprintf("operation=%q,result=%q", key, resultNames[result])
			for _, bound := range bounds {
				fmt.Fprintf(b, "%s_bucket{%s,le=\"%g\"} %d\n", name, labels, bound.Seconds(), h.below(bound))
			}
			fmt.Fprintf(b, "%s_bucket{%s,le=\"+Inf\"} %d\n", name, labels, h.count)
			fmt.Fprintf(b, "%s_sum{%s} %g\n%s_count{%s} %d\n", name, labels, h.sum.Seconds(), name, labels, h.count)
		}
	}
}

// below counts what is in buckets that end no later than bound.
func (h *histogram) below(bound time.Duration) (n uint64) {
	for i, count := range h.buckets {
		if upper(i) > bound {
			break
		}
		n += count
	}
	return n
}

// keys lists the operations in an order.
func (l *Latencies) keys(order func(a, b operation) int) []operation {
	keys := make([]operation, 0, len(l.rows))
	for k := range l.rows {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, order)
	return keys
}
