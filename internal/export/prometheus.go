package export

import (
	"io"
	"reflect"
	"slices"
	"strings"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
)

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

// keys lists the operations in an order.
func (l *Latencies) keys(order func(a, b operation) int) []operation {
	keys := make([]operation, 0, len(l.rows))
	for k := range l.rows {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, order)
	return keys
}
