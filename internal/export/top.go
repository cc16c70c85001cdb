package export

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tcapflow/tcapflow/internal/dialogue"
)

// Top gathers what a screen shows of the last seconds: rates, operations, latencies,
// peers. It has two windows, the one that is filled and the one before it, and shows both
// together, so that nothing jumps to zero where a new one begins.
type Top struct {
	// Title stands in the first line, such as the name of an interface.
	Title string
	// Colour has headings and failures stand out by escape sequences (ECMA-48 §8.3.117).
	Colour bool
	// Span is how long a window is; 0: there is but one, for all.
	Span time.Duration

	now, before *window
	begun       int64
}

// window is what came since a moment. Its rows are bounded, as those of Latencies.
type window struct {
	since      int64 // of the caller's clock, nanoseconds
	at         Totals
	all        row
	operations map[operation]*row
	peers      map[peer]*row
}

// Totals are counts since the beginning of which a screen shows what came of late.
type Totals struct {
	Packets, Messages, Dropped uint64
	Open                       int // dialogues now
}

// maxPeers bounds the peers of a window.
const maxPeers = 256

func newWindow(now int64, at Totals) *window {
	return &window{since: now, at: at,
		operations: make(map[operation]*row), peers: make(map[peer]*row)}
}

// Begin begins the first window, if that is to do: before anything is added.
func (t *Top) Begin(now int64) {
	if t.now == nil {
		t.now, t.begun = newWindow(now, Totals{}), now
	}
}

// Add takes a dialogue that is over.
func (t *Top) Add(r *dialogue.Record) {
	result := resultOf(r)
	t.now.all.add(r, result)
	rowIn(t.now.operations, operation{r.Operation, protocolOf(r)}, maxOperations, operation{}).add(r, result)
	rowIn(t.now.peers, peer(r.DPC), maxPeers, otherPeers).add(r, result)
}

// rowIn finds or makes a row; where there are too many, the one for what is beyond.
func rowIn[K comparable](rows map[K]*row, key K, bound int, beyond K) *row {
	r := rows[key]
	if r == nil && len(rows) >= bound {
		key = beyond
		r = rows[key]
	}
	if r == nil {
		r = &row{}
		rows[key] = r
	}
	return r
}

// merged is a copy of a row and what another window has of it.
func (r *row) merged(other *row) *row {
	sum := *r
	if other != nil {
		sum.latency.merge(&other.latency)
		sum.dialogues += other.dialogues
		sum.errors += other.errors
		sum.aborts += other.aborts
		sum.unserved += other.unserved
	}
	return &sum
}

// tick begins a new window where it is time.
func (t *Top) tick(now int64, at Totals) {
	t.Begin(now)
	if t.Span > 0 && now-t.now.since >= int64(t.Span) {
		t.before, t.now = t.now, newWindow(now, at)
	}
}

// screen is a frame that is being drawn.
type screen struct {
	bytes.Buffer
	width, left int // columns, lines that there is still room for
	colour      bool
	seconds     float64
}

// Draw returns the lines of a frame, at most height of at most width columns. now is the
// time, in nanoseconds of whatever clock goes with the traffic, and at the totals by then.
func (t *Top) Draw(now int64, at Totals, width, height int) []string {
	t.tick(now, at)
	s := &screen{width: max(width, 1), left: max(height, 1), colour: t.Colour}
	first := t.now
	if t.before != nil {
		first = t.before
	}
	elapsed := time.Duration(max(now-first.since, 0))
	s.seconds = max(elapsed.Seconds(), 1e-9)
	all := t.now.all.merged(t.allBefore())
	t.head(s, now, elapsed)
	s.line("packets %s/s  TCAP %s/s  dialogues %s/s  open %d  dropped %d",
		s.rate(at.Packets-first.at.Packets), s.rate(at.Messages-first.at.Messages), s.rate(all.dialogues),
		at.Open, at.Dropped-first.at.Dropped)
	s.line("answered %s  errors %s  aborts %s  no answer %s",
		share(all.latency.count, all.dialogues), share(all.errors-all.aborts, all.dialogues),
		share(all.aborts, all.dialogues), share(all.unserved, all.dialogues))
	s.line("latency  p50 %s  p90 %s  p99 %s  max %s", short(&all.latency, 0.5), short(&all.latency, 0.9),
		short(&all.latency, 0.99), short(&all.latency, 1))
	operations := merge(t, func(w *window) map[operation]*row { return w.operations })
	peers := merge(t, func(w *window) map[peer]*row { return w.peers })
	slices.SortFunc(operations, busier)
	slices.SortFunc(peers, worse)
	room := max(s.left-4, 2) // two headings, each with an empty line before it
	s.table("OPERATION", operations, max(room/2, room-len(peers)))
	s.table("PEER, WORST FIRST", peers, s.left-2)
	return strings.Split(strings.TrimSuffix(s.String(), "\n"), "\n")
}

func (t *Top) head(s *screen, now int64, elapsed time.Duration) {
	span := "all"
	if t.Span > 0 {
		span = "last"
	}
	running := time.Duration(max(now-t.begun, 0)).Round(time.Second)
	s.bold("tcapflow-client top  %s  %s  for %v, shown: %s %v", t.Title,
		time.Unix(0, now).UTC().Format(time.DateTime), running, span, elapsed.Round(time.Second))
}

func (t *Top) allBefore() *row {
	if t.before == nil {
		return nil
	}
	return &t.before.all
}

// named is a row with its name.
type named struct {
	name string
	row  *row
}

// merge makes one list of what both windows have.
func merge[K comparable](t *Top, of func(*window) map[K]*row) []named {
	sums := make(map[K]*row)
	for key, r := range of(t.now) {
		sums[key] = r.merged(nil)
	}
	if t.before != nil {
		for key, r := range of(t.before) {
			sums[key] = r.merged(sums[key])
		}
	}
	list := make([]named, 0, len(sums))
	for key, r := range sums {
		list = append(list, named{fmt.Sprint(key), r})
	}
	return list
}

// busier is the order of operations.
func busier(a, b named) int {
	return cmp.Or(cmp.Compare(b.row.dialogues, a.row.dialogues), strings.Compare(a.name, b.name))
}

// worse is the order of peers: by dialogues that were aborted or not answered, then by
// latency.
func worse(a, b named) int {
	failed := func(r *row) uint64 { return r.aborts + r.unserved }
	return cmp.Or(cmp.Compare(failed(b.row), failed(a.row)),
		cmp.Compare(b.row.latency.quantile(0.99), a.row.latency.quantile(0.99)), busier(a, b))
}

const numbers = 9 + 4*8 + 2*9 // columns that stand right of a name

func (s *screen) table(title string, list []named, rows int) {
	if len(list) == 0 || rows < 1 || s.left < 3 {
		return
	}
	name := min(max(s.width-numbers, 12), 36)
	s.line("")
	s.bold("%-*s%9s%8s%8s%8s%8s%9s%9s", name, clip(title, name),
		"RATE", "P50", "P99", "MAX", "ERRORS", "ABORTS", "NO ANS.")
	for _, n := range list[:min(rows, len(list))] {
		r := n.row
		s.line("%-*s%9s%8s%8s%8s%8s%9s%9s", name, clip(n.name, name), s.rate(r.dialogues),
			short(&r.latency, 0.5), short(&r.latency, 0.99), short(&r.latency, 1),
			share(r.errors-r.aborts, r.dialogues), share(r.aborts, r.dialogues), share(r.unserved, r.dialogues))
	}
}

// clip cuts a name so that a space is left after it.
func clip(name string, width int) string {
	if len(name) < width {
		return name
	}
	return name[:width-2] + "~"
}

func (s *screen) line(format string, args ...any) {
	if s.left == 0 {
		return
	}
	s.left--
	text := []rune(fmt.Sprintf(format, args...))
	s.WriteString(strings.TrimRight(string(text[:min(len(text), s.width)]), " "))
	s.WriteByte('\n')
}

func (s *screen) bold(format string, args ...any) {
	const on, off = "\x1b[1m", "\x1b[0m"
	if !s.colour {
		s.line(format, args...)
		return
	}
	s.WriteString(on)
	s.line(format, args...)
	s.Truncate(s.Len() - 1)
	s.WriteString(off + "\n")
}

// rate is a count for a second, with three digits or all before the decimal point.
func (s *screen) rate(n uint64) string {
	r := float64(n) / s.seconds
	switch {
	case n == 0:
		return "0"
	case r >= 100:
		return fmt.Sprintf("%.0f", r)
	}
	return fmt.Sprintf("%.3g", r)
}

// share is a part in a hundred; "-" where there is none.
func share(part, whole uint64) string {
	switch {
	case part == 0:
		return "-"
	case part == whole:
		return "100%"
	}
	return fmt.Sprintf("%.2g%%", min(100*float64(part)/float64(whole), 99))
}
