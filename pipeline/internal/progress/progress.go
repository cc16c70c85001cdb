// Package progress says on standard error what runs and how long it took: a status
// line that moves on a terminal, plain lines elsewhere.
package progress

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"
)

// Log is safe for use by several goroutines.
type Log struct {
	mu      sync.Mutex
	w       io.Writer
	width   int // of the terminal; 0: no terminal
	running []*stage
	stop    chan struct{}
}

type stage struct {
	name  string
	start time.Time
}

// New writes to w; live asks for a moving status line if w is a terminal.
func New(w io.Writer, live bool) *Log {
	l := &Log{w: w, stop: make(chan struct{})}
	f, ok := w.(*os.File)
	if !ok || !live || !term.IsTerminal(int(f.Fd())) {
		return l
	}
	l.width = 80
	if width, _, err := term.GetSize(int(f.Fd())); err == nil && width > 20 {
		l.width = width
	}
	go l.animate()
	return l
}

func (l *Log) animate() {
	ticker := time.NewTicker(200 * time.Millisecond)
	defer ticker.Stop()
	for {
		select {
		case <-l.stop:
			return
		case <-ticker.C:
			l.mu.Lock()
			l.status()
			l.mu.Unlock()
		}
	}
}

// status redraws the line of what runs now.
func (l *Log) status() {
	if l.width == 0 || len(l.running) == 0 {
		return
	}
	var words []string
	for _, s := range l.running {
		words = append(words, fmt.Sprintf("%s %ds", s.name, int(time.Since(s.start).Seconds())))
	}
	line := "… " + strings.Join(words, ", ")
	if r := []rune(line); len(r) >= l.width {
		line = string(r[:l.width-1])
	}
	fmt.Fprintf(l.w, "\r\x1b[K%s", line)
}

func (l *Log) clear() {
	if l.width > 0 {
		fmt.Fprint(l.w, "\r\x1b[K")
	}
}

// Close ends the status line.
func (l *Log) Close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	close(l.stop)
	l.running = nil
	l.clear()
}

// Stage begins a step; the returned function ends it with a line that has its time.
func (l *Log) Stage(format string, args ...any) (done func(error)) {
	s := &stage{name: fmt.Sprintf(format, args...), start: time.Now()}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.running = append(l.running, s)
	l.status()
	return func(err error) {
		l.mu.Lock()
		defer l.mu.Unlock()
		for i, r := range l.running {
			if r == s {
				l.running = append(l.running[:i], l.running[i+1:]...)
				break
			}
		}
		l.clear()
		defer l.status()
		verdict := ""
		if errors.Is(err, context.Canceled) {
			return // it was stopped for the sake of another that failed
		}
		if err != nil {
			verdict = "  failed"
		}
		fmt.Fprintf(l.w, "%-44s %6.2fs%s\n", s.name, time.Since(s.start).Seconds(), verdict)
	}
}

// Note writes a line of its own.
func (l *Log) Note(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.clear()
	fmt.Fprintf(l.w, format+"\n", args...)
	l.status()
}
