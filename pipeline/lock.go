package pipeline

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/tcapflow/tcapflow/pipeline/internal/artifact"
	"github.com/tcapflow/tcapflow/pipeline/internal/debian"
	"github.com/tcapflow/tcapflow/pipeline/internal/fault"
	"github.com/tcapflow/tcapflow/pipeline/internal/progress"
)

// LockImages renews the project's lock of Debian's packages from the mirror's signed
// index, and that of Alpine's where a mirror of it answers. It prints what changed.
func (p *Pipeline) LockImages(ctx context.Context) error {
	base := p.project.Debian
	if base.LockFile == "" {
		return fault.New(fault.Usage, "`go get -u` renews the library and its lock; a project has its own "+
			"when spec.Debian names a LockFile, and Lock is embedded from it", "this project takes the library's lock")
	}
	log := progress.New(p.stderr, p.o.Live)
	defer log.Close()
	old, err := debian.ParseLock(base.Lock)
	if err != nil {
		return err
	}
	done := log.Stage("resolve packages of Debian %s", base.Suite)
	lock, err := debianMirror(base, p.o, old, log.Note).Resolve(ctx, base.Suite, p.project.Locked())
	done(err)
	if err != nil {
		return err
	}
	text, err := lock.Bytes()
	if err != nil {
		return err
	}
	changes := lock.Changes(old)
	for _, line := range changes {
		fmt.Fprintln(p.stdout, line)
	}
	fmt.Fprintf(p.stdout, "%d packages changed since the lock of %s\n", len(changes), old.Date.Format(time.DateOnly))
	if err := artifact.WriteFile(p.lockFile(base.LockFile), text); err != nil {
		return err
	}
	return p.lockAlpine(ctx, log)
}

func (p *Pipeline) lockFile(name string) string {
	return filepath.Join(p.o.Root, filepath.FromSlash(name))
}
