package pipeline

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/tcapflow/tcapflow/build"
	ba "github.com/tcapflow/tcapflow/build/alpine"
	bd "github.com/tcapflow/tcapflow/build/debian"
	"github.com/tcapflow/tcapflow/internal/pipeline/artifact"
	"github.com/tcapflow/tcapflow/internal/pipeline/debian"
	"github.com/tcapflow/tcapflow/internal/pipeline/image"
	"github.com/tcapflow/tcapflow/internal/pipeline/options"
	"github.com/tcapflow/tcapflow/internal/pipeline/progress"
)

// LockImages renews build/debian/lock.json from the mirror's signed index, and the
// digest in build/alpine/lock.json where a registry answers. It prints what changed.
func LockImages(ctx context.Context, o options.Options, stdout, stderr io.Writer) error {
	log := progress.New(stderr, o.Live)
	defer log.Close()
	old, err := debian.ParseLock(bd.Lock)
	if err != nil {
		return err
	}
	done := log.Stage("resolve packages of Debian %s", bd.Suite)
	lock, err := debianMirror(o, old, log.Note).Resolve(ctx, bd.Suite, build.Locked)
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
		fmt.Fprintln(stdout, line)
	}
	fmt.Fprintf(stdout, "%d packages changed since the lock of %s\n", len(changes), old.Date.Format(time.DateOnly))
	if err := artifact.WriteFile(filepath.Join(o.Root, "build", "debian", "lock.json"), text); err != nil {
		return err
	}
	return lockAlpine(ctx, o, log)
}

func lockAlpine(ctx context.Context, o options.Options, log *progress.Log) error {
	lock, err := image.ParseAlpineLock(ba.Lock)
	if err != nil {
		return err
	}
	ref, err := name.ParseReference(strings.TrimPrefix(strings.TrimSuffix(o.RegistryPrefix, "/")+"/library/"+lock.Image, "/"))
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
	return os.WriteFile(filepath.Join(o.Root, "build", "alpine", "lock.json"), append(text, '\n'), 0o644)
}

// TargetTable prints what is built, and what is left out with its reason.
func TargetTable(stdout io.Writer) {
	for _, t := range build.Targets {
		fmt.Fprintf(stdout, "%-15s %s, Debian %s, Alpine %s\n", t.Name, t.Triple, t.Debian, t.Alpine)
	}
	fmt.Fprintln(stdout, "\nleft out:")
	var names []string
	for n := range build.LeftOut {
		names = append(names, n)
	}
	slices.Sort(names)
	for _, n := range names {
		fmt.Fprintf(stdout, "%-15s %s\n", n, build.LeftOut[n])
	}
}
