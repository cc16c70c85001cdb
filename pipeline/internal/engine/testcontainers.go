package engine

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"
	tclog "github.com/testcontainers/testcontainers-go/log"

	"github.com/tcapflow/tcapflow/pipeline/internal/fault"
)

// Testcontainers has settings of its own, in the environment and in a file of the user's
// home. They would turn a local image into one of a registry (hub.image.name.prefix), go
// before DOCKER_HOST (tc.host), or end the program (session.id). It reads them once per
// process, so it reads them here, before anything else runs, and sees ours alone.
func init() {
	restore := hide("TESTCONTAINERS_", "RYUK_", "HOME=", "USERPROFILE=")
	os.Setenv("TESTCONTAINERS_PROVIDER", providerName)
	// The reaper is an image of its own, which cannot be pulled everywhere; Sweep does its work.
	os.Setenv("TESTCONTAINERS_RYUK_DISABLED", "true")
	testcontainers.ReadConfig()
	os.Unsetenv("TESTCONTAINERS_PROVIDER")
	os.Unsetenv("TESTCONTAINERS_RYUK_DISABLED")
	restore()
	tclog.SetDefault(silent{})
	err := testcontainers.RegisterProvider(providerName, func() testcontainers.RuntimeProvider { return ours{} })
	if err != nil {
		panic(err) // the name is free: nothing else of this program registers one
	}
}

// hide takes variables whose "NAME=value" begins so out of the environment.
func hide(prefixes ...string) (restore func()) {
	var hidden [][2]string
	for _, v := range os.Environ() {
		for _, p := range prefixes {
			if name, value, _ := strings.Cut(v, "="); strings.HasPrefix(v, p) {
				hidden = append(hidden, [2]string{name, value})
				os.Unsetenv(name)
			}
		}
	}
	return func() {
		for _, v := range hidden {
			os.Setenv(v[0], v[1])
		}
	}
}

const providerName = "ours"

// ours tells testcontainers where its engine is: at a socket that leads to ours.
type ours struct{}

func (ours) Initialize(context.Context) (testcontainers.RuntimeConfig, error) {
	return testcontainers.RuntimeConfig{
		DockerHost:       "unix://" + passage.socket(),
		DockerSocketPath: passage.socket(),
		PublishedHost:    "localhost",
	}, nil
}

// passage is a folder for that socket. One name serves the process: testcontainers asks
// for it once.
var passage folder

type folder struct {
	sync.Mutex
	dir string
}

func (f *folder) socket() string { return filepath.Join(f.dir, "engine.sock") }

// open makes the folder, for this user alone: nobody else may use the engine through it.
func (f *folder) open() (err error) {
	if f.dir == "" {
		f.dir, err = os.MkdirTemp("", "engine-")
	} else {
		err = os.Mkdir(f.dir, 0o700)
	}
	if err != nil {
		return fault.New(fault.Usage, "name a folder for temporary files with TMPDIR", "%w", err)
	}
	return nil
}

// providerFor is testcontainers' provider for the engine of c. It takes a client of ours
// (SetClient), with TLS or ssh, but not before it has asked an engine for its
// information over a plain connection of its own: so for that time there is a socket
// that leads to c. network is the engine's default network; where testcontainers does
// not find it, it makes one.
func providerFor(ctx context.Context, c *client.Client, network string) (*testcontainers.DockerProvider, error) {
	passage.Lock()
	defer passage.Unlock()
	if err := passage.open(); err != nil {
		return nil, err
	}
	defer os.RemoveAll(passage.dir)
	listener, err := net.Listen("unix", passage.socket())
	if err != nil {
		return nil, err
	}
	defer listener.Close()
	go serve(listener, func() (net.Conn, error) { return c.Dialer()(context.WithoutCancel(ctx)) })
	p, err := newProvider(ctx, network)
	if err != nil {
		return nil, err
	}
	p.SetClient(c)
	return p, nil
}

// newProvider bounds what testcontainers does with a context of its own.
func newProvider(ctx context.Context, network string) (*testcontainers.DockerProvider, error) {
	type answer struct {
		provider *testcontainers.DockerProvider
		err      error
	}
	answers := make(chan answer, 1)
	go func() {
		p, err := testcontainers.NewDockerProvider(testcontainers.WithLogger(silent{}),
			testcontainers.WithDefaultBridgeNetwork(network))
		if err != nil {
			err = fmt.Errorf("testcontainers: %w", err)
		}
		answers <- answer{p, err}
	}()
	ctx, cancel := context.WithTimeoutCause(ctx, answerWithin, errNoAnswer)
	defer cancel()
	select {
	case a := <-answers:
		return a.provider, a.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// serve connects who comes to the listener with what dial gives, until the listener is closed.
func serve(listener net.Listener, dial func() (net.Conn, error)) {
	for {
		near, err := listener.Accept()
		if err != nil {
			return
		}
		go func() {
			defer near.Close()
			far, err := dial()
			if err != nil {
				return
			}
			defer far.Close()
			go io.Copy(far, near)
			io.Copy(near, far)
		}()
	}
}

// silent drops testcontainers' own log lines; ours name stages instead.
type silent struct{}

func (silent) Printf(string, ...any) {}
