package sigtran

// Trace is told of messages that come in several frames: IP and SCTP fragments and SCCP
// segments, of one frame or of several layers at once.
type Trace interface {
	// Waits says that a piece of the frame may be kept until its message is whole.
	Waits(frame uint64)
	// Joins says that what is found in a frame has a piece of an earlier or later one,
	// too. It is called before the messages are returned.
	Joins(frame, other uint64)
}

// trace has the layers tell t.
func (d *Decoder) trace(t Trace) {
	joins := func(frame, other uint64) {
		if frame != other {
			t.Joins(frame, other)
		}
	}
	here := func(other uint64) { joins(d.way.Frame, other) }
	d.link.Trace(here)
	d.associations.budget.Joins = here
	d.segments.Joins = joins
}

// waits tells that a piece of the frame that is being decoded is kept.
func (d *Decoder) waits() {
	if d.options.Trace != nil {
		d.options.Trace.Waits(d.way.Frame)
	}
}
