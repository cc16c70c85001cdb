package pcap

import (
	"bytes"
	"io"
	"sync"
	"sync/atomic"
	"time"
)

// mergeBuffer is how many packets of all sources may wait to be taken.
const mergeBuffer = 1024

// idleAfter is how long a merged Source waits before it returns ErrIdle.
const idleAfter = 100 * time.Millisecond

// arrival is what a source gave.
type arrival struct {
	Packet
	err error
}

// merged has the packets of several sources, as they come.
type merged struct {
	sources []Source
	packets chan arrival
	ended   chan struct{} // closed by Close
	running sync.WaitGroup
	left    int // sources that have not ended
	dropped []atomic.Uint64
	timer   *time.Timer
	once    sync.Once
}

// Merge makes one Source of several, which it closes. Each is read by a goroutine of
// its own, so that a busy one does not hold up the others; packets are copied for that.
// An error of one ends it all.
func Merge(sources ...Source) Source {
	if len(sources) == 1 {
		return sources[0]
	}
	m := &merged{
		sources: sources,
		packets: make(chan arrival, mergeBuffer),
		ended:   make(chan struct{}),
		left:    len(sources),
		dropped: make([]atomic.Uint64, len(sources)),
		timer:   time.NewTimer(idleAfter),
	}
	for i := range sources {
		m.running.Go(func() { m.read(i) })
	}
	return m
}

// read takes packets from one source until it ends or all do. How many it lost is asked
// here, as a handle of libpcap is for one goroutine.
func (m *merged) read(i int) {
	for {
		p, err := m.sources[i].Next()
		if err != nil {
			n, _ := m.sources[i].Dropped()
			m.dropped[i].Store(n)
		}
		if err != ErrIdle {
			p.Data = bytes.Clone(p.Data)
			select {
			case m.packets <- arrival{p, err}:
			case <-m.ended:
				return
			}
		}
		select {
		case <-m.ended:
			return
		default:
		}
		if err != nil && err != ErrIdle {
			return
		}
	}
}

func (m *merged) Next() (Packet, error) {
	m.timer.Reset(idleAfter)
	for m.left > 0 {
		select {
		case a := <-m.packets:
			if a.err != io.EOF {
				return a.Packet, a.err
			}
			m.left--
		case <-m.timer.C:
			return Packet{}, ErrIdle
		}
	}
	return Packet{}, io.EOF
}

func (m *merged) Dropped() (n uint64, err error) {
	for i := range m.dropped {
		n += m.dropped[i].Load()
	}
	return n, nil
}

func (m *merged) MayWait() bool { return false }

// Close waits for the goroutines: a live source returns within idleAfter.
func (m *merged) Close() (err error) {
	m.once.Do(func() {
		close(m.ended)
		m.running.Wait()
		for _, s := range m.sources {
			if e := s.Close(); err == nil {
				err = e
			}
		}
	})
	return err
}
