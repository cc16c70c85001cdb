package link

import (
	"net/netip"
	"slices"
)

// Bounds of what is kept of fragmented datagrams.
const (
	maxDatagrams = 256
	maxPieces    = 64       // of one datagram
	maxDatagram  = 1 << 16  // octets of one datagram
	maxHeld      = 8 << 20  // octets of all
	fragmentLife = 30 * 1e9 // nanoseconds: the least that RFC 1122 §3.3.2 allows is 60 s for
	//                          a host that receives; a capture need not wait for its resends
)

// datagram names a fragmented IP datagram (RFC 791 §2.3, RFC 8200 §4.5).
type datagram struct {
	src, dst netip.Addr
	id       uint32
	protocol byte
}

// piece is one fragment.
type piece struct {
	datagram
	offset int // octets
	last   bool
	data   []byte
	frame  uint64
}

// FragmentCounters tell what became of IP fragments. The one that completes a
// datagram counts as what the datagram is.
type FragmentCounters struct {
	Joined     uint64 `json:"joined"`     // of datagrams that became whole
	Incomplete uint64 `json:"incomplete"` // of those that did not, or that repeat another
}

// partial is a datagram that is not whole.
type partial struct {
	began  int64
	total  int // octets; -1 while the last fragment is missing
	count  uint64
	pieces []piece // sorted by offset
}

// fragments puts IP datagrams together.
type fragments struct {
	open     map[datagram]*partial
	order    []datagram // oldest first
	held     int        // octets
	counters FragmentCounters
	joins    func(frame uint64)
}

// add takes a fragment, copies it, and returns the payload of its datagram if that
// is whole now. Of octets that come twice, the first ones count.
func (f *fragments) add(p piece, now int64) ([]byte, bool) {
	f.expire(now)
	if p.offset+len(p.data) > maxDatagram {
		f.counters.Incomplete++
		return nil, false
	}
	d := f.datagram(p.datagram, now)
	at, known := slices.BinarySearchFunc(d.pieces, p.offset, func(q piece, offset int) int {
		return q.offset - offset
	})
	if known || len(d.pieces) == maxPieces {
		f.counters.Incomplete++
		return nil, false
	}
	p.data = slices.Clone(p.data)
	d.pieces = slices.Insert(d.pieces, at, p)
	d.count++
	f.held += len(p.data)
	if p.last {
		d.total = p.offset + len(p.data)
	}
	whole, ok := d.join()
	if ok {
		f.counters.Joined += d.count - 1
		for i := 0; f.joins != nil && i < len(d.pieces); i++ {
			f.joins(d.pieces[i].frame)
		}
		f.drop(p.datagram)
	}
	return whole, ok
}

// datagram returns the one that a fragment belongs to, and makes room if it is new.
func (f *fragments) datagram(key datagram, now int64) *partial {
	if d, ok := f.open[key]; ok {
		return d
	}
	if f.open == nil {
		f.open = make(map[datagram]*partial)
	}
	for len(f.order) >= maxDatagrams || f.held > maxHeld {
		f.giveUp(f.order[0])
	}
	d := &partial{began: now, total: -1}
	f.open[key] = d
	f.order = append(f.order, key)
	return d
}

func (f *fragments) expire(now int64) {
	for len(f.order) > 0 && now-f.open[f.order[0]].began > fragmentLife {
		f.giveUp(f.order[0])
	}
}

func (f *fragments) forgetAll() {
	for len(f.order) > 0 {
		f.giveUp(f.order[0])
	}
}

func (f *fragments) giveUp(key datagram) {
	f.counters.Incomplete += f.open[key].count
	f.drop(key)
}

func (f *fragments) drop(key datagram) {
	for _, p := range f.open[key].pieces {
		f.held -= len(p.data)
	}
	delete(f.open, key)
	at := slices.Index(f.order, key)
	f.order = slices.Delete(f.order, at, at+1)
}

// join returns the whole payload, if there is no gap up to the last fragment.
func (d *partial) join() ([]byte, bool) {
	if d.total < 0 {
		return nil, false
	}
	end := 0
	for _, p := range d.pieces {
		if p.offset > end {
			return nil, false
		}
		end = max(end, p.offset+len(p.data))
	}
	if end < d.total {
		return nil, false
	}
	whole := make([]byte, 0, d.total)
	for _, p := range d.pieces {
		if fresh := len(whole) - p.offset; fresh < len(p.data) {
			whole = append(whole, p.data[fresh:]...)
		}
	}
	return whole[:d.total], true
}
