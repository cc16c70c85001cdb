package main

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestServeMetrics reads a capture from a pipe and, before its end, the metrics.
func TestServeMetrics(t *testing.T) {
	content, err := os.ReadFile(fileDialogues)
	if err != nil {
		t.Fatal(err)
	}
	in, feed, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	said, stderr := io.Pipe()
	var stdout bytes.Buffer
	code := make(chan int, 1)
	go func() {
		code <- run([]string{"read", "-metrics", "127.0.0.1:0", "-"}, in, &stdout, stderr)
		stderr.Close()
	}()
	lines := bufio.NewScanner(said)
	lines.Scan()
	url := regexp.MustCompile(`^metrics on (http://127.0.0.1:[0-9]+/)metrics$`).FindStringSubmatch(lines.Text())
	if url == nil {
		t.Fatalf("first line %q", lines.Text())
	}
	rest := make(chan string, 1)
	go func() { // requests are logged, and a pipe does not buffer
		var b strings.Builder
		for lines.Scan() {
			b.WriteString(lines.Text() + "\n")
		}
		rest <- b.String()
	}()
	feed.Write(content)
	for !strings.Contains(get(t, url[1]+"metrics"), "\ntcapflow_packets_total 16\n") {
	}
	text := get(t, url[1]+"metrics")
	for _, want := range []string{"tcapflow_dialogues_open 1\n", "tcapflow_tcap_begin_total 7\n",
		`tcapflow_latency_seconds_count{operation="updateLocation",result="ok",peer="2002"} 1` + "\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
	if got := get(t, url[1]+"healthz"); got != "ok\n" {
		t.Errorf("healthz says %q", got)
	}
	if got := get(t, url[1]+"readyz"); got != "ready\n" {
		t.Errorf("readyz says %q", got)
	}
	feed.Close()
	if said := <-rest; strings.Count(said, "/metrics") != 1 {
		t.Errorf("the requests are logged so: %s", said)
	}
	if c := <-code; c != exitOK {
		t.Errorf("exit code %d", c)
	}
	if _, err := http.Get(url[1] + "healthz"); err == nil {
		t.Error("it still answers")
	}
}

func get(t *testing.T, url string) string {
	t.Helper()
	r, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil || r.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s, %v", url, r.Status, err)
	}
	return string(b)
}
