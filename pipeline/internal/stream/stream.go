// Package stream connects a function that writes to one that reads.
//
// In: both. Out: the error that came first, of the one that failed and not of the other,
// which only met a closed pipe. Neither is left running.
package stream

import "io"

// Through runs produce beside consume, which reads what it writes. It returns when both
// have: with the error of produce, unless that was stopped by the end of consume, else with
// that of consume.
func Through(produce func(io.Writer) error, consume func(io.Reader) error) error {
	r, w := io.Pipe()
	p := &producer{w: w}
	done := make(chan error, 1)
	go func() {
		err := produce(p)
		w.CloseWithError(err)
		done <- err
	}()
	consumed := consume(r)
	r.Close()
	if produced := <-done; produced != nil && !p.stopped {
		return produced
	}
	return consumed
}

// producer notes that it was stopped: a write to a pipe fails only when nobody reads any
// more, but the error may be wrapped in ways that hide that.
type producer struct {
	w       *io.PipeWriter
	stopped bool
}

func (p *producer) Write(b []byte) (int, error) {
	n, err := p.w.Write(b)
	p.stopped = p.stopped || err != nil
	return n, err
}
