package main

import (
	"bytes"
	"context"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// shared is a buffer that one writes and another reads.
type shared struct {
	lines chan string
	all   bytes.Buffer
}

func (s *shared) Write(b []byte) (int, error) {
	s.lines <- string(b)
	return len(b), nil
}

// until reads output up to a line with this text.
func (s *shared) until(t *testing.T, text string) {
	t.Helper()
	for !strings.Contains(s.all.String(), text) {
		select {
		case part := <-s.lines:
			s.all.WriteString(part)
		case <-time.After(20 * time.Second):
			t.Fatalf("no %q in\n%s", text, &s.all)
		}
	}
}

// TestFollowRotated has a writer that rotates as tcpdump does with -C, -W and -G: files
// with a number, a ring that is written anew, names by time; one is renamed and one is
// opened long before it has packets. Each packet comes once.
func TestFollowRotated(t *testing.T) {
	whole, err := os.ReadFile(fileDialogues)
	if err != nil {
		t.Fatal(err)
	}
	header, records := whole[:24], split(whole[24:])
	dir := t.TempDir()
	out := &shared{lines: make(chan string, 100)}
	w, err := newFollower(dir)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	var options readOptions
	options.flags(flag.NewFlagSet("read", flag.ContinueOnError)) // the defaults
	flow := newFlow(out, options.flowOptions)
	flow.live = true
	flow.out.Places(flow.place)
	var stderr bytes.Buffer
	done := make(chan error, 1)
	go func() {
		a := &app{stdin: os.Stdin, stdout: out, stderr: &stderr}
		_, err := a.follow(ctx, flow, w)
		done <- err
	}()

	put := func(name string, parts ...[]byte) {
		write(t, filepath.Join(dir, name), bytes.Join(append([][]byte{header}, parts...), nil))
	}
	put("trace", records[:3]...)
	out.until(t, `"frame":3,`)
	put("trace1") // no packet yet: the first may go on
	grow(t, filepath.Join(dir, "trace"), records[3:5]...)
	out.until(t, `"frame":5,`)
	put("trace1", records[5:7]...)
	out.until(t, `"frame":7,`)
	put("trace", records[7:9]...) // the ring begins anew
	out.until(t, `"frame":9,`)
	if err := os.Rename(filepath.Join(dir, "trace1"), filepath.Join(dir, "trace1.old")); err != nil {
		t.Fatal(err)
	}
	put("trace-2024-03-01", records[9:14]...)
	out.until(t, `"frame":14,`)
	put(".hidden", records[14:]...)
	put("trace-2024-03-02", records[15], records[14]) // the last one gives no line
	out.until(t, `"frame":16,`)
	stop()
	if err := <-done; err != nil || stderr.Len() > 0 {
		t.Errorf("error %v, %s", err, &stderr)
	}
	if n := flow.decoder.Counters().Packets; n != uint64(len(records)) {
		t.Errorf("%d packets, there are %d", n, len(records))
	}
	places := regexp.MustCompile(`"frame":7,"file":"[^"]*trace1","file_frame":2,`)
	if !places.MatchString(out.all.String()) {
		t.Errorf("no %s in\n%s", places, &out.all)
	}
}

// grow adds to a file.
func grow(t *testing.T, name string, parts ...[]byte) {
	t.Helper()
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Write(bytes.Join(parts, nil)); err != nil {
		t.Fatal(err)
	}
}

// split parts the records of a little-endian pcap file.
func split(b []byte) (records [][]byte) {
	for len(b) > 0 {
		n := 16 + int(b[8]) + int(b[9])<<8
		records = append(records, b[:n])
		b = b[n:]
	}
	return records
}

// TestFollowMoved replaces a file, and cuts it to be written anew.
func TestFollowMoved(t *testing.T) {
	name := filepath.Join(t.TempDir(), "trace")
	write(t, name, []byte("0123456789"))
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w, err := newFollower(name)
	if err != nil {
		t.Fatal(err)
	}
	if w.moved(f, 10) {
		t.Error("it is still there")
	}
	write(t, name, []byte("012"))
	if !w.moved(f, 10) {
		t.Error("it was cut")
	}
	if err := os.Rename(name, name+".old"); err != nil {
		t.Fatal(err)
	}
	if w.moved(f, 3) {
		t.Error("it was renamed, and its writer may go on until there is another")
	}
	write(t, name, nil)
	if !w.moved(f, 3) {
		t.Error("another has its name")
	}
}
