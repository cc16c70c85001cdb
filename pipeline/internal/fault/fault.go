// Package fault gives errors of the pipeline what a person at a terminal needs:
// an exit code that a script can act on, the next step, and the log's tail.
//
// Stages return plain errors wrapped once, or a *fault.Error where the code is
// known; the targets hand it to mage, which prints it and exits with ExitStatus.
package fault

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"strings"
	"syscall"
)

// Code is the exit code of a mage target.
type Code int

const (
	Failed Code = 1 // the build or a check failed
	Usage  Code = 2 // wrong use: an unknown target, a bad option
	Engine Code = 3 // the container engine is missing or refused
	Fetch  Code = 4 // an input could not be fetched

	// Interrupted is what shells give for SIGINT. A stage gives it to an error only where an
	// interruption leaves something half done, which the error names.
	Interrupted Code = 130
)

// Error is an error with an exit code, and where there is one, a next step and a log.
type Error struct {
	Code Code
	Err  error
	Next string // what the reader can do; empty when nothing useful is known
	Log  string // the last lines of the failed command's output
}

func (e *Error) Error() string {
	line := e.Err.Error()
	if e.Next != "" {
		line = innerNext.ReplaceAllString(line, "") + "\n  next: " + e.Next
	}
	if e.Log != "" {
		line += "\n" + strings.TrimRight(e.Log, "\n")
	}
	return line
}

// TailLines is how much of a log an error shows: what fits on a screen.
const TailLines = 40

// Tail keeps the last lines of a log, at most n.
func Tail(log string, n int) string {
	lines := strings.Split(strings.TrimRight(log, " \t\r\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

// innerNext is the next step of a wrapped error; who wraps it knows a better one.
var innerNext = regexp.MustCompile(`\n  next: [^\n]*`)

func (e *Error) Unwrap() error { return e.Err }

// ExitStatus is read by mage (mg.ExitStatus).
func (e *Error) ExitStatus() int { return int(e.Code) }

// New returns an error with a code, a next step (may be empty) and a formatted cause.
func New(code Code, next, format string, args ...any) *Error {
	return &Error{Code: code, Next: next, Err: fmt.Errorf(format, args...)}
}

// Exit gives err a code to exit with when no stage below did: 1, and 130 for a
// cancelled run. It returns nil for nil.
func Exit(err error) error {
	var e *Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &e) && e.Code == Interrupted:
		return e
	case errors.Is(err, context.Canceled):
		return &Error{Code: Interrupted, Err: errors.New("interrupted; nothing was left half-written")}
	case errors.As(err, &e) && e.Next == "" && ofHost(err) != "":
		return &Error{Code: e.Code, Err: err, Next: ofHost(err)}
	case errors.As(err, &e):
		if e.Error() == err.Error() {
			return e
		}
		return &Error{Code: e.Code, Err: err}
	default:
		return &Error{Code: Failed, Err: err, Next: ofHost(err)}
	}
}

const (
	nextDisk  = "free space there; `mage clean -show` lists what builds keep, `mage vars` how to name another cache folder"
	nextOwner = "see who owns it (`ls -ld`): a run as root, with sudo perhaps, leaves files of root; builds need no root"
)

// ofHost is the next step for what any step of a build can meet on this host.
func ofHost(err error) string {
	switch {
	case errors.Is(err, syscall.ENOSPC):
		return nextDisk
	case errors.Is(err, fs.ErrPermission):
		return nextOwner
	}
	return ""
}
