//go:build unix

package release

import (
	"bufio"
	"context"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A command that is stopped takes its children with it, also one that ignores SIGINT, as
// sh has it in the background. It has the lowest priority.
func TestBackground(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	cmd := background(ctx, "sh", "-c", "sleep 1000 & echo $!; nice; wait")
	stdout, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	lines := bufio.NewReader(stdout)
	line, err := lines.ReadString('\n')
	must(t, err)
	child, err := strconv.Atoi(strings.TrimSpace(line))
	must(t, err)
	if line, err := lines.ReadString('\n'); err != nil || line != "19\n" {
		t.Errorf("priority %q, %v; want 19", line, err)
	}
	cancel()
	cmd.Wait()
	for deadline := time.Now().Add(5 * time.Second); syscall.Kill(child, 0) == nil; {
		if time.Now().After(deadline) {
			syscall.Kill(child, syscall.SIGKILL)
			t.Fatal("the child goes on")
		}
		time.Sleep(10 * time.Millisecond)
	}
}
