package fault

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"testing"
)

func TestError(t *testing.T) {
	cause := os.ErrNotExist
	err := New(Engine, "start Docker", "no engine: %w", cause)
	err.Log = "line 1\nline 2\n\n"
	const want = "no engine: file does not exist\n  next: start Docker\nline 1\nline 2"
	if err.Error() != want {
		t.Errorf("got %q, want %q", err.Error(), want)
	}
	if !errors.Is(err, cause) || err.ExitStatus() != 3 {
		t.Errorf("cause lost, or status %d", err.ExitStatus())
	}
	// Who wraps an error knows a better next step than who made it.
	outer := New(Engine, "use -base=debian", "base alpine: %w", New(Fetch, "see the proxy", "gone"))
	if got := outer.Error(); got != "base alpine: gone\n  next: use -base=debian" {
		t.Errorf("got %q", got)
	}
	if got := New(Failed, "", "plain").Error(); got != "plain" {
		t.Errorf("got %q", got)
	}
}

// Scripts act on these numbers: they are the contract of the mage targets.
func TestCodes(t *testing.T) {
	for code, want := range map[Code]int{Failed: 1, Usage: 2, Engine: 3, Fetch: 4} {
		if int(code) != want {
			t.Errorf("code %d, want %d", code, want)
		}
	}
}

func TestExit(t *testing.T) {
	fetch := New(Fetch, "", "gone")
	for name, c := range map[string]struct {
		err    error
		status int
		says   string
	}{
		"plain":             {errors.New("x"), 1, "x"},
		"with a code":       {fetch, 4, "gone"},
		"wrapped":           {fmt.Errorf("libpcap: %w", fetch), 4, "libpcap: gone"},
		"joined":            {errors.Join(errors.New("first"), fetch), 4, "first\ngone"},
		"disk full":         {fmt.Errorf("out/x: %w", syscall.ENOSPC), 1, "out/x: no space left on device\n  next: " + nextDisk},
		"disk full, code":   {New(Engine, "", "x: %w", syscall.ENOSPC), 3, "x: no space left on device\n  next: " + nextDisk},
		"disk full, known":  {New(Engine, "free it", "x: %w", syscall.ENOSPC), 3, "x: no space left on device\n  next: free it"},
		"cancelled":         {fmt.Errorf("build: %w", context.Canceled), 130, "interrupted; nothing was left half-written"},
		"cancelled in code": {New(Engine, "", "exec: %w", context.Canceled), 130, "interrupted; nothing was left half-written"},
		"cancelled while something was sent": {
			fmt.Errorf("release: %w", New(Interrupted, "look there", "a part is there: %w", context.Canceled)),
			130, "a part is there: context canceled\n  next: look there",
		},
		"deadline": {context.DeadlineExceeded, 1, "context deadline exceeded"},
	} {
		t.Run(name, func(t *testing.T) {
			err := Exit(c.err)
			var status interface{ ExitStatus() int } // what mage looks for
			if !errors.As(err, &status) || status.ExitStatus() != c.status || err.Error() != c.says {
				t.Errorf("got %q", err)
			} else if _, ok := err.(interface{ ExitStatus() int }); !ok {
				t.Error("mage looks at the outermost error alone")
			}
		})
	}
	if err := Exit(nil); err != nil {
		t.Errorf("nil: %v", err)
	}
	if Exit(fetch) != error(fetch) {
		t.Error("an error that has a code is wrapped again")
	}
}

func TestTail(t *testing.T) {
	for _, test := range []struct{ log, want string }{
		{"", ""}, {"\n", ""}, {"a", "a"}, {"a\nb\n", "a\nb"}, {"a\n b\nc\n\n", " b\nc"}, {"a\nb\nc\r\n", "b\nc"},
	} {
		if got := Tail(test.log, 2); got != test.want {
			t.Errorf("%q: got %q, want %q", test.log, got, test.want)
		}
	}
}
