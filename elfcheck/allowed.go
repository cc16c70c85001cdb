package elfcheck

import (
	"bytes"
	"fmt"
	"strings"
)

// Allowed is an exception: a text that may hold a path of the building machine, and why.
type Allowed struct {
	Text   string `json:"text"`
	Reason string `json:"reason"`
}

// Exception is an [Allowed] that was made use of.
type Exception struct {
	Allowed
	Places int `json:"places"` // how often the text stands in the file
}

func (e Exception) String() string {
	return fmt.Sprintf("%q is allowed (%s): %s", e.Text, places(e.Places), e.Reason)
}

// excused tells whether a match is part of a text that is allowed, and counts that.
func (l *leaks) excused(text string, m match) bool {
	for i := range l.allowed {
		a := &l.allowed[i]
		for from := 0; ; from++ {
			next := strings.Index(a.Text[from:], text)
			if next < 0 {
				break
			}
			from += next
			if start := m.at - from; start >= 0 && bytes.HasPrefix(m.window[start:], []byte(a.Text)) {
				a.Places++
				return true
			}
		}
	}
	return false
}
