package debian

import (
	"os"
	"path/filepath"
	"time"

	"github.com/tcapflow/tcapflow/pipeline/internal/files"
)

// seenFile keeps the date of the newest InRelease of a suite.
func (m Mirror) seenFile(suite string) string {
	return filepath.Join(m.Cache.Dir, "suites", filepath.Base(suite))
}

// seen is that date; the zero time where there is none, or none that can be read: it is
// written again.
func (m Mirror) seen(suite string) time.Time {
	text, err := os.ReadFile(m.seenFile(suite))
	if err != nil {
		return time.Time{}
	}
	at, err := time.Parse(time.RFC3339, string(text))
	if err != nil {
		return time.Time{}
	}
	return at
}

// see keeps the date of an InRelease whose signature is good and whose indexes are there. A
// cache that cannot be written is told of by what is put into it next.
func (m Mirror) see(r Release) {
	if r.Date.After(m.seen(r.Suite)) {
		_ = files.Write(m.seenFile(r.Suite), []byte(r.Date.UTC().Format(time.RFC3339)))
	}
}
