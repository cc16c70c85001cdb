//go:build unix

package main

import (
	"bytes"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestNotify is a service manager: it is told that the program is ready, that it goes on,
// and that it ends, in this order.
func TestNotify(t *testing.T) {
	dir := t.TempDir()
	socket := filepath.Join(dir, "notify")
	l, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Skipf("no datagrams to a unix socket here: %v", err)
	}
	defer l.Close()
	l.SetReadDeadline(time.Now().Add(30 * time.Second))
	t.Setenv("NOTIFY_SOCKET", socket)
	t.Setenv("WATCHDOG_USEC", "20000")
	t.Setenv("WATCHDOG_PID", strconv.Itoa(os.Getpid()))
	content, err := os.ReadFile(fileDialogues)
	if err != nil {
		t.Fatal(err)
	}
	live := filepath.Join(dir, "live.pcap")
	if err := os.WriteFile(live, content, 0o600); err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	code := make(chan int, 1)
	go func() { code <- run([]string{"read", "-follow", live}, os.Stdin, &stdout, &stderr) }()
	said := func() string {
		b := make([]byte, 256)
		n, err := l.Read(b)
		if err != nil {
			t.Fatal(err)
		}
		return string(b[:n])
	}
	if got := said(); got != "READY=1" {
		t.Errorf("first %q", got)
	}
	for range 3 {
		if got := said(); got != "WATCHDOG=1" {
			t.Errorf("then %q", got)
		}
	}
	if err := syscall.Kill(os.Getpid(), syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	last := said()
	for last == "WATCHDOG=1" {
		last = said()
	}
	if last != "STOPPING=1" {
		t.Errorf("last %q", last)
	}
	if c := <-code; c != exitOK || !strings.Contains(stderr.String(), "stopped by SIGTERM") {
		t.Errorf("exit code %d, %s", c, &stderr)
	}
}
