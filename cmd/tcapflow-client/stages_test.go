package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
)

// TestStagesGiveTheSame reads captures by one goroutine and by three.
func TestStagesGiveTheSame(t *testing.T) {
	files := []string{fileDialogues, traffic(t, 20_000)}
	if more, err := filepath.Glob(filepath.Join(captures, "field", "*.pcap*")); err == nil {
		files = append(files, more...)
	}
	read := func(processors int, args ...string) (string, string) {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(processors))
		var stdout, stderr bytes.Buffer
		code := run(append([]string{"read", "-histogram"}, args...), nil, &stdout, &stderr)
		if code != exitOK && code != exitError {
			t.Fatalf("exit code %d: %s", code, &stderr)
		}
		return stdout.String(), stderr.String()
	}
	for _, args := range append([][]string{files}, each(files)...) {
		lines, said := read(1, args...)
		staged, saidStaged := read(2, args...)
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
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2))
	name := traffic(t, 50_000)
	before := runtime.NumGoroutine()
	var stderr bytes.Buffer
	if code := run([]string{"read", name}, os.Stdin, &broken{room: 1 << 20}, &stderr); code != exitError {
		t.Errorf("exit code %d: %s", code, &stderr)
	}
	if !bytes.Contains(stderr.Bytes(), []byte(errors.Unwrap(&os.PathError{Err: syscall.ENOSPC}).Error())) {
		t.Errorf("said %s", &stderr)
	}
	for range 1000 {
		if runtime.NumGoroutine() <= before {
			return
		}
		runtime.Gosched()
	}
	t.Errorf("%d goroutines, %d before", runtime.NumGoroutine(), before)
}
