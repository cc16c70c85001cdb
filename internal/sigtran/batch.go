package sigtran

import (
	"errors"

	"github.com/tcapflow/tcapflow/internal/sigtran/names"
	"github.com/tcapflow/tcapflow/internal/sigtran/subscriber"
	"github.com/tcapflow/tcapflow/internal/sigtran/tcap"
)

// Batch is TCAP messages whose way is known and whose content is still to be read, which
// another goroutine may do.
type Batch struct {
	messages []Message
	ends     []int  // of the messages' octets
	octets   []byte // of all messages, one after the other
}

// Reset makes a Batch empty; its memory is used again.
func (b *Batch) Reset() { b.messages, b.ends, b.octets = b.messages[:0], b.ends[:0], b.octets[:0] }

// Len is how many messages there are. Some may turn out to be none.
func (b *Batch) Len() int { return len(b.messages) }

// Message is one of them: before Read and where ok was false, only its way is there.
func (b *Batch) Message(i int) *Message { return &b.messages[i] }

// DecodeTo is Decode, but for the content of messages, which Read reads. What is decoded
// is added to the batch.
func (d *Decoder) DecodeTo(b *Batch, f Frame) {
	d.batch, d.found = b, b.messages
	d.decode(f)
	b.messages, d.found, d.batch = d.found, nil, nil
}

// Read reads the content of a message of a batch; ok tells that it is one. It may run
// while the Decoder decodes, but not while it is asked for counters, or closed.
func (d *Decoder) Read(b *Batch, i int) (m *Message, ok bool) {
	start := 0
	if i > 0 {
		start = b.ends[i-1]
	}
	m = &b.messages[i]
	return m, d.content.read(m, b.octets[start:b.ends[i]])
}

// content reads TCAP and counts what it was. It has its own memory, so that one goroutine
// may decode and another one read.
type content struct {
	counters    UserData
	malformed   uint64
	subscribers bool
}

// read reads a message whose way is known; ok tells that it is one.
func (c *content) read(m *Message, b []byte) (ok bool) {
	ok, err := m.TCAP.Parse(b)
	if m.Err = err; err == tcap.ErrTrailing {
		m.Err = nil
		c.counters.Trailing++
	}
	if m.Err != nil && !m.Partial {
		c.malformed++
	}
	m.Subscriber = subscriber.Numbers{}
	if c.subscribers && ok {
		protocol := names.Of(&m.TCAP.Context, m.Calling.SSN, m.Called.SSN)
		m.Subscriber = subscriber.Find(protocol, &m.TCAP, b)
	}
	switch {
	case ok && m.Returned():
		c.counters.Returned++
	case ok:
		c.counters.TCAP++
	case m.Partial:
		c.counters.Cut++
	default:
		c.counters.Broken++
	}
	if ok && m.Partial {
		m.Err = errPartial
	}
	return ok
}

var errPartial = errors.New("cut: not all of it was captured")

// addTo adds what was counted to the Decoder's counters.
func (c *content) addTo(counters *Counters) {
	u := &counters.UserData
	u.TCAP += c.counters.TCAP
	u.Returned += c.counters.Returned
	u.Cut += c.counters.Cut
	u.Broken += c.counters.Broken
	u.Trailing += c.counters.Trailing
	counters.Malformed.TCAP += c.malformed
}
