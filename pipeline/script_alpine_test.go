//go:build linux

package pipeline_test

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/sync/errgroup"

	ba "github.com/tcapflow/tcapflow/build/alpine"
	bd "github.com/tcapflow/tcapflow/build/debian"
	"github.com/tcapflow/tcapflow/build/defaults"
	at "github.com/tcapflow/tcapflow/pipeline/internal/alpine/alpinetest"
	"github.com/tcapflow/tcapflow/pipeline/internal/debian"
	"github.com/tcapflow/tcapflow/pipeline/internal/layer"
	"github.com/tcapflow/tcapflow/spec"
)

// alpineArchive serves an Alpine archive on loopback, for linux/amd64 and linux/386 on an
// amd64 engine, and sets ALPINE_MIRROR. Its packages have the files of the Debian packages
// that the lock pins, laid out as Alpine has them, and are signed by a key of the test's
// own, which stands in $WORK/alpine.rsa.pub. With "broken", no program can be linked.
func alpineArchive(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, !neg && len(args) <= 1, "alpine [broken]")
	if runtime.GOARCH != "amd64" {
		ts.Fatalf("the archive is for an amd64 engine")
	}
	files, err := alpineFiles(ts.Getenv("WORK"), len(args) == 1)
	ts.Check(err)
	key, err := alpineKey()
	ts.Check(err)
	ts.Check(os.WriteFile(filepath.Join(ts.Getenv("WORK"), key.Name), key.Public, 0o644))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, ok := files[strings.TrimPrefix(r.URL.Path, "/alpine/")]
		if !ok {
			http.NotFound(w, r)
			return
		}
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(text))
	}))
	ts.Defer(server.Close)
	ts.Setenv("ALPINE_MIRROR", server.URL+"/alpine")
}

var alpineKey = sync.OnceValues(func() (at.Key, error) { return at.NewKey("alpine.rsa.pub") })

// alpineWork is one package to be made: of Debian packages, by a rule where files go.
type alpineWork struct {
	at.Package
	place string // main/x86_64
	debs  []debian.Package
	to    debian.Place
	extra []func(*tar.Writer) error
}

// alpineFiles makes the archive, by path below the mirror's address.
func alpineFiles(dir string, broken bool) (map[string][]byte, error) {
	work := alpineWorks()
	if broken {
		for i := range work {
			if work[i].Name == "musl-dev" {
				to := work[i].to
				work[i].to = func(name string) string {
					return strings.Replace(to(name), "libc.a",
						"libother.a", 1)
				}
				work[i].extra = []func(*tar.Writer) error{at.File("usr/lib/libc.a", 0o644, "!<arch>\n")}
			}
		}
	}
	files, stanzas := map[string][]byte{}, map[string]string{"main/x86_64": "", "main/x86": ""}
	var mu sync.Mutex
	var group errgroup.Group
	group.SetLimit(runtime.NumCPU())
	for _, w := range work {
		group.Go(func() error {
			a, err := w.make(dir)
			if err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			files[ba.Base.Branch+"/"+a.Path(w.place)] = a.Text
			stanzas[w.place] += a.Stanza
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	key, err := alpineKey()
	if err != nil {
		return nil, err
	}
	for _, repository := range ba.Base.Repositories {
		for _, arch := range []string{"x86_64", "x86"} {
			place := repository + "/" + arch
			text, err := key.Index(ba.Base.Branch+".9-1-g0", at.Day, stanzas[place])
			if err != nil {
				return nil, err
			}
			files[ba.Base.Branch+"/"+place+"/APKINDEX.tar.gz"] = text
		}
	}
	return files, nil
}

// alpineNames are Alpine's of Debian's tools; the others keep theirs.
var alpineNames = map[string]string{"clang-19": "clang22", "lld-19": "lld22", "pkgconf-bin": "pkgconf"}

// alpineWorks are the tools and the sysroots of two targets. Every Debian package of tools
// is one of Alpine's that provides a library; the compiler needs all of them.
func alpineWorks() (work []alpineWork) {
	var needs []string
	tools := committed.Sets[debian.SetKey(bd.Base.Tools, "amd64")]
	for _, p := range tools {
		w := alpineWork{place: "main/x86_64", debs: []debian.Package{p}, to: debian.AsPackaged}
		w.Package = at.Package{Name: p.Name, Version: "1-r0", Arch: "x86_64", Licence: "MIT",
			Provides: "so:lib" + p.Name + ".so.1=1"}
		if name := alpineNames[p.Name]; name != "" {
			w.Name = name
		}
		needs = append(needs, "so:lib"+p.Name+".so.1")
		work = append(work, w)
	}
	for i := range work {
		if work[i].Name == "clang22" { // glibc's loader is /lib64/ld-linux-x86-64.so.2
			work[i].Depends = strings.Join(needs, " ") + " gcc libstdc++-dev llvm22-linker-tools"
			work[i].extra = []func(*tar.Writer) error{at.Link(tar.TypeSymlink, "lib64", "usr/lib64")}
		}
	}
	for _, t := range defaults.Targets.Built {
		if t.Name == "linux/amd64" || t.Name == "linux/386" {
			work = append(work, alpineSysroot(t)...)
		}
	}
	return work
}

// alpineSysroot are the packages of a target's sysroot.
func alpineSysroot(t spec.Target) (work []alpineWork) {
	names := map[string]string{"musl": "musl", "musl-dev": "musl-dev", "linux-libc-dev": "linux-headers",
		"libgcc-14-dev": "gcc"}
	for _, p := range committed.Sets[debian.SetKey(bd.Base.Sysroot, t.Debian)] {
		version := debian.UpstreamVersion(p.Version) // stamped into the binary
		w := alpineWork{place: "main/" + t.Alpine, debs: []debian.Package{p}, to: alpineLayout(t)}
		w.Package = at.Package{Name: names[p.Name], Version: version + "-r0", Arch: t.Alpine, Licence: "MIT"}
		work = append(work, w)
	}
	return work
}

// alpineLayout says where a file of Debian's sysroot packages lies in Alpine.
func alpineLayout(t spec.Target) debian.Place {
	moves := [][2]string{
		{"usr/lib/" + t.Triple + "/libc.so", "lib/ld-musl-" + t.Alpine + ".so.1"},
		{"usr/include/" + t.Triple + "/", "usr/include/"},
		{"usr/lib/" + t.Triple + "/", "usr/lib/"},
		{"usr/lib/linux/uapi/" + t.Uapi + "/asm/", "usr/include/asm/"},
		{"usr/lib/gcc/" + t.GCC + "/14/", "usr/lib/gcc/" + t.Alpine + "-alpine-linux-musl/14.2.0/"},
		{"usr/include/scsi/", ""}, // musl has its own, which differ
		{"usr/include/", "usr/include/"},
	}
	return func(name string) string {
		for _, move := range moves {
			if rest, ok := strings.CutPrefix(name, move[0]); ok && move[1] != "" {
				return move[1] + rest
			} else if ok {
				return ""
			}
		}
		return ""
	}
}

// make makes the package.
func (w alpineWork) make(dir string) (at.APK, error) {
	m, err := hostMirror()
	if err != nil {
		return at.APK{}, err
	}
	paths, err := m.Debs(context.Background(), w.debs)
	if err != nil {
		return at.APK{}, err
	}
	work, err := os.MkdirTemp(dir, "apk-")
	if err != nil {
		return at.APK{}, err
	}
	defer os.RemoveAll(work)
	files, err := layer.Assemble(context.Background(), work, debian.Unpack(paths[0], w.withoutDocs, nil))
	if err != nil {
		return at.APK{}, err
	}
	key, err := alpineKey()
	if err != nil {
		return at.APK{}, err
	}
	return key.Package(w.Package, func(out *tar.Writer) error {
		if err := at.All(w.extra...)(out); err != nil {
			return err
		}
		return copyLayer(out, files)
	})
}

func (w alpineWork) withoutDocs(name string) string {
	if strings.HasPrefix(name, "usr/share/doc/") || strings.HasPrefix(name, "usr/share/man/") {
		return ""
	}
	return w.to(name)
}

// copyLayer copies files, folders and links.
func copyLayer(out *tar.Writer, l *layer.Layer) error {
	r, err := l.Uncompressed()
	if err != nil {
		return err
	}
	defer r.Close()
	for in := tar.NewReader(r); ; {
		h, err := in.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		h.Name = path.Clean(h.Name)
		if h.Typeflag == tar.TypeDir {
			h.Name += "/"
		}
		if err := out.WriteHeader(h); err != nil {
			return err
		}
		if _, err := io.Copy(out, in); err != nil {
			return err
		}
	}
}
