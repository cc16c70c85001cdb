package export

import (
	"cmp"
	"fmt"
	"io"
	"math/bits"
	"strings"
	"time"

	"github.com/tcapflow/tcapflow/internal/dialogue"
	"github.com/tcapflow/tcapflow/internal/sigtran/names"
	"github.com/tcapflow/tcapflow/internal/sigtran/tcap"
)

// bucketsPerOctave is the resolution of a histogram: a quantile is told as the upper end
// of its bucket, which is no more than 1/8 above the true one.
const bucketsPerOctave = 8

// histogram counts durations from a microsecond up, in logarithmic buckets.
type histogram struct {
	buckets [44 * bucketsPerOctave]uint64
	count   uint64
	most    time.Duration
}

func (h *histogram) add(d time.Duration) {
	h.buckets[bucketOf(d)]++
	h.count++
	h.most = max(h.most, d)
}

// merge adds what another one has counted.
func (h *histogram) merge(other *histogram) {
	for i, n := range other.buckets {
		h.buckets[i] += n
	}
	h.count += other.count
	h.most = max(h.most, other.most)
}

// bucketOf takes the position of the highest bit and the three bits after it.
func bucketOf(d time.Duration) int {
	us := uint64(max(d, 0) / time.Microsecond)
	if us < bucketsPerOctave {
		return int(us)
	}
	exponent := bits.Len64(us) - 4
	return min(bucketsPerOctave*exponent+int(us>>exponent), len(histogram{}.buckets)-1)
}

// upper is the upper end of a bucket.
func upper(bucket int) time.Duration {
	if bucket < bucketsPerOctave {
		return time.Duration(bucket+1) * time.Microsecond
	}
	exponent := bucket/bucketsPerOctave - 1
	return time.Duration(bucket%bucketsPerOctave+bucketsPerOctave+1) << exponent * time.Microsecond
}

// quantile is the duration that a part q of all are no longer than.
func (h *histogram) quantile(q float64) time.Duration {
	rank, seen := uint64(q*float64(h.count)), uint64(0)
	for i, n := range h.buckets {
		if seen += n; seen > rank {
			return min(upper(i), h.most)
		}
	}
	return h.most
}

// maxOperations bounds the rows of the table, for codes that somebody makes up.
const maxOperations = 256

// operation names a row of the table.
type operation struct {
	code     dialogue.Code
	protocol names.Protocol
}

// Results of a dialogue that was answered: without an error, with one, or aborted.
const (
	resultOK = iota
	resultError
	resultAbort
	results
)

var resultNames = [results]string{"ok", "error", "abort"}

type row struct {
	latency             histogram
	dialogues, unserved uint64
	errors, aborts      uint64 // aborts are among errors
}

// Latencies gathers the latencies of dialogues by operation, and by operation and peer.
// The zero value is ready for use.
type Latencies struct {
	all   histogram
	rows  map[operation]*row
	cells map[pair]*cell
}

// Add takes a dialogue that is over.
func (l *Latencies) Add(r *dialogue.Record) {
	c := l.cell(r)
	result := resultOf(r)
	c.row.add(r, result)
	if !r.Answered() {
		return
	}
	l.all.add(r.Latency())
	if c.latency[result] == nil {
		c.latency[result] = &coarse{}
	}
	c.latency[result].add(r.Latency())
}

// row finds or makes that of an operation; of too many operations it is the one of none.
func (l *Latencies) row(key operation) (operation, *row) {
	if l.rows == nil {
		l.rows = make(map[operation]*row)
	}
	if l.rows[key] == nil && len(l.rows) >= maxOperations {
		key = operation{}
	}
	return key, rowIn(l.rows, key, maxOperations, operation{})
}

func resultOf(d *dialogue.Record) int {
	switch {
	case d.Outcome == dialogue.Aborted:
		return resultAbort
	case d.Error.Kind != tcap.None:
		return resultError
	}
	return resultOK
}

func (r *row) add(d *dialogue.Record, result int) {
	r.dialogues++
	if result != resultOK {
		r.errors++
	}
	if result == resultAbort {
		r.aborts++
	}
	if !d.Answered() {
		r.unserved++
		return
	}
	r.latency.add(d.Latency())
}

// Table writes a row for each operation, the most frequent first, and a histogram of
// all latencies.
func (l *Latencies) Table(w io.Writer) {
	keys := l.keys(func(a, b operation) int {
		more := cmp.Compare(l.rows[b].dialogues, l.rows[a].dialogues)
		return cmp.Or(more, strings.Compare(a.String(), b.String()))
	})
	fmt.Fprintf(w, "%-36s %9s %9s %9s %9s %9s %9s\n",
		"OPERATION", "DIALOGUES", "P50", "P99", "MAX", "ERRORS", "NO ANSWER")
	for _, k := range keys {
		r := l.rows[k]
		fmt.Fprintf(w, "%-36s %9d %9s %9s %9s %9d %9d\n", k, r.dialogues,
			short(&r.latency, 0.5), short(&r.latency, 0.99), short(&r.latency, 1), r.errors, r.unserved)
	}
	l.all.draw(w)
}

func (o operation) String() string {
	if name := o.protocol.Operation(o.code.Value, o.code.Kind); name != "" {
		return name
	}
	if o.code.Kind == tcap.None {
		return "(no operation)"
	}
	return fmt.Sprintf("operation %d", o.code.Value)
}

// short writes a quantile with three digits.
func short(h *histogram, q float64) string {
	if h.count == 0 {
		return "-"
	}
	return shortDuration(h.quantile(q))
}

func shortDuration(d time.Duration) string {
	switch {
	case d >= time.Minute:
		return d.Round(time.Second).String()
	case d >= time.Second:
		return fmt.Sprintf("%.3gs", d.Seconds())
	case d >= time.Millisecond:
		return fmt.Sprintf("%.3gms", float64(d)/1e6)
	}
	return fmt.Sprintf("%.3gµs", float64(d)/1e3)
}

// draw writes a bar for each doubling of the latency, from the first that was met to
// the last.
func (h *histogram) draw(w io.Writer) {
	if h.count == 0 {
		return
	}
	const width = 50
	var octaves [len(h.buckets) / bucketsPerOctave]uint64
	first, last, most := len(octaves), 0, uint64(0)
	for i, n := range h.buckets {
		if n == 0 {
			continue
		}
		o := i / bucketsPerOctave
		octaves[o] += n
		first, last, most = min(first, o), max(last, o), max(most, octaves[o])
	}
	fmt.Fprintf(w, "\n%12s\n", "LATENCY")
	for o := first; o <= last; o++ {
		bar := strings.Repeat("#", int((octaves[o]*width+most-1)/most))
		end := shortDuration(upper(o*bucketsPerOctave + bucketsPerOctave - 1))
		fmt.Fprintf(w, "%12s %9d %s\n", "< "+end, octaves[o], bar)
	}
}
