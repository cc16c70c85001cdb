//go:build unix

package interrupt

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"testing"
	"time"
)

const role = "TCAPFLOW_TEST_INTERRUPT" // what a child process plays: "run", or "parent" of a run

func TestMain(m *testing.M) {
	switch os.Getenv(role) {
	case "run":
		run()
	case "parent":
		parent()
	default:
		os.Exit(m.Run())
	}
}

// run says its process ID, then how its context ended.
func run() {
	ctx, stop := Context(context.Background())
	defer stop()
	fmt.Println(os.Getpid())
	select {
	case <-ctx.Done():
		fmt.Println("ended")
	case <-time.After(time.Minute): // nobody is left behind
		fmt.Println("still there")
	}
}

// parent starts a run with its own output, as mage starts its compiled targets, and waits.
func parent() {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), role+"=run")
	cmd.Stdout = os.Stdout
	if err := cmd.Run(); err != nil {
		fmt.Println(err)
	}
}

// start runs the test binary as a child and returns its lines of output and the process
// ID that the run said.
func start(t *testing.T, as string) (cmd *exec.Cmd, lines *bufio.Scanner, pid int) {
	t.Helper()
	cmd = exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), role+"="+as)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	lines = bufio.NewScanner(out)
	lines.Scan()
	if pid, err = strconv.Atoi(lines.Text()); err != nil {
		t.Fatalf("said %q", lines.Text())
	}
	return cmd, lines, pid
}

func TestSignals(t *testing.T) {
	for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		t.Run(signal.String(), func(t *testing.T) {
			cmd, lines, _ := start(t, "run")
			if err := cmd.Process.Signal(signal); err != nil {
				t.Fatal(err)
			}
			if lines.Scan(); lines.Text() != "ended" {
				t.Errorf("said %q", lines.Text())
			}
		})
	}
}

// mage that is killed leaves its program without a signal.
func TestParentIsGone(t *testing.T) {
	cmd, lines, pid := start(t, "parent")
	t.Cleanup(func() { syscall.Kill(pid, syscall.SIGKILL) })
	if pid == cmd.Process.Pid {
		t.Fatal("the run is its own parent")
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if lines.Scan(); lines.Text() != "ended" {
		t.Errorf("said %q", lines.Text())
	}
}

func TestContext(t *testing.T) {
	outer, cancel := context.WithCancel(t.Context())
	ctx, stop := Context(outer)
	defer stop()
	if ctx.Err() != nil {
		t.Fatal("ended from the start")
	}
	cancel()
	<-ctx.Done()
	released, release := Context(t.Context())
	release()
	if !errors.Is(released.Err(), context.Canceled) {
		t.Errorf("released: %v", released.Err())
	}
}
