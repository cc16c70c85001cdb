// Package alpine reads an Alpine archive and makes image layers of its packages.
//
// It goes the way apk goes, in-process and with no root, no script and no tool of the host.
// APKINDEX is checked against Alpine's keys; a package against what the index says of it,
// and against the keys once more; then its SHA-256 goes into a lock. A build takes packages
// by the lock's SHA-256 alone. In: mirrors, keys, a lock, a set of packages. Out: pieces of
// a layer.
//
// What a mirror gives is read as if an enemy had written it: sizes are bounded, names stay
// below the root, and nothing is unpacked before its digest is known to be good.
package alpine

import (
	"context"
	"errors"
	"io/fs"
	"strings"
	"time"

	"github.com/tcapflow/tcapflow/pipeline/internal/fault"
	"github.com/tcapflow/tcapflow/pipeline/internal/fetch"
)

// Mirror is an Alpine archive: URL + "/v3.24/main/x86_64/APKINDEX.tar.gz".
type Mirror struct {
	URLs         []string // asked in this order; without a trailing slash
	Branch       string   // v3.24
	Repositories []string // of the branch: main, community
	Keys         fs.FS    // ARCH/NAME.rsa.pub: who may sign for an architecture
	Cache        *fetch.Cache

	// NotBefore has the day of an index by its path below the branch, as a lock has it: one
	// that is older is refused, as somebody may hold updates back.
	NotBefore map[string]time.Time
	// Note tells the user of detours, of some more than once; nil: nobody is told.
	Note func(format string, args ...any)
}

// nextMirror is what helps against most faults of a mirror.
const nextMirror = "name another mirror with ALPINE_MIRROR"

func (m Mirror) note(format string, args ...any) {
	if m.Note != nil {
		m.Note(format, args...)
	}
}

// eachMirror asks the mirrors in order until one does. What is not of the network, such as a
// full disk, ends it at once. The error is fetch.ErrGone where no mirror has the file, and
// that is all that is wrong with them.
func (m Mirror) eachMirror(ctx context.Context, ask func(url string) error) error {
	var causes []error
	for i, url := range m.URLs {
		err := ask(url)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		var f *fault.Error
		if !errors.As(err, &f) || f.Code != fault.Fetch {
			return err
		}
		causes = append(causes, err)
		if i+1 < len(m.URLs) {
			m.note("%s; going on to %s", reason(url, err), m.URLs[i+1])
		}
	}
	return unite(causes)
}

// unite makes one error of those of all mirrors.
func unite(causes []error) error {
	if len(causes) == 0 {
		return fault.New(fault.Usage, nextMirror, "no Alpine mirror is known")
	}
	lines := make([]string, len(causes))
	gone := true
	for i, err := range causes {
		lines[i] = firstLine(err)
		gone = gone && errors.Is(err, fetch.ErrGone)
	}
	all := errors.New(strings.Join(lines, "; "))
	if gone {
		all = goneError{all}
	}
	return fault.New(fault.Fetch, nextMirror, "%w", all)
}

// goneError makes an error fetch.ErrGone without a change of its text.
type goneError struct{ error }

func (g goneError) Is(target error) bool { return target == fetch.ErrGone }

// reason says in a line why a mirror did not do. That it is down is said of the mirror, not
// of each file that showed it, so that it is the same line for all of them.
func reason(url string, err error) string {
	var f *fault.Error
	if errors.Is(err, fetch.ErrDown) && errors.As(err, &f) && errors.Unwrap(f.Err) != nil {
		return url + ": " + errors.Unwrap(f.Err).Error()
	}
	return firstLine(err)
}

func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}
