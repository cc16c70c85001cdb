//go:build linux

package main

import (
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
	if err := checkRelro(cat, capture, []string{cat}); err != nil {
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
		program, capture string
		command          []string
		fails            string
	}{
		{program, capture, []string{program}, "did not read its input"},
		{program, capture, []string{"/none/program"}, "no such file"},
		{"/none/program", capture, []string{program}, "no such file"},
		{capture, capture, []string{program}, "bad magic number"},
		{program, "/none/capture", []string{program}, "no such file"},
		{program, program, []string{program}, "no frames"},
	} {
		err := checkRelro(test.program, test.capture, test.command)
		if err == nil || !strings.Contains(err.Error(), test.fails) {
			t.Errorf("%s by %q: %v, want an error with %q", test.program, test.command, err, test.fails)
		}
	}
}
