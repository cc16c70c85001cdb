//go:build linux

package pipeline_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"
)

// relay stands between DOCKER_HOST and the engine:
//
//	start    sets DOCKER_HOST to a socket that leads to the engine
//	cut      ends all connections, and takes no new ones: the engine has died
//	freeze   passes nothing on any more, and takes connections: it hangs
//	frozen   a socket with nobody behind it, from the start
//	full     as start, and the engine's disk has no room for another container
func relay(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, !neg && len(args) == 1, "relay start|cut|freeze|frozen|full")
	switch args[0] {
	case "start", "frozen", "full":
		to := ts.Getenv("DOCKER_HOST")
		if to == "" {
			to = "unix:///var/run/docker.sock"
		}
		address, err := url.Parse(to)
		ts.Check(err)
		socket := filepath.Join(ts.Getenv("WORK"), "relay.sock")
		os.Remove(socket) // of an earlier relay
		l, err := net.Listen("unix", socket)
		ts.Check(err)
		r := &engineRelay{listener: l, network: address.Scheme, address: address.Host + address.Path, frozen: args[0] == "frozen"}
		if args[0] == "full" {
			go http.Serve(l, fullDisk(r.network, r.address))
		} else {
			go r.serve()
		}
		relays.Store(ts.Getenv("WORK"), r)
		ts.Defer(r.close)
		ts.Setenv("DOCKER_HOST", "unix://"+socket)
	case "cut", "freeze":
		r, ok := relays.Load(ts.Getenv("WORK"))
		usage(ts, ok, "relay start, first")
		if args[0] == "cut" {
			r.(*engineRelay).close()
		} else {
			r.(*engineRelay).freeze()
		}
	default:
		ts.Fatalf("relay %s: unknown", args[0])
	}
}

// fullDisk passes calls on, and refuses new containers as an engine does whose disk is full.
func fullDisk(network, address string) http.Handler {
	proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: "engine"})
	proxy.Transport = &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, network, address)
	}}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/containers/create") {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusInternalServerError)
			io.WriteString(w, `{"message":"mkdir /var/lib/docker/overlay2/1: no space left on device"}`)
			return
		}
		proxy.ServeHTTP(w, r)
	})
}

var relays sync.Map // *engineRelay by script

type engineRelay struct {
	listener         net.Listener
	network, address string

	mu     sync.Mutex
	frozen bool
	conns  []net.Conn
}

func (r *engineRelay) serve() {
	for {
		from, err := r.listener.Accept()
		if err != nil {
			return
		}
		r.mu.Lock()
		r.conns = append(r.conns, from)
		frozen := r.frozen
		r.mu.Unlock()
		if frozen {
			continue
		}
		to, err := net.Dial(r.network, r.address)
		if err != nil {
			from.Close()
			continue
		}
		r.mu.Lock()
		r.conns = append(r.conns, to)
		r.mu.Unlock()
		go r.pass(from, to)
		go r.pass(to, from)
	}
}

// pass copies until the relay freezes; then it swallows.
func (r *engineRelay) pass(from, to net.Conn) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		r.mu.Lock()
		frozen := r.frozen
		r.mu.Unlock()
		if frozen {
			return
		}
		if n > 0 {
			if _, err := to.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil {
			if half, ok := to.(interface{ CloseWrite() error }); ok {
				half.CloseWrite()
			}
			return
		}
	}
}

func (r *engineRelay) freeze() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.frozen = true
}

func (r *engineRelay) close() {
	r.listener.Close()
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.conns {
		c.Close()
	}
	r.conns = nil
}
