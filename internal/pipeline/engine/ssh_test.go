package engine

import (
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/moby/moby/client"
)

// When this test binary is started under the name ssh, it is one: it connects standard
// input and output with the engine that SSH_TEST_ENGINE names, as sshd would with
// `docker system dial-stdio`.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) != "ssh" {
		os.Exit(m.Run())
	}
	c, err := net.Dial("unix", os.Getenv("SSH_TEST_ENGINE"))
	if err != nil {
		os.Stderr.WriteString("ssh: connect to host build port 22: Connection refused\n")
		os.Exit(255)
	}
	go func() {
		io.Copy(c, os.Stdin)
		closeWrite(c)
	}()
	io.Copy(os.Stdout, c)
}

// fakeSSH puts this test binary into PATH as ssh.
func fakeSSH(t *testing.T, engine string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.Symlink(self, filepath.Join(dir, "ssh")); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
	t.Setenv("SSH_TEST_ENGINE", engine)
}

func ping(t *testing.T, host string) error {
	t.Helper()
	local, end, err := overSSH(t.Context(), host)
	if err != nil {
		t.Fatal(err)
	}
	defer end()
	c, err := client.New(client.WithHost(local))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_, err = c.Info(t.Context(), client.InfoOptions{})
	return err
}

func TestOverSSH(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "engine.sock")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan string, 8)
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		served <- r.URL.Path
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, `{"OSType":"linux"}`)
	})}
	go server.Serve(listener)
	defer server.Close()
	fakeSSH(t, socket)
	if err := ping(t, "ssh://build@localhost"); err != nil {
		t.Fatal(err)
	}
	if path := <-served; !strings.HasSuffix(path, "/info") && path != "/_ping" {
		t.Errorf("the engine was asked for %s", path)
	}
}

func TestOverSSHFails(t *testing.T) {
	fakeSSH(t, filepath.Join(t.TempDir(), "nothing"))
	if err := ping(t, "ssh://build@localhost"); err == nil || !strings.Contains(err.Error(), "Connection refused") {
		t.Errorf("the error does not say what ssh said: %v", err)
	}
}

func TestOverSSHOthers(t *testing.T) {
	for _, host := range []string{"", "unix:///run/engine.sock", "tcp://build:2375"} {
		if local, end, err := overSSH(t.Context(), host); err != nil || local != host {
			t.Errorf("%q became %q, %v", host, local, err)
		} else {
			end()
		}
	}
	if _, _, err := overSSH(t.Context(), "ssh://build:secret@localhost"); err == nil {
		t.Error("a password in an address was taken") // ssh would not use it, ps would show it
	}
}
