package artifact

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofrs/flock"

	"github.com/tcapflow/tcapflow/pipeline/internal/files"
)

const lockName = ".lock"

// Lock gives this process alone the right to change out/. A second run waits; waiting
// is called once, with who holds the lock.
func Lock(ctx context.Context, out string, waiting func(holder string)) (unlock func(), err error) {
	name := filepath.Join(out, lockName)
	asked := false
	for {
		lock, err := take(ctx, name, func(holder string) {
			if !asked {
				asked = true
				waiting(holder)
			}
		})
		if errors.Is(err, fs.ErrNotExist) && ctx.Err() == nil {
			continue // Remove took the folder away meanwhile
		}
		if err != nil {
			return nil, err
		}
		if !isAt(lock, name) {
			lock.Unlock() // Remove took the file away while we waited: others would lock a new one
			continue
		}
		if err := errors.Join(sign(name), sweep(out)); err != nil {
			lock.Unlock()
			return nil, err
		}
		return func() { lock.Unlock() }, nil
	}
}

// take locks the file of that name, which is made if it is not there.
func take(ctx context.Context, name string, waiting func(holder string)) (*flock.Flock, error) {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return nil, err
	}
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
	return lock, nil
}

// isAt tells whether the locked file is still the one of that name.
func isAt(lock *flock.Flock, name string) bool {
	locked, err := lock.Stat()
	if err != nil {
		return false
	}
	there, err := os.Stat(name)
	return err == nil && os.SameFile(locked, there)
}

// sign says in the lock who holds it.
func sign(name string) error {
	host, _ := os.Hostname()
	note := fmt.Sprintf("process %d on %s, since %s\n", os.Getpid(), host, time.Now().Format(time.TimeOnly))
	return os.WriteFile(name, []byte(note), 0o644)
}

// Remove removes out/. The caller holds its lock, which goes last: whoever waits for it
// takes a new one then, and so does who comes later.
func Remove(out string) error {
	entries, err := os.ReadDir(out)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Name() != lockName {
			err = errors.Join(err, os.RemoveAll(filepath.Join(out, e.Name())))
		}
	}
	if err != nil {
		return err
	}
	// Both may fail: a system may not remove what is open, and another run may have taken
	// its own lock in the folder already.
	_ = os.Remove(filepath.Join(out, lockName))
	_ = os.Remove(out)
	return nil
}

// sweep removes the temporary files of a run that was killed. The caller holds the lock,
// so nobody writes them any more.
func sweep(out string) error {
	for _, pattern := range []string{files.PartPattern, "*/.*-*"} {
		stale, err := files.Glob(out, pattern)
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
