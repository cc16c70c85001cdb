package pipeline

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/tcapflow/tcapflow/elfcheck"
	"github.com/tcapflow/tcapflow/pipeline/internal/builder"
	"github.com/tcapflow/tcapflow/pipeline/internal/cache"
	"github.com/tcapflow/tcapflow/pipeline/internal/engine"
	"github.com/tcapflow/tcapflow/pipeline/internal/files"
	"github.com/tcapflow/tcapflow/pipeline/internal/image"
	"github.com/tcapflow/tcapflow/pipeline/internal/key"
	"github.com/tcapflow/tcapflow/pipeline/internal/plan"
	"github.com/tcapflow/tcapflow/spec"
)

// passed is what a record says of a target that a builder can build for. Of another it says
// why not.
const passed = "passed"

// record is where it is kept what a self-check has shown of a target: by the builder's key
// for it and by what is run, so that it counts for every engine and is not run again.
func (b *bases) record(builder image.Builder, h plan.Hello) string {
	words := append([]string{builder.Keys[h.Target.Name], h.Script, h.Files["hello.c"], h.Files["startup.c"]}, h.Env...)
	return filepath.Join(cache.Folder(b.o.Cache).SelfChecks(), h.Target.Dir()+"-"+key.Of(words...))
}

// unfit says in a line for which target a builder has failed before; "": for none.
func (b *bases) unfit(builder image.Builder, targets []spec.Target) string {
	for _, t := range targets {
		text, err := os.ReadFile(b.record(builder, plan.HelloFor(t)))
		if err == nil && string(text) != passed {
			return string(text)
		}
	}
	return ""
}

// selfCheck has a builder compile and link a small program for each target, and puts that
// before the gate. It says in a line why the builder will not do; "": it will. err is of the
// engine or of the cache.
func (b *bases) selfCheck(ctx context.Context, e *engine.Engine, found image.Builder,
	targets []spec.Target) (why string, err error) {
	var open []plan.Hello
	for _, t := range targets {
		h := plan.HelloFor(t)
		if text, err := os.ReadFile(b.record(found, h)); err != nil || string(text) != passed {
			open = append(open, h)
		}
	}
	if len(open) == 0 {
		return "", nil
	}
	done := b.log.Stage("self-check of the %s builder for %d targets", found.Base, len(open))
	defer func() { done(err) }()
	var mu sync.Mutex
	err = builder.Probe(ctx, e, found, open, func(h plan.Hello, binary []byte, failure error) error {
		said := b.judge(h, binary, failure)
		if said != "" {
			mu.Lock()
			why = said
			mu.Unlock()
		} else {
			said = passed
		}
		return files.Write(b.record(found, h), []byte(said))
	})
	return why, err
}

// judge says in a line what is wrong with a program, or with its making; "": nothing.
func (b *bases) judge(h plan.Hello, binary []byte, failure error) string {
	const says = "the Alpine builder fails its self-check for %s: %s"
	if failure != nil {
		return fmt.Sprintf(says, h.Target.Name, lastLine(failure))
	}
	report, err := examineBytes(b.o.Cache, binary, h.Want)
	switch {
	case err != nil:
		return fmt.Sprintf(says, h.Target.Name, firstLine(err))
	case len(report.Findings) > 0:
		return fmt.Sprintf(says, h.Target.Name, firstLine(errors.New(report.Findings[0].String())))
	}
	return ""
}

// examineBytes puts a program before the gate that is not in a file yet.
func examineBytes(dir string, binary []byte, want elfcheck.Want) (elfcheck.Report, error) {
	f, err := os.CreateTemp(dir, files.PartPattern)
	if err != nil {
		return elfcheck.Report{}, err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(binary)
	if err := errors.Join(err, f.Close()); err != nil {
		return elfcheck.Report{}, err
	}
	return elfcheck.Examine(f.Name(), want)
}

// dropUnfit removes the image of a builder that has failed, unless somebody uses it.
func (b *bases) dropUnfit(ctx context.Context, e *engine.Engine, found image.Builder) error {
	images, err := e.Images(ctx, map[string]string{})
	if err != nil {
		return err
	}
	id, err := e.ImageID(ctx, found.Ref)
	if err != nil {
		return err
	}
	for _, i := range images {
		if engine.SameImage(i.ID, id) {
			_, err := e.RemoveImage(ctx, i)
			return err
		}
	}
	return nil
}
