package engine

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"regexp"
	"strings"

	"github.com/tcapflow/tcapflow/pipeline/internal/fault"
)

// known are failures whose message does not say what to do, by what engines say. The
// texts are recorded in faults_test.go, with where they come from.
var known = []struct {
	said  *regexp.Regexp
	cause string // goes before what the engine said; may be empty
	next  string
}{
	{regexp.MustCompile(`no space left on device`), "",
		"free disk of the engine: `mage clean` drops what builds left there, `docker system df` shows the rest"},
	{regexp.MustCompile(`exec .*: operation not permitted|exec user process caused:? "?operation not permitted`),
		"it cannot start a program under no-new-privileges, as Docker from snap cannot",
		"install Docker or podman from packages of the distribution or of docker.com, not from snap, " +
			"or name another engine with DOCKER_HOST"},
	{regexp.MustCompile(`subordinate IDs|/etc/subuid|enough IDs available in the namespace|` +
		`lchown .*: invalid argument`),
		"it is rootless and has too few user IDs",
		"give its user a range of 65536 in /etc/subuid and /etc/subgid, see subuid(5), " +
			"and restart it (podman: `podman system migrate`)"},
}

// apiVersion is in what Docker and its client say of a version that does not suit them.
var apiVersion = regexp.MustCompile(`client version \S+ is too (new|old)|API version`)

// recognise gives a next step, and adds the cause, to an error that engines are known for.
func recognise(err error) (next string, explained error) {
	text := err.Error()
	if version := os.Getenv("DOCKER_API_VERSION"); version != "" && apiVersion.MatchString(text) {
		return fmt.Sprintf("DOCKER_API_VERSION is %q: unset it, and one that suits both is found", version), err
	}
	for _, k := range known {
		switch {
		case !k.said.MatchString(text):
		case k.cause == "":
			return k.next, err
		default:
			return k.next, fmt.Errorf("%s: %w", k.cause, err)
		}
	}
	return "", err
}

// unreachable explains why there is no engine; said tells who named the one that was tried.
func unreachable(err error, said string) error {
	var explained *fault.Error
	if errors.As(err, &explained) || errors.Is(err, context.Canceled) {
		return err
	}
	next, err := recognise(oneLine(err))
	switch {
	case next != "":
	case errors.Is(err, fs.ErrPermission) || strings.Contains(err.Error(), "permission denied"):
		next = "add yourself to the group that owns the socket (often: docker), " +
			"or use a rootless engine such as podman with DOCKER_HOST"
	case said != "":
		next = said + ": correct it, or unset it to use the local engine"
		if strings.Contains(said, "context") {
			next = said + ": correct it, or choose another one with `docker context use` or DOCKER_HOST"
		}
	default:
		next = "install and start Docker or podman, or point DOCKER_HOST to one (unix:///…, tcp://…, ssh://…)"
	}
	return &fault.Error{Code: fault.Engine, Err: fmt.Errorf("container engine: %w", err), Next: next}
}

// explain gives an error of the engine its exit code and a next step; cancellation
// and what is explained already stay what they are.
func explain(err error) error {
	if err == nil || errors.Is(err, context.Canceled) {
		return err
	}
	var explained *fault.Error
	if errors.As(err, &explained) {
		return err
	}
	var request *url.Error // which names a socket's path in %-escapes, and a call
	if errors.As(err, &request) {
		err = fmt.Errorf("connection lost: %w", request.Err)
	}
	next, err := recognise(oneLine(err))
	if next == "" {
		next = "see that the engine runs (`docker info`), then try again"
	}
	return &fault.Error{Code: fault.Engine, Err: fmt.Errorf("container engine: %w", err), Next: next}
}

// oneLine puts an error of several lines, one for each place that was tried, into one.
func oneLine(err error) error {
	if text := err.Error(); strings.Contains(text, "\n") {
		return folded{err, strings.ReplaceAll(strings.TrimSpace(text), "\n", "; ")}
	}
	return err
}

type folded struct {
	error
	text string
}

func (f folded) Error() string { return f.text }
func (f folded) Unwrap() error { return f.error }
