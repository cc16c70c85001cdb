package engine

import (
	"bytes"
	"strings"
	"testing"
)

// What the main process writes arrives whole, and its exit code after it.
func TestWait(t *testing.T) {
	e, image := realEngine(t)
	var stdout, stderr bytes.Buffer
	script := "yes | head -c 100000; echo err >&2; exit 7"
	c, err := e.Start(t.Context(), Spec{Image: image, Cmd: []string{"sh", "-c", script}, Stdout: &stdout, Stderr: &stderr})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Remove(t.Context())
	code, err := c.Wait(t.Context())
	if err != nil || code != 7 || stdout.Len() != 100_000 || stderr.String() != "err\n" {
		t.Errorf("code %d, error %v, %d bytes and %q; want 7, 100000 bytes and err", code, err, stdout.Len(), &stderr)
	}
}

// A container has no privilege and gets none, unless it is to be as `docker run` makes it.
func TestPrivileges(t *testing.T) {
	e, image := realEngine(t)
	for _, test := range []struct {
		name string
		spec Spec
		want string
	}{
		// capability.h: CAP_NET_RAW is bit 13.
		{"least", Spec{Caps: []string{"NET_RAW"}}, "CapBnd: 0000000000002000 NoNewPrivs: 1"},
		{"none of the usual", Spec{Usual: true, Drop: []string{"ALL"}}, "CapBnd: 0000000000000000 NoNewPrivs: 0"},
		{"usual", Spec{Usual: true, Caps: []string{"NET_ADMIN"}, Drop: []string{"CHOWN"}}, "NoNewPrivs: 0"},
	} {
		var stdout bytes.Buffer
		spec := test.spec
		spec.Image, spec.Stdout = image, &stdout
		spec.Cmd = []string{"grep", "-E", "^(CapBnd|NoNewPrivs):", "/proc/self/status"}
		c, err := e.Start(t.Context(), spec)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Remove(t.Context())
		if code, err := c.Wait(t.Context()); err != nil || code != 0 {
			t.Errorf("%s: exit status %d, %v", test.name, code, err)
		}
		if got := strings.Join(strings.Fields(stdout.String()), " "); !strings.Contains(got, test.want) {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}
