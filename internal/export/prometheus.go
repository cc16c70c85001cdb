package export

import (
	"bufio"
	"io"
	"strconv"
	"strings"
)

// MetricsFormat is the HTTP content type of what WriteMetrics writes.
const MetricsFormat = "text/plain; version=0.0.4; charset=utf-8"

// WriteMetrics writes all counters of a summary, the number of open dialogues, and the
// histograms of latencies, in Prometheus' text format:
// https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
// Errors are those of w.
func WriteMetrics(w io.Writer, s *Summary, l *Latencies, open int) error {
	out := prometheus{bufio.NewWriter(w)}
	for _, f := range Families(s, l, open) {
		out.family(&f)
	}
	return out.Flush()
}

// prometheus writes the text format. Errors are told by Flush.
type prometheus struct{ *bufio.Writer }

func (p prometheus) family(f *Family) {
	p.WriteString("# TYPE " + f.Name + " " + kindNames[f.Kind] + "\n")
	for i := range f.Points {
		point := &f.Points[i]
		if f.Kind == Histogram {
			p.histogram(f.Name, point)
			continue
		}
		p.sample(f.Name, point.Labels, strconv.FormatUint(point.Value, 10))
	}
}

// histogram writes one with buckets that count what is below, too.
func (p prometheus) histogram(name string, point *Point) {
	h, below := point.Latency, uint64(0)
	for i, bound := range h.Bounds {
		below += h.Buckets[i]
		label := Label{"le", seconds(bound)}
		p.sample(name+"_bucket", append(point.Labels[:len(point.Labels):len(point.Labels)], label),
			strconv.FormatUint(below, 10))
	}
	label := Label{"le", "+Inf"}
	count := strconv.FormatUint(h.Count, 10)
	p.sample(name+"_bucket", append(point.Labels[:len(point.Labels):len(point.Labels)], label), count)
	p.sample(name+"_sum", point.Labels, seconds(h.Sum))
	p.sample(name+"_count", point.Labels, count)
}

func seconds(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

// escape is for the values of labels.
var escape = strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`)

func (p prometheus) sample(name string, labels []Label, value string) {
	p.WriteString(name)
	for i, l := range labels {
		p.WriteByte("{,"[min(i, 1)])
		p.WriteString(l.Name + `="`)
		escape.WriteString(p, l.Value)
		p.WriteByte('"')
	}
	if len(labels) > 0 {
		p.WriteByte('}')
	}
	p.WriteString(" " + value + "\n")
}
