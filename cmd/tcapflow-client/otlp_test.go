//go:build otlp

package main

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
)

// TestOTLP reads a capture, and has its metrics arrive at a collector.
func TestOTLP(t *testing.T) {
	bodies := make(chan []byte, 10)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		bodies <- b
	}))
	defer server.Close()
	var stdout, stderr bytes.Buffer
	if code := run([]string{"read", "-otlp", server.URL, "-instance", "pod-7", fileDialogues}, os.Stdin, &stdout, &stderr); code != exitOK {
		t.Fatalf("exit code %d: %s", code, &stderr)
	}
	if body := <-bodies; !bytes.Contains(body, []byte("tcapflow_latency_seconds")) || !bytes.Contains(body, []byte("pod-7")) {
		t.Errorf("%q", body)
	}
}
