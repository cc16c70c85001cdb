package export

import (
	"cmp"
	"io"
	"reflect"
	"slices"
	"strings"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"google.golang.org/protobuf/proto"
)

// bounds are the upper ends of the buckets of Prometheus' histograms, those that an
// SS7 network's timers are about.
var bounds = [...]time.Duration{
	time.Millisecond, 2500 * time.Microsecond, 5 * time.Millisecond, 10 * time.Millisecond,
	25 * time.Millisecond, 50 * time.Millisecond, 100 * time.Millisecond, 250 * time.Millisecond,
	500 * time.Millisecond, time.Second, 2500 * time.Millisecond, 5 * time.Second, 10 * time.Second,
	30 * time.Second, time.Minute,
}

// WriteMetrics writes all counters of a summary, the number of open dialogues, and the
// histograms of latencies, in Prometheus' text format. A counter has the name of its field
// in the summary line. Errors are those of w.
func WriteMetrics(w io.Writer, s *Summary, l *Latencies, open int) error {
	families := counters(nil, "tcapflow", reflect.ValueOf(s).Elem())
	families = append(families, gauge("tcapflow_dialogues_open", float64(open)))
	if h := l.family(); len(h.Metric) > 0 {
		families = append(families, h)
	}
	out := expfmt.NewEncoder(w, MetricsFormat)
	for _, f := range families {
		if err := out.Encode(f); err != nil {
			return err
		}
	}
	return nil
}

// MetricsFormat is what WriteMetrics writes; as text it is the HTTP content type.
var MetricsFormat = expfmt.NewFormat(expfmt.TypeTextPlain)

// counters walks a struct as encoding/json does: fields by their tags, those of embedded
// structs as if they were its own.
func counters(families []*dto.MetricFamily, prefix string, v reflect.Value) []*dto.MetricFamily {
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
			families = counters(families, name, v.Field(i))
		case field.Type.Kind() == reflect.Uint64:
			name = strings.TrimSuffix(name, "_total") + "_total"
			value := float64(v.Field(i).Uint())
			families = append(families, &dto.MetricFamily{Name: &name, Type: dto.MetricType_COUNTER.Enum(),
				Metric: []*dto.Metric{{Counter: &dto.Counter{Value: &value}}}})
		}
	}
	return families
}

func gauge(name string, value float64) *dto.MetricFamily {
	return &dto.MetricFamily{Name: &name, Type: dto.MetricType_GAUGE.Enum(),
		Metric: []*dto.Metric{{Gauge: &dto.Gauge{Value: &value}}}}
}

// family has a histogram for each operation and result, in a fixed order.
func (l *Latencies) family() *dto.MetricFamily {
	f := &dto.MetricFamily{Name: proto.String("tcapflow_latency_seconds"), Type: dto.MetricType_HISTOGRAM.Enum()}
	for _, key := range l.keys(func(a, b operation) int { return cmp.Compare(a.String(), b.String()) }) {
		for result := range results {
			if h := l.rows[key].latency[result]; h != nil {
				f.Metric = append(f.Metric, &dto.Metric{Histogram: h.metric(), Label: []*dto.LabelPair{
					{Name: proto.String("operation"), Value: proto.String(key.String())},
					{Name: proto.String("result"), Value: proto.String(resultNames[result])},
				}})
			}
		}
	}
	return f
}

// metric is the histogram as Prometheus has it: with cumulative buckets.
func (h *histogram) metric() *dto.Histogram {
	m := &dto.Histogram{SampleCount: &h.count, SampleSum: proto.Float64(h.sum.Seconds())}
	for _, bound := range bounds {
		m.Bucket = append(m.Bucket, &dto.Bucket{
			UpperBound: proto.Float64(bound.Seconds()), CumulativeCount: proto.Uint64(h.below(bound))})
	}
	return m
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
