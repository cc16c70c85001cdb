package export

import (
	"strconv"
	"time"

	"github.com/tcapflow/tcapflow/internal/dialogue"
)

// bounds are the upper ends of the buckets of Prometheus' histograms, those that an
// SS7 network's timers are about.
var bounds = [...]time.Duration{
	time.Millisecond, 2500 * time.Microsecond, 5 * time.Millisecond, 10 * time.Millisecond,
	25 * time.Millisecond, 50 * time.Millisecond, 100 * time.Millisecond, 250 * time.Millisecond,
	500 * time.Millisecond, time.Second, 2500 * time.Millisecond, 5 * time.Second, 10 * time.Second,
	30 * time.Second, time.Minute,
}

// coarse counts durations by these bounds, exactly.
type coarse struct {
	buckets [len(bounds)]uint64 // not cumulative; what is above all bounds is in count alone
	count   uint64
	sum     time.Duration
}

func (c *coarse) add(d time.Duration) {
	c.count++
	c.sum += d
	for i := range bounds {
		if d <= bounds[i] {
			c.buckets[i]++
			return
		}
	}
}

// maxPairs bounds the pairs of operation and peer that have histograms of their own: the
// point codes in a capture are anybody's. Peers beyond share one for each operation.
const maxPairs = 1024

// peer is who a Begin was sent to, as the network names it: a point code.
type peer uint32

// otherPeers stands for those beyond the bound. A point code has 24 bits.
const otherPeers peer = 1 << 31

func (p peer) String() string {
	if p == otherPeers {
		return "other"
	}
	return strconv.FormatUint(uint64(p), 10)
}

// pair names a set of histograms.
type pair struct {
	operation operation
	peer      peer
}

// cell is what a pair has, and the row of its operation.
type cell struct {
	row     *row
	latency [results]*coarse // nil: there was none
}

// cell finds or makes that of a dialogue.
func (l *Latencies) cell(r *dialogue.Record) *cell {
	key := pair{operation{r.Operation, protocolOf(r)}, peer(r.DPC)}
	if c := l.cells[key]; c != nil {
		return c
	}
	var row *row
	key.operation, row = l.row(key.operation)
	if len(l.cells) >= maxPairs {
		key.peer = otherPeers
	}
	c := l.cells[key]
	if c == nil {
		if l.cells == nil {
			l.cells = make(map[pair]*cell)
		}
		c = &cell{row: row}
		l.cells[key] = c
	}
	return c
}
