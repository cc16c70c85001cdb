//go:build linux

package main

import (
	"io"
	"os/exec"
	"strings"
	"testing"
)

// The oracle is a program that ld.so has protected: cat of the host.
func TestCheckRelro(t *testing.T) {
	cat, err := exec.LookPath("cat")
	if err != nil {
		t.Skip("no cat on this host")
	}
	if err := checkRelro(cat, input(), []string{cat}); err != nil {
		if strings.Contains(err.Error(), "is not mapped") {
			t.Skipf("cat is part of another program here: %v", err) // busybox, coreutils --single-binary
		}
		t.Error(err)
	}
}

func TestCheckRelroFails(t *testing.T) {
	program, err := exec.LookPath("true")
	if err != nil {
		t.Skip("no true on this host")
	}
	for _, test := range []struct {
		program, command, fails string
	}{
		{program, program, "did not read its input"},
		{program, "/none/program", "no such file"},
		{"/none/program", program, "no such file"},
		{"relro_test.go", program, "bad magic number"},
	} {
		err := checkRelro(test.program, input(), []string{test.command})
		if err == nil || !strings.Contains(err.Error(), test.fails) {
			t.Errorf("%s by %q: %v, want an error with %q", test.program, test.command, err, test.fails)
		}
	}
}

// input is longer than what a pipe holds.
func input() io.Reader { return strings.NewReader(strings.Repeat("x", 256<<10)) }
