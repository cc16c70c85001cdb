package main

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestStagesGiveTheSame reads captures in stages and, where others may look on, by one
// goroutine.
func TestStagesGiveTheSame(t *testing.T) {
	files := []string{fileDialogues, traffic(t, 20_000)}
	if more, err := filepath.Glob(filepath.Join(captures, "field", "*.pcap*")); err == nil {
		files = append(files, more...)
	}
	read := func(args ...string) (lines, said string) {
		var stdout, stderr bytes.Buffer
		code := run(append([]string{"read", "-histogram"}, args...), nil, &stdout, &stderr)
		if code != exitOK && code != exitError {
			t.Fatalf("exit code %d: %s", code, &stderr)
		}
		return stdout.String(), stderr.String()
	}
	for _, args := range append([][]string{files}, each(files)...) {
		staged, saidStaged := read(args...)
		lines, said := read(append([]string{"-metrics", "127.0.0.1:0"}, args...)...)
		_, said, _ = strings.Cut(said, "\n") // that metrics are served
		if lines != staged || said != saidStaged {
			t.Errorf("%q: lines or summary differ", args)
		}
	}
}

func each(names []string) (list [][]string) {
	for _, name := range names {
		list = append(list, []string{name})
	}
	return list
}

// broken takes so many octets, and then fails.
type broken struct{ room int }

func (b *broken) Write(p []byte) (int, error) {
	if b.room -= len(p); b.room < 0 {
		return 0, syscall.ENOSPC
	}
	return len(p), nil
}

// An output that fails ends all stages, however much was on its way.
func TestStagesEnd(t *testing.T) {
	name := traffic(t, 50_000)
	var stderr bytes.Buffer
	run([]string{"read", fileDialogues}, os.Stdin, &bytes.Buffer{}, &stderr) // what stays is there then
	before := runtime.NumGoroutine()
	stderr.Reset()
	if code := run([]string{"read", name}, os.Stdin, &broken{room: 1 << 20}, &stderr); code != exitError {
		t.Errorf("exit code %d: %s", code, &stderr)
	}
	if !bytes.Contains(stderr.Bytes(), []byte(syscall.ENOSPC.Error())) {
		t.Errorf("said %s", &stderr)
	}
	for begun := time.Now(); time.Since(begun) < 10*time.Second; {
		if runtime.NumGoroutine() <= before {
			return
		}
		runtime.Gosched()
	}
	t.Errorf("%d goroutines, %d before", runtime.NumGoroutine(), before)
}
