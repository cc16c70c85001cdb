package distro

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"github.com/tcapflow/tcapflow/pipeline/internal/debian"
	"github.com/tcapflow/tcapflow/pipeline/internal/engine"
	"github.com/tcapflow/tcapflow/pipeline/internal/fault"
	"github.com/tcapflow/tcapflow/pipeline/internal/image"
	"github.com/tcapflow/tcapflow/pipeline/internal/key"
	"github.com/tcapflow/tcapflow/pipeline/internal/layer"
	"github.com/tcapflow/tcapflow/spec"
)

// rootRecipe says how packages become a root, which is an input of the root, too. A test
// holds a root against a digest, and tells when the number has to be raised.
const rootRecipe = "root 1"

// labels of a root's image, beside engine.LabelImage.
const (
	kindRoot     = "root"
	labelRoot    = "musl-static.root"     // its name: debian12-amd64
	labelRootKey = "musl-static.root.key" // the hash of all that it was made of
)

// base is what every Debian system has; a root holds nothing else.
var base = spec.PackageSet{
	Name:     "base",
	Base:     true,
	Packages: []string{"usr-is-merged | base-files"}, // Debian 11 has no such package, and no need of it
	Skip: map[string]string{
		"gawk":     "provides awk, as mawk does, which is required anyway",
		"usrmerge": "moves files of an old system with Perl; here all are in /usr from the start",
	},
}

// root is a Debian system of one architecture.
type root struct {
	distro spec.Distro
	target spec.Target
}

func (r root) name() string { return r.distro.Name + "-" + r.target.Debian }

// ensure returns the image of the root, and marks it as used: older ones go when the
// engine's cache is full, for another checkout may need them.
func (r root) ensure(ctx context.Context, e *engine.Engine, mirror debian.Mirror, temp string, log io.Writer) (string, error) {
	ref, err := r.get(ctx, e, mirror, temp, log)
	if err != nil {
		return "", err
	}
	return ref, e.Use(ctx, []string{ref}, nil)
}

// get finds the image, or assembles it. Where that cannot be done today the last one that
// was assembled will do: the mirror may be out of reach, or in the middle of an update,
// with an index that is older or newer than its InRelease, or packages that are gone. A bad
// signature, or a file that is another than the signed index names, is nothing of that kind.
func (r root) get(ctx context.Context, e *engine.Engine, mirror debian.Mirror, temp string, log io.Writer) (string, error) {
	ref, err := r.current(ctx, e, mirror, temp, log)
	if err == nil || ctx.Err() != nil || !errors.Is(err, debian.ErrUnavailable) {
		return ref, err
	}
	older, findErr := r.find(ctx, e, engine.Labelled(kindRoot, map[string]string{labelRoot: r.name()}))
	if findErr != nil || older == "" {
		return "", err
	}
	fmt.Fprintf(log, "%s: using the root that is there: %v\n", r.name(), err)
	return older, nil
}

// current returns the image of the root as the mirror has it now.
func (r root) current(
	ctx context.Context, e *engine.Engine, mirror debian.Mirror, temp string, log io.Writer,
) (string, error) {
	suite, err := mirror.Suite(ctx, r.distro.Suite, debian.Packages(r.target.Debian))
	if err != nil {
		return "", err
	}
	labels := engine.Labelled(kindRoot, map[string]string{
		labelRoot:    r.name(),
		labelRootKey: key.Of(rootRecipe, r.name(), suite.Files["main/binary-"+r.target.Debian+"/Packages.xz"].SHA256),
	})
	if ref, err := r.find(ctx, e, labels); err != nil || ref != "" {
		return ref, err
	}
	fmt.Fprintf(log, "%s: assembling a root from the packages of %s\n", r.name(), r.distro.Suite)
	start := time.Now()
	ref, err := r.assemble(ctx, e, suite, mirror, temp, labels)
	if err != nil {
		return "", fmt.Errorf("root %s: %w", r.name(), err)
	}
	fmt.Fprintf(log, "%s: assembled in %.1fs\n", r.name(), time.Since(start).Seconds())
	return ref, nil
}

func (r root) find(ctx context.Context, e *engine.Engine, labels map[string]string) (string, error) {
	images, err := e.Images(ctx, labels)
	if err != nil || len(images) == 0 {
		return "", err
	}
	if _, err := e.Adopt(ctx, images[0], e.Tag(kindRoot, r.name())); err != nil {
		return "", err
	}
	return images[0].ID, nil
}

// assemble goes debootstrap's way: all packages are unpacked into an image, and dpkg,
// which runs then, installs them over it in a container.
func (r root) assemble(ctx context.Context, e *engine.Engine, suite debian.Suite, mirror debian.Mirror, temp string, labels map[string]string) (string, error) {
	index, err := suite.Index(ctx, r.target.Debian)
	if err != nil {
		return "", err
	}
	packages, err := index.Resolve(base)
	if err != nil {
		return "", err
	}
	debs, err := mirror.Debs(ctx, packages)
	if err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp(temp, "unpacked-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir)
	unpacked := e.Tag(kindRoot, filepath.Base(dir)) // this run's alone
	// The configured image stands on the layers of this one, which only loses its name.
	defer untag(ctx, e, unpacked)
	if err := r.load(ctx, e, unpacked, dir, debs); err != nil {
		return "", err
	}
	return r.configure(ctx, e, unpacked, packages, debs, labels)
}

// load gives the engine the unpacked packages.
func (r root) load(ctx context.Context, e *engine.Engine, tag, dir string, debs []string) error {
	l, err := r.unpack(ctx, dir, debs)
	if err != nil {
		return err
	}
	config := v1.Config{
		Env: []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
		Cmd: []string{"sleep", "2147483647"}, Labels: engine.Labelled("unpacked", nil),
	}
	return image.Load(ctx, e, tag, config, r.target.GOARCH, l)
}

// unpack makes a layer of packages, with what dpkg wants to find.
func (r root) unpack(ctx context.Context, dir string, debs []string) (*layer.Layer, error) {
	entries := []layer.Entry{
		{Name: "bin", Link: "usr/bin"}, {Name: "sbin", Link: "usr/sbin"}, {Name: "lib", Link: "usr/lib"},
		{Name: "usr/bin/awk", Link: "mawk"}, // an alternative, which mawk's postinst registers
		{Name: "tmp/", Mode: 0o1777},
		{Name: "var/lib/dpkg/status"}, {Name: "var/lib/dpkg/available"}, {Name: "var/lib/dpkg/info/"}, {Name: "var/lib/dpkg/updates/"},
		{Name: "usr/sbin/policy-rc.d", Data: []byte("#!/bin/sh\nexit 101\n"), Mode: 0o755}, // starts no service
		{Name: "etc/dpkg/dpkg.cfg.d/small", Data: []byte(excluded())},
	}
	if r.target.Debian == "amd64" {
		entries = append(entries, layer.Entry{Name: "lib64", Link: "usr/lib64"})
	}
	pieces := []layer.Piece{layer.Entries(entries...)}
	for _, deb := range debs {
		pieces = append(pieces, debian.Unpack(deb, placeRoot, nil))
	}
	return layer.Assemble(ctx, dir, pieces...)
}

// unwanted are folders that a root does without, as Debian's "slim" images do.
var unwanted = []string{"usr/share/doc/", "usr/share/man/", "usr/share/locale/", "usr/share/info/", "usr/share/lintian/"}

func placeRoot(name string) string {
	for _, folder := range unwanted {
		if strings.HasPrefix(name, folder) {
			return ""
		}
	}
	return debian.AsPackaged(name)
}

// excluded is dpkg's configuration for the same, dpkg.cfg(5).
func excluded() string {
	text := "force-unsafe-io\n"
	for _, folder := range unwanted {
		text += "path-exclude=/" + folder + "*\n"
	}
	return text
}

// configureScript is debootstrap's second stage. base-passwd makes /etc/passwd, by which
// dpkg gives files their owners. podman makes / 0555, which binds a root that may not override
// file modes, and writes files of users where an image has none, which base-passwd would keep.
const configureScript = `set -e
export DEBIAN_FRONTEND=noninteractive DEBCONF_NONINTERACTIVE_SEEN=true LC_ALL=C
chmod 0755 /
rm -f /etc/passwd /etc/group
cd /debs
dpkg --force-depends --install base-passwd.deb base-files.deb
dpkg --force-depends --unpack *.deb
dpkg --configure -a
cd /
rm -r /debs
test -z "$(dpkg --audit)"
dpkg -l | sed '1,5d' | { ! grep -v '^ii '; }
`

// configureCaps is the least: with CHOWN alone all is configured, too, but chmod(2) drops
// the set-group-ID bit of files of groups such as shadow.
var configureCaps = []string{"CHOWN", "FSETID"}

func (r root) configure(ctx context.Context, e *engine.Engine, unpacked string, packages []debian.Package, debs []string, labels map[string]string) (string, error) {
	content := func(w io.Writer) error { return tarDebs(w, packages, debs) }
	c, err := e.Start(ctx, engine.Spec{Image: unpacked, Cmd: []string{"sleep", "2147483647"}, User: "0:0", Caps: configureCaps,
		Before: []engine.Copy{{Dir: "/", Write: content}}})
	if err != nil {
		return "", err
	}
	defer c.Remove(ctx)
	var log bytes.Buffer
	code, err := c.Exec(ctx, engine.Command{Args: []string{"sh", "-c", configureScript}, Stdout: &log, Stderr: &log})
	if err == nil && code != 0 {
		err = fmt.Errorf("dpkg: exit status %d:\n%s", code, fault.Tail(log.String(), 20))
	}
	if err != nil {
		return "", err
	}
	var changes []string
	for k, v := range labels {
		changes = append(changes, "LABEL "+k+"="+v)
	}
	done, err := e.ContainerCommit(ctx, c.ID, client.ContainerCommitOptions{Reference: e.Tag(kindRoot, r.name()), Changes: changes, NoPause: true,
		Config: &container.Config{}}) // podman 4.3.1 wants a body
	return engine.FullID(done.ID), err
}

// tarDebs writes the packages as debs/NAME.deb.
func tarDebs(w io.Writer, packages []debian.Package, debs []string) error {
	t := tar.NewWriter(w)
	var err error
	for i, p := range packages {
		err = errors.Join(err, addFile(t, "debs/"+p.Name+".deb", debs[i], 0o644))
	}
	return errors.Join(err, t.Close())
}

// untag takes a tag away, and the image with it if nothing else needs it; also when ctx
// is cancelled.
func untag(ctx context.Context, e *engine.Engine, tag string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 20*time.Second)
	defer cancel()
	e.ImageRemove(ctx, tag, client.ImageRemoveOptions{})
}

// addFile adds a file of the host to a tar stream.
func addFile(t *tar.Writer, name, from string, mode int64) error {
	f, err := os.Open(from)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if err := t.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: mode, Size: info.Size(), ModTime: time.Unix(0, 0)}); err != nil {
		return err
	}
	_, err = io.Copy(t, f)
	return err
}
