package pipeline

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/tcapflow/tcapflow/pipeline/internal/debian"
	"github.com/tcapflow/tcapflow/pipeline/internal/fault"
	"github.com/tcapflow/tcapflow/pipeline/internal/files"
	"github.com/tcapflow/tcapflow/pipeline/internal/image"
	"github.com/tcapflow/tcapflow/pipeline/internal/progress"
)

// LockImages renews the project's lock of Debian's packages from the mirror's signed
// index, and the digest of Alpine's image where a registry answers. It prints what changed.
// Where the project asks for other packages than those that are locked, only the sets that
// differ are resolved, and what they had keeps its version; with -all, everything is renewed.
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
	lock, err := p.relock(ctx, log, old)
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
	if err := files.Write(p.lockFile(base.LockFile), text); err != nil {
		return err
	}
	return p.lockAlpine(ctx, log)
}

// relock resolves the sets that differ from what is locked, or all of them.
func (p *Pipeline) relock(ctx context.Context, log *progress.Log, old debian.Lock) (debian.Lock, error) {
	base, sets, all := p.project.Debian, p.project.Locked(), p.o.All
	older := old.Older(sets)
	if all || len(older) == 0 {
		older, all = sets, true
	}
	done := log.Stage("resolve %d of %d package sets of Debian %s", len(older), len(sets), base.Suite)
	lock, err := debianMirror(base, p.o, old, log.Note).Resolve(ctx, base.Suite, older)
	done(err)
	if err != nil || all {
		return lock.Only(sets), err
	}
	return old.With(lock.Keeping(old)).Only(sets), nil
}

func (p *Pipeline) lockFile(name string) string {
	return filepath.Join(p.o.Root, filepath.FromSlash(name))
}

func (p *Pipeline) lockAlpine(ctx context.Context, log *progress.Log) error {
	if p.project.Alpine.LockFile == "" {
		return nil
	}
	lock, err := image.ParseAlpineLock(p.project.Alpine.Lock)
	if err != nil {
		return err
	}
	ref, err := name.ParseReference(strings.TrimPrefix(strings.TrimSuffix(p.o.RegistryPrefix, "/")+"/library/"+lock.Image, "/"))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	head, err := remote.Head(ref, remote.WithContext(ctx))
	if err != nil {
		log.Note("%s keeps its digest %q: no registry answers (%s)", lock.Image, lock.Digest, firstLine(err))
		return nil
	}
	lock.Digest = head.Digest.String()
	text, err := json.MarshalIndent(lock, "", " ")
	if err != nil {
		return err
	}
	return files.Write(p.lockFile(p.project.Alpine.LockFile), append(text, '\n'))
}
