// Package serve answers HTTP for those who watch over the program: metrics, whether it is
// alive and ready, and, on a loopback address, what a developer asks of it while it runs.
package serve

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/tcapflow/tcapflow/internal/logs"
)

// Options of Listen.
type Options struct {
	Address     string // "127.0.0.1:9145"; port 0 takes any
	Debug       bool   // serve /debug too; only on a loopback address
	Log         *slog.Logger
	ContentType string
	Metrics     func() []byte // the body of /metrics, in that type
}

// ErrNotLoopback is returned for Debug on an address that others reach: what it serves
// shows the program's memory.
var ErrNotLoopback = errors.New("-debug wants a loopback address, such as 127.0.0.1:9145")

// Server answers until Close.
type Server struct {
	options Options
	address net.Addr
	ready   atomic.Bool
	http    *http.Server
	probes  logs.Sampler
}

// Listen starts to answer. It is not ready until it is told so.
func Listen(o Options) (*Server, error) {
	l, err := net.Listen("tcp", o.Address)
	if err != nil {
		return nil, err
	}
	if ip := l.Addr().(*net.TCPAddr).IP; o.Debug && !ip.IsLoopback() {
		l.Close()
		return nil, fmt.Errorf("%s: %w", o.Address, ErrNotLoopback)
	}
	s := &Server{options: o, address: l.Addr(), probes: logs.Sampler{Every: 1000}}
	s.http = &http.Server{
		Handler:           s.logged(s.routes()),
		ReadHeaderTimeout: 5 * time.Second,
		WriteTimeout:      2 * time.Minute, // a CPU profile takes up to 100 s
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    1 << 13,
		ErrorLog:          slog.NewLogLogger(o.Log.Handler(), slog.LevelWarn),
	}
	go s.http.Serve(l)
	return s, nil
}

// Address is where it listens.
func (s *Server) Address() string { return s.address.String() }

// Ready says what /readyz answers.
func (s *Server) Ready(yes bool) { s.ready.Store(yes) }

// Close lets requests that are being answered end, for a second.
func (s *Server) Close() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if s.http.Shutdown(ctx) != nil {
		s.http.Close()
	}
}

func (s *Server) routes() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", s.options.ContentType)
		w.Write(s.options.Metrics()) // a reader that went away is no concern of ours
	})
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "ok\n") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if !s.ready.Load() {
			http.Error(w, "not ready", http.StatusServiceUnavailable)
			return
		}
		io.WriteString(w, "ready\n")
	})
	if s.options.Debug {
		mux.Handle("/debug/", local(debugRoutes()))
	}
	return mux
}

func debugRoutes() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /debug/buildinfo", buildInfo)
	mux.HandleFunc("GET /debug/pprof/{$}", profiles)
	mux.HandleFunc("GET /debug/pprof/profile", cpuProfile)
	mux.HandleFunc("GET /debug/pprof/{name}", profile)
	return mux
}

// Profiles come from runtime/pprof, in the paths of net/http/pprof, so that
// `go tool pprof http://…/debug/pprof/heap` finds them. That package itself reads profiles
// to make differences of them, and takes half a megabyte.

// profiles lists what there is.
func profiles(w http.ResponseWriter, _ *http.Request) {
	io.WriteString(w, "profile?seconds=30\n")
	for _, p := range pprof.Profiles() {
		fmt.Fprintf(w, "%s %d\n", p.Name(), p.Count())
	}
}

// profile writes one of them, as text with debug=1.
func profile(w http.ResponseWriter, r *http.Request) {
	p := pprof.Lookup(r.PathValue("name"))
	if p == nil {
		http.NotFound(w, r)
		return
	}
	debug, _ := strconv.Atoi(r.FormValue("debug")) // 0 where it is no number
	if r.FormValue("gc") != "" {
		runtime.GC()
	}
	p.WriteTo(w, debug)
}

// cpuProfile says where time is spent in the seconds to come, 30 without a number.
func cpuProfile(w http.ResponseWriter, r *http.Request) {
	seconds, err := strconv.Atoi(r.FormValue("seconds"))
	if err != nil || seconds < 1 || seconds > 100 {
		seconds = 30
	}
	if err := pprof.StartCPUProfile(w); err != nil { // there is one already
		http.Error(w, err.Error(), http.StatusConflict)
		return
	}
	defer pprof.StopCPUProfile()
	select {
	case <-time.After(time.Duration(seconds) * time.Second):
	case <-r.Context().Done():
	}
}

// buildInfo is what `go version -m` shows of the file.
func buildInfo(w http.ResponseWriter, _ *http.Request) {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		http.Error(w, "built without modules", http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	io.WriteString(w, info.String())
}

// local refuses requests that name another host: a page in a browser of this machine can
// have a name of its own lead to a loopback address (DNS rebinding).
func local(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.Host)
		if err != nil {
			host = r.Host
		}
		if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
			http.Error(w, "only by a loopback address", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// status notes what was answered.
type status struct {
	http.ResponseWriter
	code int
}

func (s *status) WriteHeader(code int) {
	s.code = code
	s.ResponseWriter.WriteHeader(code)
}

// Unwrap is for http.ResponseController.
func (s *status) Unwrap() http.ResponseWriter { return s.ResponseWriter }

// logged writes a line for each request; of those that come all the time, one in a
// thousand of the same answer.
func (s *Server) logged(next *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := logs.WithTrace(r.Context(), r.Header.Get("traceparent"))
		answer := &status{w, http.StatusOK}
		next.ServeHTTP(answer, r)
		attrs := []any{"status", answer.code, "remote", r.RemoteAddr}
		switch _, pattern := next.Handler(r); pattern {
		case "GET /healthz", "GET /readyz", "GET /metrics":
			n, ok := s.probes.Take(fmt.Sprint(pattern, answer.code))
			if !ok {
				return
			}
			attrs = append(attrs, "requests", n)
		}
		s.options.Log.InfoContext(ctx, fmt.Sprintf("%s %q", r.Method, r.URL.Path), attrs...)
	})
}
