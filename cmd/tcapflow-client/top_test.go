package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestTopOfFile(t *testing.T) {
	t.Setenv("NO_COLOR", "1")
	var stdout, stderr bytes.Buffer
	if code := run([]string{"top", fileDialogues}, nil, &stdout, &stderr); code != exitOK {
		t.Fatalf("exit code %d\n%s", code, &stderr)
	}
	frame := stdout.String()
	for _, want := range []string{
		"tcapflow-client top  " + fileDialogues, "\nupdateLocation ", "\nPEER, WORST FIRST ", "\n2002 ",
	} {
		if !strings.Contains(frame, want) {
			t.Errorf("no %q in\n%s", want, frame)
		}
	}
	if strings.Contains(frame, "\x1b") {
		t.Errorf("escape sequences in a file: %q", frame)
	}
}

func TestTopFilters(t *testing.T) {
	var stdout, stderr bytes.Buffer
	run([]string{"top", "-operation", "processUnstructuredSS-Request", fileDialogues}, nil, &stdout, &stderr)
	out := stdout.String()
	if !strings.Contains(out, "\nprocessUnstructuredSS-Request ") || strings.Contains(out, "updateLocation") {
		t.Errorf("got\n%s", out)
	}
}

func TestTopMisuse(t *testing.T) {
	for _, args := range [][]string{
		{}, {"-i", "lo", "x.pcap"}, {"-i", "lo", "-follow"}, {"-follow", "a", "b"}, {"-follow", "-"},
		{"-interval", "1ms", "x"}, {"-window", "1s", "x"}, {"-snaplen", "0", "x"},
	} {
		var stderr bytes.Buffer
		if code := run(append([]string{"top"}, args...), nil, &bytes.Buffer{}, &stderr); code != exitUsage {
			t.Errorf("%q: exit code %d: %s", args, code, &stderr)
		}
	}
	var stderr bytes.Buffer
	code := run([]string{"top", "/does/not/exist"}, nil, &bytes.Buffer{}, &stderr)
	if code != exitError || !strings.Contains(stderr.String(), "/does/not/exist: no such file") {
		t.Errorf("exit code %d: %s", code, &stderr)
	}
}

// TestTopInTerminal runs "top" in tmux, which is a terminal and tells what it shows.
func TestTopInTerminal(t *testing.T) {
	if _, err := exec.LookPath("tmux"); err != nil {
		t.Skipf("no terminal to run it in: %v", err)
	}
	for _, end := range []struct{ name, key, signal string }{
		{"q", "q", ""}, {"Ctrl-C", "C-c", ""}, {"SIGTERM", "", "TERM"},
	} {
		t.Run(end.name, func(t *testing.T) {
			m := startTerminal(t)
			m.await("tcapflow-client top", "\nupdateLocation ", "\nPEER, WORST FIRST")
			if strings.Contains(m.screen(), "before") {
				t.Error("it is not on a screen of its own")
			}
			m.do("resize-window", "-t", "top", "-x", "60", "-y", "24")
			m.await("tcapflow-client top", "\nPEER, WORS~") // a name that has no room for all
			if end.key != "" {
				m.do("send-keys", "-t", "top", end.key)
			} else {
				m.do("send-keys", "-t", "top", "-l", "x") // any other key does nothing
				m.kill(end.signal)
			}
			// The user's screen is as it was, with the last frame, and echoes what is typed.
			m.await("before", "tcapflow-client top", "\ncode 0", "isig icanon echo")
		})
	}
}

// terminal is a tmux server of its own.
type terminal struct {
	*testing.T
	socket string
}

// startTerminal runs top in a shell, and tells its exit code and the terminal's settings
// afterwards.
func startTerminal(t *testing.T) *terminal {
	t.Helper()
	dir := t.TempDir()
	program := filepath.Join(dir, "tcapflow-client") // testscript.Main goes by the name
	if err := os.Symlink(mustExecutable(t), program); err != nil {
		t.Fatal(err)
	}
	script := fmt.Sprintf("echo before; %s top -window 1h -follow %s; echo code $?; "+
		"stty -a | grep -o 'isig icanon\\|echo ' | tr '\\n' ' '; exec cat", program, mustAbs(t, fileDialogues))
	m := &terminal{t, filepath.Join(dir, "tmux")}
	t.Cleanup(func() { exec.Command("tmux", "-S", m.socket, "kill-server").Run() })
	m.do("-f", "/dev/null", "new-session", "-d", "-s", "top", "-x", "110", "-y", "30", "sh", "-c", script)
	return m
}

func mustExecutable(t *testing.T) string {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func (m *terminal) do(args ...string) string {
	m.Helper()
	out, err := exec.Command("tmux", append([]string{"-S", m.socket}, args...)...).CombinedOutput()
	if err != nil {
		m.Fatalf("tmux %q: %v: %s", args, err, out)
	}
	return string(out)
}

// kill sends the program a signal: it is the shell's only child.
func (m *terminal) kill(signal string) {
	m.Helper()
	if _, err := exec.LookPath("pkill"); err != nil {
		m.Skipf("nothing to send a signal with: %v", err)
	}
	shell := strings.TrimSpace(m.do("display", "-p", "-t", "top", "#{pane_pid}"))
	if out, err := exec.Command("pkill", "-"+signal, "-P", shell).CombinedOutput(); err != nil {
		m.Fatalf("pkill: %v: %s", err, out)
	}
}

func (m *terminal) screen() string { return m.do("capture-pane", "-p", "-t", "top") }

// await looks at the screen until it has all of these.
func (m *terminal) await(want ...string) {
	m.Helper()
	var screen string
	for begun := time.Now(); time.Since(begun) < 20*time.Second; {
		screen = m.screen()
		missing := false
		for _, w := range want {
			missing = missing || !strings.Contains(screen, w)
		}
		if !missing {
			return
		}
	}
	m.Fatalf("no %q in\n%s", want, screen)
}
