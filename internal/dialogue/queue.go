package dialogue

// queue is a list of entries, the longest untouched first.
type queue struct{ first, last uint32 }

// push puts an entry at the end of a queue, and notes the time.
func (t *Table) push(number uint32, q uint8) {
	e, l := t.entry(number), &t.queues[q]
	e.queue, e.touched = q, t.now
	e.prev, e.next = l.last, 0
	if l.last == 0 {
		l.first = number
	} else {
		t.entry(l.last).next = number
	}
	l.last = number
}

// unlink takes an entry out of its queue.
func (t *Table) unlink(number uint32) {
	e := t.entry(number)
	l := &t.queues[e.queue]
	if e.prev == 0 {
		l.first = e.next
	} else {
		t.entry(e.prev).next = e.next
	}
	if e.next == 0 {
		l.last = e.prev
	} else {
		t.entry(e.next).prev = e.prev
	}
}
