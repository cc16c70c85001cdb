package engine

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"

	"github.com/docker/cli/cli/connhelper"
)

// overSSH makes an engine at ssh://[user@]host[:port][/socket] one at a local socket,
// for testcontainers knows no other. Each connection is an ssh process that runs
// `docker system dial-stdio` on the other machine, as the docker command does it. For
// any other address it changes nothing. close ends the listening and removes the socket.
func overSSH(ctx context.Context, host string) (local string, close func(), err error) {
	if !strings.HasPrefix(host, "ssh://") {
		return host, func() {}, nil
	}
	helper, err := connhelper.GetConnectionHelper(host)
	if err != nil {
		return "", nil, err
	}
	dir, err := os.MkdirTemp("", "tcapflow-ssh-") // 0700: nobody else may use the engine through it
	if err != nil {
		return "", nil, err
	}
	listener, err := net.Listen("unix", filepath.Join(dir, "engine.sock"))
	if err != nil {
		os.RemoveAll(dir)
		return "", nil, err
	}
	// Connections outlive the search for an engine, whose time is bounded.
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	go func() {
		for {
			near, err := listener.Accept()
			if err != nil {
				return
			}
			go relay(ctx, near, helper.Dialer)
		}
	}()
	return "unix://" + listener.Addr().String(), func() {
		cancel()
		listener.Close()
		os.RemoveAll(dir)
	}, nil
}

// relay copies both ways until the engine has said all it had to.
func relay(ctx context.Context, near net.Conn, dial func(context.Context, string, string) (net.Conn, error)) {
	defer near.Close()
	far, err := dial(ctx, "", "")
	if err != nil {
		answer(near, err)
		return
	}
	defer far.Close()
	go func() {
		io.Copy(far, near)
		closeWrite(far) // the engine may still have something to say
	}()
	if n, err := io.Copy(near, far); n == 0 && err != nil {
		answer(near, err)
	}
}

// answer tells the client what ssh said, in the words of HTTP: it shows them to the user.
func answer(near net.Conn, err error) {
	text := strings.Join(strings.Fields(err.Error()), " ")
	fmt.Fprintf(near, "HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%s", len(text), text)
}

// closeWrite says that no more comes, on connections that can say so.
func closeWrite(c net.Conn) {
	if half, ok := c.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
	}
}
