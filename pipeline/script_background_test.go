//go:build linux

package pipeline_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// background is a command that start began.
type background struct {
	cmd    *exec.Cmd
	ended  chan error
	mu     sync.Mutex
	stderr bytes.Buffer
}

type backgroundKey struct{}

func (b *background) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.stderr.Write(p)
}

func (b *background) text() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.stderr.String()
}

func started(ts *testscript.TestScript, name string) *background {
	b := ts.Value(backgroundKey{}).(map[string]*background)[name]
	if b == nil {
		ts.Fatalf("nothing was started as %q", name)
	}
	return b
}

func start(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, !neg && len(args) >= 2, "start NAME CMD…")
	words := args[1:]
	if words[0] == "mage" {
		words[0] = ts.Getenv("MAGE")
	}
	b := &background{cmd: exec.Command(words[0], words[1:]...), ended: make(chan error, 1)}
	b.cmd.Dir = ts.MkAbs(".")
	b.cmd.Env = environment(ts)
	b.cmd.Stdout, b.cmd.Stderr = b, b
	b.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	ts.Check(b.cmd.Start())
	go func() { b.ended <- b.cmd.Wait() }()
	ts.Value(backgroundKey{}).(map[string]*background)[args[0]] = b
	ts.Defer(func() { syscall.Kill(-b.cmd.Process.Pid, syscall.SIGKILL) })
}

// environment is a script's, which testscript gives by name only.
func environment(ts *testscript.TestScript) []string {
	ts.Check(ts.Exec("env", "-0"))
	return strings.Split(strings.TrimRight(ts.ReadFile("stdout"), "\x00"), "\x00")
}

const patience = 2 * time.Minute // a busy machine's build takes half a minute

func await(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, !neg && len(args) == 2, "await NAME REGEXP")
	b, re := started(ts, args[0]), regexp.MustCompile(args[1])
	for end := time.Now().Add(patience); !re.MatchString(b.text()); time.Sleep(20 * time.Millisecond) {
		select {
		case err := <-b.ended:
			b.ended <- err
			ts.Fatalf("%s ended (%v) before %q:\n%s", args[0], err, args[1], b.text())
		default:
		}
		if time.Now().After(end) {
			ts.Fatalf("no %q after %s:\n%s", args[1], patience, b.text())
		}
	}
}

var signals = map[string]syscall.Signal{"INT": syscall.SIGINT, "TERM": syscall.SIGTERM, "HUP": syscall.SIGHUP, "KILL": syscall.SIGKILL}

func sendSignal(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, !neg && (len(args) == 2 || len(args) == 3 && args[2] == "group"), "signal NAME INT|TERM|HUP|KILL [group]")
	pid := started(ts, args[0]).cmd.Process.Pid
	if len(args) == 3 {
		pid = -pid
	}
	ts.Check(syscall.Kill(pid, signals[args[1]]))
}

// finish waits for the end of a command, which must come within 30 seconds.
func finish(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, !neg && len(args) == 2, "finish NAME CODE")
	b, begin := started(ts, args[0]), time.Now()
	select {
	case err := <-b.ended:
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) {
			ts.Fatalf("%s: %v", args[0], err)
		}
		code := b.cmd.ProcessState.ExitCode()
		ts.Logf("%s ended after %.1fs:\n%s", args[0], time.Since(begin).Seconds(), b.text())
		if got := strconv.Itoa(code); got != args[1] {
			ts.Fatalf("%s: exit code %s, want %s", args[0], got, args[1])
		}
		if code >= 0 {
			promise(ts, code, b.text())
		}
		ts.Check(os.WriteFile(ts.MkAbs("../"+args[0]+".log"), []byte(b.text()), 0o644))
	case <-time.After(30 * time.Second):
		ts.Fatalf("%s has not ended after 30 s:\n%s", args[0], b.text())
	}
}
