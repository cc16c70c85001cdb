package artifact

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofrs/flock"
)

// Lock gives this process alone the right to change out/. A second run waits; waiting
// is called once, with who holds the lock.
func Lock(ctx context.Context, out string, waiting func(holder string)) (unlock func(), err error) {
	if err := os.MkdirAll(out, 0o755); err != nil {
		return nil, err
	}
	name := filepath.Join(out, ".lock")
	lock := flock.New(name)
	got, err := lock.TryLock()
	if err == nil && !got {
		holder, _ := os.ReadFile(name)
		waiting(strings.TrimSpace(string(holder)))
		_, err = lock.TryLockContext(ctx, 200*time.Millisecond)
	}
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, err // it has the file's name
	}
	host, _ := os.Hostname()
	note := fmt.Sprintf("process %d on %s, since %s\n", os.Getpid(), host, time.Now().Format(time.TimeOnly))
	if err := os.WriteFile(name, []byte(note), 0o644); err != nil {
		lock.Unlock()
		return nil, err
	}
	if err := sweep(out); err != nil {
		lock.Unlock()
		return nil, err
	}
	return func() { lock.Unlock() }, nil
}

// sweep removes the temporary files of a run that was killed. The caller holds the lock,
// so nobody writes them any more.
func sweep(out string) error {
	for _, pattern := range []string{".part-*", "*/.*-*"} {
		stale, err := filepath.Glob(filepath.Join(escape(out), filepath.FromSlash(pattern)))
		if err != nil {
			return err
		}
		for _, name := range stale {
			if err := os.Remove(name); err != nil {
				return err
			}
		}
	}
	return nil
}

// escape keeps filepath.Glob from reading a folder's name as a pattern.
func escape(folder string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(folder)
}
