package build

import (
	"bytes"
	"sync"
)

// watcher keeps what is written and closes seen once it holds a text.
type watcher struct {
	text string
	seen chan struct{}

	mu   sync.Mutex
	data []byte
	done bool
}

func newWatcher(text string) *watcher { return &watcher{text: text, seen: make(chan struct{})} }

func (w *watcher) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.data = append(w.data, p...)
	if !w.done && bytes.Contains(w.data, []byte(w.text)) {
		w.done = true
		close(w.seen)
	}
	return len(p), nil
}

func (w *watcher) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return string(w.data)
}
