package logs

import (
	"context"
	"strings"
	"sync"
)

// Trace says where in a distributed trace something happened: lower-case hexadecimal, as
// W3C Trace Context and OpenTelemetry write it.
type Trace struct {
	ID   string // 32 digits
	Span string // 16 digits; of the caller
}

type traceKey struct{}

// WithTrace gives a context the trace of a traceparent header, if it is a valid one:
// version, trace ID, parent ID and flags, W3C Trace Context §3.2.2. All zeros are not an
// ID, version ff is forbidden, and later versions may have more fields.
func WithTrace(ctx context.Context, header string) context.Context {
	parts := strings.Split(header, "-")
	if len(parts) < 4 || parts[0] == "ff" || parts[0] == "00" && len(parts) > 4 {
		return ctx
	}
	for i, digits := range []int{2, 32, 16, 2} {
		if len(parts[i]) != digits || strings.Trim(parts[i], "0123456789abcdef") != "" {
			return ctx
		}
	}
	t := Trace{parts[1], parts[2]}
	if strings.Trim(t.ID, "0") == "" || strings.Trim(t.Span, "0") == "" {
		return ctx
	}
	return context.WithValue(ctx, traceKey{}, t)
}

// Sampler lets one in Every of the same events through: the first, and then each that
// completes another Every. The zero value of counts is ready for use.
type Sampler struct {
	Every  uint64
	mu     sync.Mutex
	counts map[string]uint64
}

// maxKeys bounds what a Sampler counts apart.
const maxKeys = 256

// Take counts an event, and tells whether to log it and how many of its key there were.
func (s *Sampler) Take(key string) (n uint64, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.counts == nil {
		s.counts = make(map[string]uint64)
	}
	if _, known := s.counts[key]; !known && len(s.counts) >= maxKeys {
		key = ""
	}
	s.counts[key]++
	n = s.counts[key]
	return n, n == 1 || n%max(s.Every, 1) == 0
}
