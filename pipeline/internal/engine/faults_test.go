package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"strings"
	"testing"

	"github.com/tcapflow/tcapflow/pipeline/internal/fault"
)

// Each way an engine can fail ends in one line, exit code 3 and a next step that fits.
func TestFaults(t *testing.T) {
	for _, test := range []struct {
		name string
		make func(error) error
		err  error
		line string
		next string
	}{
		{"full disk", explain, errors.New("write /var/lib/x: no space left on device"), "container engine: write /var/lib/x: no space left on device", "`mage clean`"},
		{"lost", explain, fmt.Errorf("error during connect: %w", &url.Error{Op: "Get", URL: "http://%2Frun%2Fengine.sock/v1.41/info", Err: io.EOF}), "container engine: connection lost: EOF", "docker info"},
		{"several lines", explain, errors.Join(errors.New("one"), errors.New("two")), "container engine: one; two", "docker info"},
		{"permission", tried(""), fs.ErrPermission, "container engine: permission denied", "group that owns the socket"},
		{"named", tried(`DOCKER_HOST is "tcp://build:2375"`), errors.New("refused"), "container engine: refused", `DOCKER_HOST is "tcp://build:2375": correct it`},
		{"context", tried(`it is the Docker context "far"`), errors.New("refused"), "container engine: refused", "docker context use"},
		{"none", tried(""), errors.New("refused"), "container engine: refused", "install and start Docker or podman"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var got *fault.Error
			if err := test.make(test.err); !errors.As(err, &got) || got.Code != fault.Engine {
				t.Fatalf("%v: no engine fault", err)
			}
			if got.Err.Error() != test.line || !strings.Contains(got.Next, test.next) {
				t.Errorf("got %q, next %q", got.Err, got.Next)
			}
			if !errors.Is(got, test.err) && test.name != "lost" {
				t.Error("the cause cannot be found with errors.Is")
			}
		})
	}
}

func tried(said string) func(error) error {
	return func(err error) error { return unreachable(err, said) }
}

// What engines were seen to say, and where.
func TestKnownFailures(t *testing.T) {
	for _, test := range []struct{ from, text, cause, next string }{
		{"github.com/alpinelinux/docker-alpine/issues/126: Docker of snap, runc 1.0.0-rc10",
			`standard_init_linux.go:211: exec user process caused "operation not permitted"`, "no-new-privileges", "not from snap"},
		{"github.com/liketrek/TREK/issues/1337, snapd bug 1908448: the log of the container",
			"the container ended with exit status 255: exec /usr/bin/sleep: operation not permitted", "no-new-privileges", "not from snap"},
		{"github.com/containers/podman/issues/12715: podman 3, no subordinate IDs",
			"Error processing tar file(exit status 1): potentially insufficient UIDs or GIDs available in user namespace (requested 0:42 for /etc/shadow): Check /etc/subuid and /etc/subgid: lchown /etc/shadow: invalid argument",
			"too few user IDs", "subuid(5)"},
		{"github.com/moby/moby/issues/43576: rootless Docker 20.10",
			"failed to register layer: ApplyLayer exit status 1 stdout:  stderr: lchown /usr/local/bin/docker-credential-gcr: invalid argument", "too few user IDs", "subuid(5)"},
		{"github.com/saltcorn/saltcorn/issues/3213: rootless Docker since moby pull request 43635",
			`failed to register layer: failed to Lchown "/x" for UID 65532, GID 65532 (try increasing the number of subordinate IDs in /etc/subuid and /etc/subgid): lchown /x: invalid argument`,
			"too few user IDs", "subuid(5)"},
		{"github.com/containers/podman/issues/4921: podman 1.7",
			"there might not be enough IDs available in the namespace (requested 0:42 for /etc/shadow): lchown /etc/shadow: invalid argument", "too few user IDs", "subuid(5)"},
	} {
		var got *fault.Error
		if err := explain(errors.New(test.text)); !errors.As(err, &got) || got.Code != fault.Engine {
			t.Fatalf("%s: no engine fault", test.from)
		}
		if line := got.Err.Error(); !strings.Contains(line, test.cause) || strings.Contains(line, "\n") || !strings.Contains(got.Next, test.next) {
			t.Errorf("%s: got %q, next %q", test.from, line, got.Next)
		}
	}
}

func TestExplainKeeps(t *testing.T) {
	known := fault.New(fault.Fetch, "", "known")
	for _, err := range []error{nil, context.Canceled, known, fmt.Errorf("wrapped: %w", known)} {
		if got := explain(err); got != err {
			t.Errorf("explain(%v) is %v", err, got)
		}
	}
}
