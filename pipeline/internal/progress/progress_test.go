package progress

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestPlainLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		l := New(&out, true) // a buffer is no terminal
		first := l.Stage("compile %s", "linux/amd64")
		time.Sleep(1500 * time.Millisecond)
		second := l.Stage("fetch")
		l.Note("base %s: %d%%", "debian", 5)
		second(errors.New("no"))
		time.Sleep(12 * time.Second)
		l.Stage("stopped because another failed")(fmt.Errorf("exec: %w", context.Canceled))
		first(nil)
		l.Close()
		const want = "base debian: 5%\n" +
			"fetch                                          0.00s  failed\n" +
			"compile linux/amd64                           13.50s\n"
		if got := out.String(); got != want {
			t.Errorf("got\n%q\nwant\n%q", got, want)
		}
	})
}

// A file is no terminal: no escape sequence must get into a log.
func TestFileIsPlain(t *testing.T) {
	f, err := os.Create(t.TempDir() + "/log")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	l := New(f, true)
	l.Stage("a")(nil)
	l.Close()
	text, err := os.ReadFile(f.Name())
	if err != nil || !regexp.MustCompile(`^a +0\.\d\ds\n$`).Match(text) {
		t.Errorf("%q, %v", text, err)
	}
}

// The status line of a terminal: what runs with its time, no wider than the terminal, gone at the end.
func TestStatusLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		l := &Log{w: &out, width: 30, stop: make(chan struct{})}
		go l.animate()
		done := l.Stage("compile linux/amd64")
		time.Sleep(2100 * time.Millisecond)
		l.Stage("compile linux/arm64 as well")
		l.Note("note")
		done(nil)
		l.Close()
		shown := strings.Split(out.String(), "\r\x1b[K")
		for _, line := range shown {
			if text, isStatus := strings.CutPrefix(line, "… "); isStatus && len([]rune(text))+2 >= l.width {
				t.Errorf("as wide as the terminal: %q", line)
			}
		}
		for _, want := range []string{"… compile linux/amd64 0s", "… compile linux/amd64 2s", "note\n", "compile linux/amd64                            2.10s\n"} {
			found := false
			for _, line := range shown {
				found = found || line == want
			}
			if !found {
				t.Errorf("%q is not shown in %q", want, shown)
			}
		}
		if shown[len(shown)-1] != "" {
			t.Errorf("left on the terminal: %q", shown[len(shown)-1])
		}
	})
}

func TestConcurrentStages(t *testing.T) {
	var out bytes.Buffer
	l := New(&out, false)
	var group sync.WaitGroup
	for range 20 {
		group.Go(func() { l.Stage("stage")(nil); l.Note("note") })
	}
	group.Wait()
	l.Close()
	for line := range strings.Lines(out.String()) {
		if line != "note\n" && !strings.HasPrefix(line, "stage   ") {
			t.Errorf("mixed lines: %q", line)
		}
	}
	if n := strings.Count(out.String(), "\n"); n != 40 {
		t.Errorf("%d lines", n)
	}
}
