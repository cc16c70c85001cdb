package elfcheck

import (
	"bytes"
	"errors"
	"io"
)

const scanChunk = 256 << 10 // bytes read at a time

// match is a place where a pattern stands.
type match struct {
	pattern int    // index
	off     int64  // in the stream, in bytes
	window  []byte // what stands around it; valid only while the match is told
	at      int    // where the pattern begins in window
}

// before and after are up to n bytes around a match of the given length.
func (m match) before(n int) []byte { return m.window[max(0, m.at-n):m.at] }

func (m match) after(length, n int) []byte {
	from := min(m.at+length, len(m.window))
	return m.window[from:min(from+n, len(m.window))]
}

// scan tells each place of each pattern in a stream, also where one lies across two chunks. At least
// context bytes stand in the window on both sides of a match, or all up to the stream's ends.
func scan(r io.Reader, patterns []string, context int, tell func(match)) error {
	longest := 0
	for _, p := range patterns {
		if p == "" {
			return errors.New("an empty string is searched for: it would stand in every file")
		}
		longest = max(longest, len(p))
	}
	buf := make([]byte, scanChunk+longest+2*context)
	base := int64(0)   // offset of the window
	from, kept := 0, 0 // in the window: the first place where a match is new, and what is of the last window
	for {
		n, err := io.ReadFull(r, buf[kept:])
		window := buf[:kept+n]
		last := err == io.EOF || err == io.ErrUnexpectedEOF
		if err != nil && !last {
			return err
		}
		to := len(window)
		if !last {
			to -= longest + context
		}
		tellWithin(window, base, from, to, patterns, tell)
		if last {
			return nil
		}
		keepFrom := max(0, to-context)
		kept = copy(buf, window[keepFrom:])
		base, from = base+int64(keepFrom), to-keepFrom
	}
}

// tellWithin tells the matches that begin in window[from:to].
func tellWithin(window []byte, base int64, from, to int, patterns []string, tell func(match)) {
	for i, p := range patterns {
		for at := from; at < to; at++ {
			next := bytes.Index(window[at:min(to+len(p)-1, len(window))], []byte(p))
			if next < 0 {
				break
			}
			at += next
			tell(match{i, base + int64(at), window, at})
		}
	}
}
