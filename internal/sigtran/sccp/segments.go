package sccp

import "slices"

// Bounds of what is kept of segmented messages.
const (
	maxSegmented  = 1024
	maxHeldOctets = 4 << 20
	maxSegments   = 16      // what four bits can count, ITU-T Q.713 §3.17
	segmentedLife = 2 * 1e9 // nanoseconds. Q.714 lets a node wait 10 s (T(reass)); segments are
	//                          sent in a row, and answers are held no longer than this
)

// segmentKey names a segmented message (ITU-T Q.714 §4.1.1.2.3).
type segmentKey struct {
	calling   Address
	reference uint32
	opc       uint32
}

// segmented is a message that is not whole.
type segmented struct {
	began int64
	parts [maxSegments][]byte // by the number of segments that remain
	frame [maxSegments]uint64 // that they came in
	count int
	first int // remaining segments of the first one, or -1
	tag   any
}

// Partial is a message of which segments are missing, as far as it goes.
type Partial struct {
	Data []byte
	Tag  any // what came with its first segment
}

// SegmentCounters tell what became of segments. The one that completes a message
// counts as the message.
type SegmentCounters struct {
	Joined     uint64 `json:"joined"`     // of messages that became whole
	Incomplete uint64 `json:"incomplete"` // of those that did not, or that repeat another
}

// Segments puts segmented messages together, in whatever order the segments come.
// The zero value is ready for use.
type Segments struct {
	Counters SegmentCounters
	Frame    uint64                      // that the next segments come in
	Joins    func(frame, earlier uint64) // if not nil, told the frames of what is whole or given up
	open     map[segmentKey]*segmented
	order    []segmentKey // oldest first
	held     int          // octets
	lost     []Partial
}

// Add takes a segment, copies it, and returns the user data once it is whole, with
// the number of its segments. tag is kept with a first segment, for Lost.
func (s *Segments) Add(u *Unitdata, opc uint32, now int64, tag func() any) (data []byte, n int) {
	key := segmentKey{calling: u.Calling, reference: u.Segment.Reference, opc: opc}
	m := s.message(key, now)
	slot := u.Segment.Remaining
	if m.parts[slot] != nil || s.held+len(u.Data) > maxHeldOctets {
		s.Counters.Incomplete++
		return nil, 0
	}
	m.parts[slot] = append(make([]byte, 0, len(u.Data)), u.Data...)
	m.frame[slot] = s.Frame
	m.count++
	s.held += len(u.Data)
	if u.Segment.First {
		m.first, m.tag = int(slot), tag()
	}
	if m.first < 0 || m.count <= m.first {
		return nil, 0
	}
	for i := m.first; i >= 0; i-- {
		if m.parts[i] == nil {
			return nil, 0
		}
		data = append(data, m.parts[i]...)
	}
	n = m.count
	s.Counters.Joined += uint64(n - 1)
	s.joins(s.Frame, m)
	s.drop(key)
	return data, n
}

// message returns the one that a segment belongs to, and makes room if it is new.
func (s *Segments) message(key segmentKey, now int64) *segmented {
	if m, ok := s.open[key]; ok {
		return m
	}
	if s.open == nil {
		s.open = make(map[segmentKey]*segmented)
	}
	for len(s.order) >= maxSegmented {
		s.giveUp(s.order[0])
	}
	m := &segmented{began: now, first: -1}
	s.open[key] = m
	s.order = append(s.order, key)
	return m
}

// Lost returns the messages that are given up at this time of the capture clock, of
// which the first segment is there: it has the transaction ID and the application
// context. The slice is valid until the next call.
func (s *Segments) Lost(now int64) []Partial {
	s.lost = s.lost[:0]
	for len(s.order) > 0 && now-s.open[s.order[0]].began > segmentedLife {
		s.giveUp(s.order[0])
	}
	return s.lost
}

// Close gives up all.
func (s *Segments) Close() []Partial {
	s.lost = s.lost[:0]
	for len(s.order) > 0 {
		s.giveUp(s.order[0])
	}
	return s.lost
}

func (s *Segments) giveUp(key segmentKey) {
	m := s.open[key]
	s.Counters.Incomplete += uint64(m.count)
	if m.first >= 0 {
		p := Partial{Tag: m.tag}
		for i := m.first; i >= 0 && m.parts[i] != nil; i-- {
			p.Data = append(p.Data, m.parts[i]...)
		}
		s.lost = append(s.lost, p)
		s.joins(m.frame[m.first], m)
	}
	s.drop(key)
}

// joins tells which frames the message of a frame has segments of.
func (s *Segments) joins(frame uint64, m *segmented) {
	if s.Joins == nil {
		return
	}
	for i := range m.first + 1 {
		if m.parts[i] != nil {
			s.Joins(frame, m.frame[i])
		}
	}
}

func (s *Segments) drop(key segmentKey) {
	for _, p := range s.open[key].parts {
		s.held -= len(p)
	}
	delete(s.open, key)
	at := slices.Index(s.order, key)
	s.order = slices.Delete(s.order, at, at+1)
}
