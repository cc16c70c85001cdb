package distro

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/moby/moby/client"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/tcapflow/tcapflow/spec"
)

// once keeps what is made once for each key, by whoever wants it first.
type once[T any] struct{ made sync.Map }

func (o *once[T]) get(key string, make func() (T, error)) (T, error) {
	f, _ := o.made.LoadOrStore(key, sync.OnceValues(make))
	return f.(func() (T, error))()
}

// root returns the image of a Debian root.
func (r *runner) root(ctx context.Context, want root) (string, error) {
	return r.roots.get(want.name(), func() (string, error) { return want.ensure(ctx, r.engine, r.Mirror, r.dir, r.Stderr) })
}

// emulator returns the file of a target's emulator, extracted once for the run.
func (r *runner) emulator(ctx context.Context, t spec.Target) (string, error) {
	return r.emulators.get(t.QEMU, func() (string, error) {
		return Emulator(ctx, r.Project.Debian.QEMU, t, r.engine.Arch, r.Mirror, r.Lock, r.CacheDir)
	})
}

// stalled is how long a registry may say nothing before it counts as out of reach.
const stalled = 20 * time.Second

// registry is asked once: when a pull fails, the next image of it is not tried.
type registry struct {
	mu   sync.Mutex
	down error
}

// pulled returns the ID of an image for a target, pulled now if the engine has none.
// That it cannot be had is a skip.
func (r *runner) pulled(ctx context.Context, ref string, t spec.Target) (string, error) {
	if rest, ok := strings.CutPrefix(ref, "docker.io/"); ok && r.RegistryPrefix != "" {
		ref = strings.TrimRight(r.RegistryPrefix, "/") + "/" + rest
	}
	if id, ok := r.present(ctx, ref, t); ok {
		return id, nil
	}
	host, _, _ := strings.Cut(ref, "/")
	known, _ := r.registries.LoadOrStore(host, &registry{})
	reg := known.(*registry)
	reg.mu.Lock()
	defer reg.mu.Unlock()
	if reg.down != nil {
		return "", skipped{fmt.Sprintf("%s is not in the engine, and %s did not give another: %v", ref, host, reg.down)}
	}
	if err := r.pull(ctx, ref, t); err != nil {
		if !strings.Contains(err.Error(), "manifest") { // which another image may well have
			reg.down = err
		}
		return "", skipped{fmt.Sprintf("%s is not in the engine, and cannot be pulled: %v", ref, err)}
	}
	if id, ok := r.present(ctx, ref, t); ok {
		return id, nil
	}
	return "", skipped{fmt.Sprintf("%s has no image for %s", ref, t.Name)}
}

// present returns the ID of an image that the engine has for a target.
func (r *runner) present(ctx context.Context, ref string, t spec.Target) (string, bool) {
	image, err := r.engine.ImageInspect(ctx, ref)
	return image.ID, err == nil && image.Architecture == t.GOARCH
}

func (r *runner) pull(ctx context.Context, ref string, t spec.Target) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watch := time.AfterFunc(stalled, func() { cancel(fmt.Errorf("no answer in %v", stalled)) })
	defer watch.Stop()
	stream, err := r.engine.ImagePull(ctx, ref, client.ImagePullOptions{Platforms: []ocispec.Platform{{OS: "linux", Architecture: t.GOARCH}}})
	if err == nil {
		defer stream.Close()
		for message, failed := range stream.JSONMessages(ctx) {
			watch.Reset(stalled)
			if err = failed; err == nil && message.Error != nil {
				err = message.Error
			}
			if err != nil {
				break
			}
		}
	}
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}
