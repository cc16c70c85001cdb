package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/tcapflow/tcapflow/internal/pcap"
)

// follower knows which file "read -follow" reads next: of a directory the one with the
// earliest first packet that is later than that of the last file. It is so that files of
// a ring (tcpdump -W), which are written anew under their old names, are taken as new.
type follower struct {
	name  string // of the file or directory
	dir   bool
	now   string // the file that is read
	taken int64  // time of its first packet
	known map[string]looked
}

// looked is what a file was like when its first packet was looked for.
type looked struct {
	size     int64
	modified time.Time
	first    int64
}

func newFollower(name string) (*follower, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, errors.Unwrap(err))
	}
	return &follower{name: name, dir: info.IsDir(), known: make(map[string]looked)}, nil
}

// moved tells whether the writer has left a file: there is a later one, or one of the
// same name, or this one was cut to be written anew.
func (w *follower) moved(f *os.File, offset int64) bool {
	open, err := f.Stat()
	if err == nil && open.Size() < offset {
		return true
	}
	if w.dir {
		_, _, later := w.later()
		return later
	}
	there, err := os.Stat(w.name)
	return err == nil && !os.SameFile(open, there)
}

// next waits for the file to read next; ok is false if ctx is done before.
func (w *follower) next(ctx context.Context) (name string, ok bool) {
	if !w.dir {
		return w.name, ctx.Err() == nil
	}
	w.now = ""
	for ctx.Err() == nil {
		if name, first, ok := w.later(); ok {
			w.taken, w.now = first, name
			return name, true
		}
		select {
		case <-ctx.Done():
		case <-time.After(200 * time.Millisecond):
		}
	}
	return "", false
}

// later finds the next file of the directory. One without packets is not taken yet: the
// file before may still be written. One that was read and renamed since begins with the
// same packet as before, and so is not later.
func (w *follower) later() (next string, first int64, ok bool) {
	entries, err := os.ReadDir(w.name)
	if err != nil {
		return "", 0, false
	}
	seen := make(map[string]looked, len(entries))
	for _, e := range entries {
		name := filepath.Join(w.name, e.Name())
		info, err := e.Info()
		if err != nil || strings.HasPrefix(e.Name(), ".") || !e.Type().IsRegular() || name == w.now {
			continue
		}
		seen[name] = w.look(name, info)
		if at := seen[name].first; at > w.taken && (!ok || at < first) {
			next, first, ok = name, at, true
		}
	}
	w.known = seen
	return next, first, ok
}

// look reads the time of a file's first packet, if the file has changed.
func (w *follower) look(name string, info os.FileInfo) looked {
	l := looked{size: info.Size(), modified: info.ModTime()}
	if old, ok := w.known[name]; ok && old.size == l.size && old.modified.Equal(l.modified) {
		return old
	}
	l.first = firstTime(name)
	return l
}

// follow reads files as they are written, until a signal comes.
func (a *app) follow(ctx context.Context, flow *flow, w *follower) (failed, err error) {
	for {
		name, ok := w.next(ctx)
		if !ok {
			return failed, nil
		}
		src, err := pcap.Follow(name, w.moved)
		if err == nil {
			err = flow.readSource(ctx, src, name)
		}
		if w.dir && errors.Is(err, pcap.ErrCompressed) {
			err = a.readFile(ctx, flow, name) // nobody writes to it any more
		}
		if o := (writeError{}); errors.As(err, &o) {
			return nil, err
		}
		if err == nil || errors.Is(err, pcap.ErrEmpty) {
			continue
		}
		a.complain(fmt.Errorf("%s: %w", name, err))
		failed = errReported
		if !w.dir && !errors.Is(err, pcap.ErrTruncated) {
			return failed, nil
		}
	}
}
