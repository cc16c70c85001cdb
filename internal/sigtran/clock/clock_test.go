package clock

import (
	"slices"
	"testing"
	"time"
)

// run gives a clock frames as a reader does: an odd one is held back until the next.
func run(times []int64) (now []int64) {
	var c Clock
	var held []int64
	for _, at := range times {
		if len(held) > 0 {
			c.Believe(held[0], at)
			now = append(now, c.Advance(held[0]))
			held = nil
		}
		if c.Odd(at) {
			held = append(held, at)
			continue
		}
		now = append(now, c.Advance(at))
	}
	if len(held) > 0 {
		now = append(now, c.Advance(held[0]))
	}
	return now
}

func TestClock(t *testing.T) {
	const s, day = int64(time.Second), 24 * int64(time.Hour)
	for _, tt := range []struct {
		name string
		at   []int64
		want []int64
	}{
		{"forward", []int64{10 * s, 11 * s, 311 * s}, []int64{10 * s, 11 * s, 311 * s}},
		{"a little back", []int64{10 * s, 9 * s, 11 * s}, []int64{10 * s, 10 * s, 11 * s}},
		{"one frame of tomorrow", []int64{10 * s, day, 11 * s, 12 * s}, []int64{10 * s, 10 * s, 11 * s, 12 * s}},
		{"one frame of yesterday", []int64{day, 10 * s, day + s}, []int64{day, day, day + s}},
		{"one last frame of tomorrow", []int64{10 * s, day}, []int64{10 * s, 10 * s}},
		{"a quiet night", []int64{10 * s, day, day + s, day + 2*s}, []int64{10 * s, day, day + s, day + 2*s}},
		{"a frame a day", []int64{10 * s, day, 2 * day, 3 * day}, []int64{10 * s, day, 2 * day, 2 * day}},
		{"an earlier file", []int64{day, 10 * s, 11 * s, 13 * s}, []int64{day, day, day + s, day + 3*s}},
		{"one of tomorrow, one of yesterday", []int64{10 * day, 11 * day, 9 * day, 10*day + s},
			[]int64{10 * day, 10 * day, 10 * day, 10*day + s}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := run(tt.at); !slices.Equal(got, tt.want) {
				t.Errorf("got %d, want %d", got, tt.want)
			}
		})
	}
}
