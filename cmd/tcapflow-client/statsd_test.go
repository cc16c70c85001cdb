package main

import (
	"bytes"
	"net"
	"os"
	"strings"
	"testing"
	"time"
)

// TestStatsD reads a capture, and has all of it arrive at a StatsD server.
func TestStatsD(t *testing.T) {
	l, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var stdout, stderr bytes.Buffer
	args := []string{"read", "-statsd", l.LocalAddr().String(), "-statsd-prefix", "x.", fileDialogues}
	if code := run(args, os.Stdin, &stdout, &stderr); code != exitOK {
		t.Fatalf("exit code %d: %s", code, &stderr)
	}
	l.SetReadDeadline(time.Now().Add(10 * time.Second))
	b := make([]byte, 1<<16)
	n, _, err := l.ReadFrom(b)
	if err != nil {
		t.Fatal(err)
	}
	got := string(b[:n])
	for _, want := range []string{"x.newState:7|c\n", "x.delState:4|c\n", "x.abort:1|c\n", "x.parseError:2|c\n", "x.latency:31.25|ms"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in %q", want, got)
		}
	}
}
