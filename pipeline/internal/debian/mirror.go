// Package debian reads a Debian archive and assembles image layers from its packages.
//
// It goes the way apt goes, in-process and with no root, no maintainer script and no
// tool of the host: InRelease is checked against an archive keyring, each index by
// the digest in InRelease, each .deb by the digest in the index (or in a lock that
// was taken from it). In: mirrors, a lock, a set of packages. Out: a Layer.
//
// A mirror may be away, half updated or behind, and drops old packages. What is wanted
// has a digest, so it does not matter who gives it: the mirrors are asked in order, and
// for what no pool has any more Debian's snapshot archive.
package debian

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tcapflow/tcapflow/pipeline/internal/fault"
	"github.com/tcapflow/tcapflow/pipeline/internal/fetch"
)

// ErrUnavailable is what errors are (errors.Is) that another day or another mirror may
// mend: no mirror answers, all are in the middle of an update or behind, or a package is
// gone everywhere. A bad signature or a wrong digest of a locked file is none of these.
var ErrUnavailable = errors.New("cannot be had today")

// ErrUpdating says that a mirror's indexes do not fit its InRelease, whose signature is
// good. A mirror is updated file by file: that takes minutes, and has taken days.
var ErrUpdating = errors.New("in the middle of an update")

// Mirror is a Debian archive: URL + "/dists/…" and URL + "/pool/…".
type Mirror struct {
	URL      string    // asked first; without a trailing slash
	Others   []string  // other mirrors of the same archive, asked in this order
	Security []string  // mirrors of the archive of security updates
	Snapshot *Snapshot // for packages that no pool has any more; nil: not asked
	Keyring  []byte    // armored OpenPGP keys that may sign InRelease
	Cache    *fetch.Cache

	// NotBefore has the Date of InRelease by suite: one that is older is refused, as
	// somebody may hold updates back. Of a suite that is not in it, the newest that this
	// cache has seen counts.
	NotBefore map[string]time.Time
	// Pauses before a mirror in the middle of an update is asked again; nil: one and three seconds.
	Pauses []time.Duration
	// Note tells the user of detours, of some more than once; nil: nobody is told.
	Note func(format string, args ...any)
}

func (m Mirror) urls() []string {
	if m.URL == "" {
		return m.Others
	}
	return append([]string{m.URL}, m.Others...)
}

func (m Mirror) note(format string, args ...any) {
	if m.Note != nil {
		m.Note(format, args...)
	}
}

// eachMirror asks the mirrors in order until one does. What is not of the network, such
// as a full disk, and what says final ends it at once.
func (m Mirror) eachMirror(ctx context.Context, final func(error) bool, ask func(url string) error) error {
	var causes tried
	urls := m.urls()
	for i, url := range urls {
		err := ask(url)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if !ofNetwork(err) || final(err) {
			return err
		}
		causes = append(causes, err)
		if i+1 < len(urls) {
			m.note("%s; going on to %s", reason(url, err), urls[i+1])
		}
	}
	return causes.fault()
}

// reason says in a line why a mirror did not do. That it is away is said of the mirror,
// not of each file that showed it: so it is the same line for all of them.
func reason(url string, err error) string {
	var f *fault.Error
	if errors.Is(err, fetch.ErrDown) && errors.As(err, &f) && errors.Unwrap(f.Err) != nil {
		return url + ": " + errors.Unwrap(f.Err).Error()
	}
	return firstLine(err)
}

// tried are the errors of all mirrors.
type tried []error

func (t tried) Error() string {
	lines := make([]string, len(t))
	for i, err := range t {
		lines[i] = firstLine(err)
	}
	return strings.Join(lines, "; ")
}

func (t tried) Unwrap() []error { return t }

// fault is the error to return: of the first mirror, which is the user's own, is the
// next step, too.
func (t tried) fault() error {
	var err error = t[0]
	if len(t) > 1 {
		var first *fault.Error
		errors.As(t[0], &first)
		err = &fault.Error{Code: fault.Fetch, Err: t, Next: first.Next}
	}
	for _, cause := range t {
		if !isPassing(cause) {
			return err
		}
	}
	return unavailable{err}
}

// isPassing tells what another day may mend from what somebody has to look at.
func isPassing(err error) bool {
	return !errors.Is(err, ErrForged) && (errors.Is(err, ErrUpdating) || !fetch.Misfit(err))
}

// unavailable makes an error ErrUnavailable without a change of its text.
type unavailable struct{ error }

func (u unavailable) Unwrap() error        { return u.error }
func (u unavailable) Is(target error) bool { return target == ErrUnavailable }

// ofNetwork tells faults of a server from those of this machine.
func ofNetwork(err error) bool {
	var f *fault.Error
	return errors.As(err, &f) && f.Code == fault.Fetch
}

func never(error) bool { return false }

func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}

// updating is the error of a mirror whose InRelease names another file than it has.
func updating(url string, release Release, name string, cause error) error {
	const next = "wait, or name another mirror with DEBIAN_MIRROR: an update takes hours, now and then days"
	for _, kind := range []error{fetch.ErrDigest, fetch.ErrLonger, fetch.ErrGone} {
		if errors.Is(cause, kind) {
			cause = kind
		}
	}
	if errors.Is(cause, fetch.ErrGone) {
		cause = fmt.Errorf("%w (a mirror that leaves it out looks the same)", cause)
	}
	return fault.New(fault.Fetch, next,
		"%s: %w: its InRelease of %s for %s names a %s that it does not have yet: %w",
		url, ErrUpdating, release.Date.Format(time.DateOnly), release.Suite, name, cause)
}

// behind is the error of a mirror whose InRelease is older than what is known already.
func behind(url string, release Release, whose string, known time.Time) error {
	return fault.New(fault.Fetch, "name another mirror with DEBIAN_MIRROR",
		"%s: its InRelease for %s is of %s, older than %s of %s: "+
			"the mirror is stale, or somebody holds updates back",
		url, release.Suite, release.Date.Format(time.DateOnly), whose, known.Format(time.DateOnly))
}
