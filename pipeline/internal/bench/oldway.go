package bench

import (
	"archive/tar"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/moby/moby/client"

	"github.com/tcapflow/tcapflow/pipeline/internal/debian"
	"github.com/tcapflow/tcapflow/pipeline/internal/distro"
	"github.com/tcapflow/tcapflow/pipeline/internal/engine"
	"github.com/tcapflow/tcapflow/pipeline/internal/image"
	"github.com/tcapflow/tcapflow/pipeline/internal/source"
	"github.com/tcapflow/tcapflow/spec"
)

// The old way: for each architecture a container of a distribution of that
// architecture, which installs compilers and libraries, builds, and is thrown away. It
// is given for nothing what would be slow without an image registry: its base image
// is ready as a file, and Go, the module zips and libpcap's source are put into the
// container.
const oldScript = `set -e
export DEBIAN_FRONTEND=noninteractive HOME=/root
echo "deb $MIRROR trixie main" > /etc/apt/sources.list
apt-get -o APT::Sandbox::User=root -qq update
apt-get -o APT::Sandbox::User=root -o Dpkg::Use-Pty=0 -qq install -y --no-install-recommends gcc libc6-dev musl-tools linux-libc-dev make flex bison xz-utils >/dev/null
CC="musl-gcc -idirafter /usr/include -idirafter /usr/include/$(gcc -print-multiarch)"
mkdir /pcap && cd /pcap && tar xf /in/libpcap.tar.xz --strip-components=1
CC="$CC" ./configure --with-pcap=linux --disable-shared --disable-dbus --disable-usb --disable-bluetooth --disable-rdma --without-libnl >/dev/null
make libpcap.a >/dev/null
cd /src
CC="$CC" GOOS=linux CGO_ENABLED=1 CGO_CFLAGS=-I/pcap CGO_LDFLAGS=-L/pcap GOPROXY=file:///proxy GOSUMDB=off GOTOOLCHAIN=local GOFLAGS=-mod=readonly \
	/go/bin/go build -buildvcs=false -trimpath -tags=$TAGS -ldflags '-s -w -linkmode external -extldflags -static' -o /binary $MAIN
/binary version
`

var oldTargets = []string{"linux/amd64", "linux/386"}

// oldWay measures it from an empty engine, then again after a change, when only the
// base images are kept.
func (b *bench) oldWay(ctx context.Context) error {
	err := b.oldTargetsRun(ctx)
	if err == nil {
		err = b.measureOldWay(ctx)
	}
	if !errors.Is(err, debian.ErrUnavailable) && !errors.Is(err, errForeign) {
		return err
	}
	line, _, _ := strings.Cut(err.Error(), "\n")
	fmt.Fprintf(b.o.Stdout, "%-58s not measured: %s\n", rowOldCold, line)
	return b.empty(ctx)
}

// errForeign says that a container of an architecture cannot be had on this engine.
var errForeign = errors.New("the engine's kernel does not run it")

// oldTargetsRun asks the engine's kernel: the old way compiles in containers of the
// target's own architecture.
func (b *bench) oldTargetsRun(ctx context.Context) error {
	targets, err := b.o.Project.Targets.Select(strings.Join(oldTargets, ","))
	if err != nil {
		return err
	}
	natives, err := b.e.Natives(ctx)
	if err != nil {
		return err
	}
	for _, t := range targets {
		if !slices.Contains(natives, t.GOARCH) {
			return fmt.Errorf("%s: %w", t.Name, errForeign)
		}
	}
	return nil
}

func (b *bench) measureOldWay(ctx context.Context) error {
	var files []string
	for _, name := range oldTargets {
		file, err := b.oldImage(ctx, name)
		if err != nil {
			return err
		}
		files = append(files, file)
	}
	if err := b.empty(ctx); err != nil {
		return err
	}
	tree, err := source.Read(ctx, b.dir)
	if err != nil {
		return err
	}
	run := func(load bool) (time.Duration, error) {
		var sum time.Duration
		for i, name := range oldTargets {
			d, err := b.oldBuild(ctx, tree, name, files[i], load)
			if err != nil {
				return 0, fmt.Errorf("old way, %s: %w", name, err)
			}
			sum += d
		}
		return sum, nil
	}
	cold, err := run(true)
	if err != nil {
		return err
	}
	again, err := run(false)
	if err != nil {
		return err
	}
	b.add(rowOldCold, "-", cold)
	b.ratio("  ours to the old way, empty engine", "≤ 0.8 ×", b.row(rowCold), cold.Seconds())
	b.add(rowOldAgain, "-", again)
	b.ratio("  the old way to ours, one line changed", "≥ 25 ×", again.Seconds(), b.row(rowWarm))
	return b.empty(ctx) // its base images are of no use to anybody
}

func (b *bench) oldTag(name string) string {
	return b.e.Tag("oldway", strings.ReplaceAll(name, "/", "-"))
}

// oldImage saves a Debian system with apt as a file; a pull from a near registry would
// take about as long as to load it.
func (b *bench) oldImage(ctx context.Context, name string) (string, error) {
	t, err := b.o.Project.Targets.Select(name)
	if err != nil {
		return "", err
	}
	fmt.Fprintf(b.o.Stderr, "preparing the old way's base image for %s (not counted)\n", name)
	id, err := distro.System(ctx, b.e, spec.Distro{Name: "debian13", Suite: "trixie"}, t[0], b.o.Mirror, filepath.Dir(b.dir), b.o.Stderr)
	if err != nil {
		return "", err
	}
	if _, err := b.e.ImageTag(ctx, client.ImageTagOptions{Source: id, Target: b.oldTag(name)}); err != nil {
		return "", err
	}
	saved, err := b.e.ImageSave(ctx, []string{b.oldTag(name)})
	if err != nil {
		return "", err
	}
	defer saved.Close()
	file := filepath.Join(filepath.Dir(b.dir), t[0].Dir()+".tar")
	f, err := os.Create(file)
	if err != nil {
		return "", err
	}
	defer f.Close()
	_, err = io.Copy(f, saved)
	return file, err
}

// oldBuild runs one container of the old way, and removes it.
func (b *bench) oldBuild(ctx context.Context, tree source.Tree, name, file string, load bool) (time.Duration, error) {
	t, err := b.o.Project.Targets.Select(name)
	if err != nil {
		return 0, err
	}
	in, err := b.oldInputs(ctx, tree, t[0])
	if err != nil {
		return 0, err
	}
	// apt knows no other mirror: it is given one that is not in the middle of an update.
	suite, err := b.o.Mirror.Suite(ctx, "trixie", debian.Packages(t[0].Debian))
	if err != nil {
		return 0, err
	}
	start := time.Now()
	if load {
		f, err := os.Open(file)
		if err != nil {
			return 0, err
		}
		defer f.Close()
		answer, err := b.e.ImageLoad(ctx, f)
		if err != nil {
			return 0, err
		}
		_, err = io.Copy(io.Discard, answer)
		answer.Close()
		if err != nil {
			return 0, err
		}
	}
	c, err := b.e.Start(ctx, engine.Spec{Image: b.oldTag(name), Cmd: []string{"sleep", "86400"}, User: "0:0", Network: "bridge", Before: in,
		Caps: []string{"CHOWN", "DAC_OVERRIDE", "FOWNER", "SETUID", "SETGID", "FSETID"},
		Env:  map[string]string{"MIRROR": suite.URL, "TAGS": strings.Join(b.o.Project.Tags, ","), "MAIN": b.o.Project.Main, "GOARCH": t[0].GOARCH}})
	if err != nil {
		return 0, err
	}
	defer c.Remove(ctx)
	if _, err := c.Output(ctx, "sh", "-c", oldScript); err != nil {
		return 0, err
	}
	return time.Since(start), nil
}

// oldInputs are what the old way is given for nothing.
func (b *bench) oldInputs(ctx context.Context, tree source.Tree, t spec.Target) ([]engine.Copy, error) {
	modules, err := tree.Modules(ctx, []source.Package{{Main: b.o.Project.Main, Tags: b.o.Project.Tags, GOARCH: t.GOARCH, GOARM: t.GOARM}})
	if err != nil {
		return nil, err
	}
	version, err := b.command(ctx, b.dir, "go", "mod", "edit", "-json")
	if err != nil {
		return nil, err
	}
	var mod struct{ Toolchain string }
	if err := json.Unmarshal([]byte(version), &mod); err != nil {
		return nil, err
	}
	goDir, err := image.Toolchain{Version: mod.Toolchain}.Fetch(ctx, filepath.Dir(b.dir), b.e.Arch) // static programs: they run in any container of this engine
	if err != nil {
		return nil, err
	}
	lib := b.o.Project.Libraries[0]
	pcap, err := b.o.Mirror.Pinned(ctx, lib.URLs[0], lib.SHA256)
	if err != nil {
		return nil, err
	}
	return []engine.Copy{
		{Dir: "/", Write: func(w io.Writer) error { return oldFiles(w, goDir, pcap) }},
		{Dir: "/src", Write: func(w io.Writer) error { return tree.Tar(w, 0) }},
		{Dir: "/proxy", Write: func(w io.Writer) error { return source.TarModules(w, modules) }},
	}, nil
}

func oldFiles(to io.Writer, goDir, pcap string) error {
	w := tar.NewWriter(to)
	for _, dir := range []string{"src/", "proxy/", "in/", "go/"} {
		if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: dir, Mode: 0o755}); err != nil {
			return err
		}
	}
	text, err := os.ReadFile(pcap)
	if err != nil {
		return err
	}
	if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: "in/libpcap.tar.xz", Mode: 0o644, Size: int64(len(text))}); err != nil {
		return err
	}
	if _, err := w.Write(text); err != nil {
		return err
	}
	return errors.Join(image.GoTree(goDir, "go", w), w.Close())
}
