package artifact

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const childOut = "TCAPFLOW_TEST_LOCK" // the folder that a child process locks

func TestMain(m *testing.M) {
	if out := os.Getenv(childOut); out != "" {
		hold(out)
		return
	}
	os.Exit(m.Run())
}

// hold is the child: it locks out, says so, and waits for the end of its input.
func hold(out string) {
	unlock, err := Lock(context.Background(), out, func(string) {})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("locked")
	io.Copy(io.Discard, os.Stdin)
	unlock()
}

// holder starts a process that holds the lock of out; release ends it.
func holder(t *testing.T, out string) (pid int, release func()) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childOut+"="+out)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	said, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	if line, err := bufio.NewReader(said).ReadString('\n'); line != "locked\n" {
		t.Fatalf("%q, %v", line, err)
	}
	return cmd.Process.Pid, func() { in.Close() }
}

func TestLockWaits(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	pid, release := holder(t, out)
	calls := 0
	unlock, err := Lock(t.Context(), out, func(holder string) {
		calls++
		if want := fmt.Sprintf("process %d on ", pid); !strings.HasPrefix(holder, want) {
			t.Errorf("holder is %q, want %q", holder, want)
		}
		release()
	})
	if err != nil {
		t.Fatal(err)
	}
	if calls != 1 {
		t.Errorf("waiting was called %d times", calls)
	}
	if text, err := os.ReadFile(filepath.Join(out, ".lock")); err != nil || !strings.HasPrefix(string(text), fmt.Sprintf("process %d on ", os.Getpid())) {
		t.Errorf("the lock names %q, %v", text, err)
	}
	unlock()
	never := func(holder string) { t.Errorf("waits for %s, who is done", holder) }
	unlock, err = Lock(t.Context(), out, never)
	if err != nil {
		t.Fatal(err)
	}
	unlock()
}

func TestLockCancelled(t *testing.T) {
	out := t.TempDir()
	holder(t, out)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	if _, err := Lock(ctx, out, func(string) { cancel() }); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// A process that is killed holds nothing any more.
func TestLockOfTheDead(t *testing.T) {
	out := t.TempDir()
	pid, _ := holder(t, out)
	unlock, err := Lock(t.Context(), out, func(string) {
		if p, err := os.FindProcess(pid); err != nil || p.Kill() != nil {
			t.Error("cannot kill the holder")
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	unlock()
}

// Who waits while the holder removes out/ gets a lock that others see: not that of the file
// which is gone.
func TestRemoveWhileAnotherWaits(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	unlock, err := Lock(t.Context(), out, func(string) { t.Error("waits for nobody") })
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(out, "linux_amd64"), 0o755); err != nil {
		t.Fatal(err)
	}
	second, err := Lock(t.Context(), out, func(string) {
		if err := Remove(out); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(out); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("out/ is there: %v", err)
		}
		unlock()
	})
	if err != nil {
		t.Fatal(err)
	}
	defer second()
	third, err := take(t.Context(), filepath.Join(out, lockName), func(string) { second() })
	if err != nil {
		t.Fatal(err)
	}
	defer third.Unlock()
	if text, err := os.ReadFile(filepath.Join(out, lockName)); err != nil || len(text) == 0 {
		t.Errorf("the lock that is held is not the one that is seen: %q, %v", text, err)
	}
}
