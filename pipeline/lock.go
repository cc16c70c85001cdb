package pipeline

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/tcapflow/tcapflow/pipeline/internal/debian"
	"github.com/tcapflow/tcapflow/pipeline/internal/fault"
	"github.com/tcapflow/tcapflow/pipeline/internal/files"
	"github.com/tcapflow/tcapflow/pipeline/internal/progress"
)

// LockImages renews the project's lock of Debian's packages from the mirror's signed
// index, and that of Alpine's where a mirror of it answers. It prints what changed.
// Where the project asks for other packages than those that are locked, only the sets that
// differ are resolved, and what they had keeps its version; with all, everything is renewed.
func (p *Pipeline) LockImages(ctx context.Context, all bool) error {
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
	lock, err := p.relock(ctx, log, old, all)
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
	day := old.Date.Format(time.DateOnly)
	fmt.Fprintf(p.stdout, "%d packages changed since the lock of %s\n", len(changes), day)
	if err := files.Write(p.lockFile(base.LockFile), text); err != nil {
		return err
	}
	return p.lockAlpine(ctx, log)
}

// relock resolves the sets that differ from what is locked, or all of them.
func (p *Pipeline) relock(
	ctx context.Context, log *progress.Log, old debian.Lock, all bool,
) (debian.Lock, error) {
	base, sets := p.project.Debian, p.project.Locked()
	older := old.Older(sets)
	origins := old.Origins()
	if all || len(older) == 0 {
		older, all = sets, true
		origins = debian.Origins(base.Suite)
	}
	done := log.Stage("resolve %d of %d package sets of Debian %s", len(older), len(sets), base.Suite)
	lock, err := debianMirror(base, p.o, old, log.Note).Resolve(ctx, origins, len(old.Updates) == 0, older)
	done(err)
	if err != nil || all {
		return lock.Only(sets), err
	}
	return old.With(lock.Keeping(old)).Only(sets), nil
}

func (p *Pipeline) lockFile(name string) string {
	return filepath.Join(p.o.Root, filepath.FromSlash(name))
}
