// Package clock makes of capture times, which jump, a clock that only goes forward and
// that no single frame can move far: time-outs are measured by it.
//
// A frame with a time stamp of tomorrow would else end all that waits; a file that is
// read after a later one would stop the clock. A frame far from the one before is
// odd: what the next one says decides. Whoever reads frames holds an odd one back
// until then.
package clock

import "time"

// maxStep is how far one frame may move the clock, in nanoseconds.
const maxStep = int64(5 * time.Minute)

// Clock is a capture's clock. The zero value is ready for use.
type Clock struct {
	now   int64 // what Advance returns
	last  int64 // capture time that now stands for
	began bool
}

// Now is what Advance returned last.
func (c *Clock) Now() int64 { return c.now }

// Odd tells whether a frame of this capture time, nanoseconds since 1970, is far from
// the one before.
func (c *Clock) Odd(at int64) bool {
	step := at - c.last
	return c.began && (step > maxStep || step < -maxStep)
}

// Believe tells whether a frame after an odd one is as far, or farther, in the same
// direction. If so the clock jumps: forward, time has passed; backward, it is another
// file's.
func (c *Clock) Believe(odd, next int64) bool {
	step, nextStep := odd-c.last, next-c.last
	if step > 0 && nextStep <= maxStep || step < 0 && nextStep >= -maxStep {
		return false
	}
	c.now += max(step, 0)
	c.last = odd
	return true
}

// Advance takes the capture time of the next frame and returns the clock: nanoseconds
// too, from the first frame's time on, and never less than before. An odd one does not
// move it.
func (c *Clock) Advance(at int64) int64 {
	if !c.began {
		c.began, c.now, c.last = true, at, at
	}
	if step := at - c.last; step > 0 && !c.Odd(at) {
		c.now += step
		c.last = at
	}
	return c.now
}
