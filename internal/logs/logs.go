// Package logs writes what the program tells its operator: plain lines for people, JSON
// for what gathers logs. It knows service and instance, the trace that a request belongs
// to, and how to say what repeats only now and then.
package logs

import (
	"context"
	"io"
	"log/slog"
	"strings"
	"sync"
)

// Formats are the names of the formats.
var Formats = []string{"text", "json"}

// Options of New.
type Options struct {
	JSON     bool
	Service  string // the program's name
	Version  string
	Instance string // pod or host
}

// New returns a logger that writes to w. Text is the message, with attributes after it, and
// from warnings on with the name of the service before it: a terminal needs no time and no
// host. JSON has service, version and instance in every line.
func New(w io.Writer, o Options) *slog.Logger {
	if !o.JSON {
		return slog.New(traced{&plain{out: &locked{w: w}, service: o.Service}})
	}
	h := slog.NewJSONHandler(w, nil)
	l := slog.New(traced{h}).With("service", o.Service, "instance", o.Instance)
	if o.Version != "" {
		l = l.With("version", o.Version)
	}
	return l
}

// traced adds the IDs of the trace that a context carries.
type traced struct{ slog.Handler }

func (h traced) Handle(ctx context.Context, r slog.Record) error {
	if t, ok := ctx.Value(traceKey{}).(Trace); ok {
		r.AddAttrs(slog.String("trace_id", t.ID), slog.String("span_id", t.Span))
	}
	return h.Handler.Handle(ctx, r)
}

func (h traced) WithAttrs(a []slog.Attr) slog.Handler { return traced{h.Handler.WithAttrs(a)} }
func (h traced) WithGroup(name string) slog.Handler   { return traced{h.Handler.WithGroup(name)} }

// locked is a writer for several handlers that have it in common.
type locked struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *locked) write(text string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, err := io.WriteString(l.w, text)
	return err
}

// plain is the handler for people.
type plain struct {
	out     *locked
	service string
	attrs   []slog.Attr
}

func (h *plain) Enabled(_ context.Context, l slog.Level) bool { return l >= slog.LevelInfo }

func (h *plain) Handle(_ context.Context, r slog.Record) error {
	var b strings.Builder
	if r.Level >= slog.LevelWarn {
		b.WriteString(h.service + ": ")
	}
	b.WriteString(r.Message)
	add := func(a slog.Attr) bool {
		b.WriteString(" " + a.String())
		return true
	}
	for _, a := range h.attrs {
		add(a)
	}
	r.Attrs(add)
	b.WriteByte('\n')
	return h.out.write(b.String())
}

func (h *plain) WithAttrs(a []slog.Attr) slog.Handler {
	all := append(append([]slog.Attr(nil), h.attrs...), a...)
	return &plain{h.out, h.service, all}
}

// WithGroup changes nothing: a line for people has no levels.
func (h *plain) WithGroup(string) slog.Handler { return h }
