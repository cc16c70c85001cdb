// Package release packs the verified binaries of out/ for their users.
//
// In: out/ with its manifest, and what the plan wants of each binary. Out: dist/ with an
// archive and a .deb for each target, checksums.txt, GoReleaser's artifacts.json, and in
// images/ an OCI image layout each of the scratch and the distroless image.
//
// GoReleaser packs and publishes. In place of a compiler it is given the program in
// handoff/, which copies the binary of a platform from out/ and checks it once more.
// Everything is made in a folder of its own, compared with what is expected, and only
// then takes the place of dist/.
package release

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/tcapflow/tcapflow/elfcheck"
	"github.com/tcapflow/tcapflow/pipeline/internal/artifact"
	"github.com/tcapflow/tcapflow/pipeline/internal/debian"
	"github.com/tcapflow/tcapflow/pipeline/internal/fault"
	"github.com/tcapflow/tcapflow/pipeline/internal/progress"
	"github.com/tcapflow/tcapflow/pipeline/internal/source"
	"github.com/tcapflow/tcapflow/spec"
)

// Options say what is released. The caller holds the lock of out/.
type Options struct {
	Root    string // of the checkout
	Out     string
	Dist    string // replaced; on the same file system as Root
	Module  string // path of the main module: github.com/tcapflow/tcapflow
	Project spec.Project
	Targets []spec.Target
	Source  source.Version // of the checkout now
	Want    func(spec.Target) elfcheck.Want
	Mirror  debian.Mirror
	Lock    debian.Lock
	Tool    *Tool
	Publish bool     // upload what was packed; only at a clean tag
	Env     []string // of GoReleaser: its tokens, a proxy, PATH
	Log     *progress.Log
}

// Run makes a release: a real one where the checkout is exactly a version tag, else a
// snapshot. On any error dist/ is as it was.
func Run(ctx context.Context, o Options) error {
	if _, err := exec.LookPath("git"); err != nil {
		return fault.New(fault.Usage, "install git", "GoReleaser needs git: %w", err)
	}
	if _, err := os.Stat(filepath.Join(o.Root, licenceName)); err != nil {
		return fault.New(fault.Usage, "say in it how the program may be used", "a package needs a licence: %w", err)
	}
	binaries, err := o.binaries()
	if err != nil {
		return err
	}
	if err := o.allowed(binaries); err != nil {
		return err
	}
	s, err := newStage(o)
	if err != nil {
		return err
	}
	defer s.remove()
	if err := s.pack(ctx, binaries); err != nil {
		return err
	}
	if err := s.finish(); err != nil {
		return err
	}
	o.Log.Note("%s has %s %s for %d targets: archives, packages, images %s",
		o.Dist, o.Project.Name, o.Source.Version, len(o.Targets), strings.Join(flavours, " and "))
	return nil
}

// binaries are the targets' entries of the manifest, which must be of this checkout.
func (o Options) binaries() ([]Binary, error) {
	const next = "`mage static` builds it"
	m, err := artifact.Load(o.Out)
	if err != nil {
		return nil, err
	}
	var all []Binary
	for _, t := range o.Targets {
		a, ok := m.Find(t.Name, "") // a debug twin is not released
		if !ok {
			return nil, fault.New(fault.Failed, next, "%s: not in %s", t.Name, o.Out)
		}
		if a.Version != o.Source.Version || a.Commit != o.Source.Commit {
			return nil, fault.New(fault.Failed, next, "%s: out/ has version %s of commit %.7s, the checkout is %s of %.7s",
				t.Name, a.Version, a.Commit, o.Source.Version, o.Source.Commit)
		}
		all = append(all, Binary{Artifact: a, Want: o.Want(t)})
	}
	return all, nil
}

// allowed refuses to give a version's name to what is not of its pins, and to upload
// what has no version.
func (o Options) allowed(binaries []Binary) error {
	if !o.Source.Release() {
		if o.Publish {
			return fault.New(fault.Usage, "commit, tag the commit vX.Y.Z, and publish that",
				"%s is not published: %s", o.Source.Version, o.Source.State)
		}
		return nil
	}
	for _, b := range binaries {
		if len(b.StandIns) > 0 {
			return fault.New(fault.Failed, "correct the pin in build/project.go and tag that",
				"%s: %s stands in for the pinned version", b.Target, strings.Join(b.StandIns, ", "))
		}
	}
	return nil
}

const licenceName = "LICENSE"

// stage is the folder in which a release is made. It lies in the checkout, so that it
// can be renamed to dist/, and ignores itself, so that the checkout stays clean.
type stage struct {
	Options
	dir  string
	time time.Time // of the commit: the only time in a release
}

const stageName = ".dist.partial"

func newStage(o Options) (*stage, error) {
	at, err := time.Parse(time.RFC3339, o.Source.Date)
	if err != nil {
		return nil, err
	}
	s := &stage{Options: o, dir: filepath.Join(o.Root, stageName), time: at.UTC()}
	if err := os.RemoveAll(s.dir); err != nil { // of a run that was killed
		return nil, err
	}
	if err := os.Mkdir(s.dir, 0o755); err != nil {
		return nil, err
	}
	return s, os.WriteFile(s.path(".gitignore"), []byte("*\n"), 0o644)
}

func (s *stage) path(elem ...string) string {
	return filepath.Join(append([]string{s.dir}, elem...)...)
}

func (s *stage) remove() { os.RemoveAll(s.dir) }

// pack fills the stage's dist/. A release that is to be published is packed twice: what
// is uploaded was made, and compared, once before.
func (s *stage) pack(ctx context.Context, binaries []Binary) error {
	if err := s.images(ctx, binaries); err != nil {
		return err
	}
	g, err := s.goreleaser(ctx, binaries)
	if err != nil {
		return err
	}
	if err := s.step("GoReleaser (pack)", func() error { return g.run(ctx, false) }); err != nil {
		return err
	}
	if err := s.step("compare with what is expected", s.check); err != nil {
		return err
	}
	if !s.Publish {
		return nil
	}
	return s.step("GoReleaser (publish)", func() error { return g.run(ctx, true) })
}

func (s *stage) step(name string, do func() error) error {
	done := s.Log.Stage("%s", name)
	err := do()
	done(err)
	return err
}

// finish puts the stage's files in the place of dist/.
func (s *stage) finish() error {
	for _, name := range []string{imagesDir, digestsName} {
		if err := os.Rename(s.path(name), s.path("dist", name)); err != nil {
			return err
		}
	}
	if err := s.tidy(); err != nil {
		return err
	}
	return replace(s.Dist, s.path("dist"), s.path("old"))
}

// replace puts a folder in the place of one that may be there, which goes to old.
func replace(place, with, old string) error {
	if err := os.Rename(place, old); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	err := os.Rename(with, place)
	if err != nil {
		os.Rename(old, place)
	}
	return err
}
