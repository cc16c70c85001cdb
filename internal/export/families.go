package export

import (
	"cmp"
	"reflect"
	"slices"
	"strings"
)

// Family is a metric with all its points, whatever writes it.
type Family struct {
	Name   string // as Prometheus has it: "tcapflow_packets_total"
	Kind   Kind
	Points []Point
}

// Kind is what a metric does.
type Kind int

// Kinds of metrics.
const (
	Counter   Kind = iota // only goes up
	Gauge                 // goes up and down
	Histogram             // of latencies
)

var kindNames = [...]string{"counter", "gauge", "histogram"}

// Point is a value of a metric, of those with these labels.
type Point struct {
	Labels  []Label
	Value   uint64
	Latency Distribution // of a histogram, in place of Value
}

// Label tells points of a metric apart.
type Label struct{ Name, Value string }

// Distribution counts durations by buckets. Times are in seconds.
type Distribution struct {
	Bounds  []float64 // upper ends of buckets
	Buckets []uint64  // of each what is in it, and no more; the rest is in Count alone
	Count   uint64
	Sum     float64
}

// Families are all counters of a summary, the number of open dialogues, and the histograms
// of latencies. A counter has the name of its field in the summary line.
func Families(s *Summary, l *Latencies, open int) []Family {
	families := counters(nil, "tcapflow", reflect.ValueOf(s).Elem())
	families = append(families, Family{Name: "tcapflow_dialogues_open", Kind: Gauge, Points: []Point{{Value: uint64(open)}}})
	if h := l.family(); len(h.Points) > 0 {
		families = append(families, h)
	}
	return families
}

// counters walks a struct as encoding/json does: fields by their tags, those of embedded
// structs as if they were its own.
func counters(families []Family, prefix string, v reflect.Value) []Family {
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
			families = append(families, Family{Name: name, Points: []Point{{Value: v.Field(i).Uint()}}})
		}
	}
	return families
}

// family has a histogram for each operation, result and peer, in a fixed order.
func (l *Latencies) family() Family {
	f := Family{Name: "tcapflow_latency_seconds", Kind: Histogram}
	pairs := make([]pair, 0, len(l.cells))
	for key := range l.cells {
		pairs = append(pairs, key)
	}
	slices.SortFunc(pairs, func(a, b pair) int {
		return cmp.Or(cmp.Compare(a.operation.String(), b.operation.String()), cmp.Compare(a.peer, b.peer))
	})
	for _, key := range pairs {
		for result, h := range l.cells[key].latency {
			if h == nil {
				continue
			}
			f.Points = append(f.Points, Point{Latency: h.distribution(), Labels: []Label{
				{"operation", key.operation.String()},
				{"result", resultNames[result]},
				{"peer", key.peer.String()},
			}})
		}
	}
	return f
}

// boundSeconds are bounds in seconds.
var boundSeconds = func() (list []float64) {
	for _, b := range bounds {
		list = append(list, b.Seconds())
	}
	return list
}()

func (c *coarse) distribution() Distribution {
	return Distribution{
		Bounds: boundSeconds, Buckets: slices.Clone(c.buckets[:]), Count: c.count, Sum: c.sum.Seconds(),
	}
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
