//go:build linux

package pipeline_test

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha1"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/ulikunitz/xz"

	"github.com/tcapflow/tcapflow/build"
	bd "github.com/tcapflow/tcapflow/build/debian"
	"github.com/tcapflow/tcapflow/pipeline/internal/debian"
	"github.com/tcapflow/tcapflow/pipeline/internal/debian/debiantest"
	"github.com/tcapflow/tcapflow/pipeline/internal/fetch"
	"github.com/tcapflow/tcapflow/pipeline/internal/options"
	"github.com/tcapflow/tcapflow/spec"
)

// committed is the lock of this repository.
var committed = func() debian.Lock {
	lock, err := debian.ParseLock(bd.Base.Lock)
	if err != nil {
		panic(err)
	}
	return lock
}()

// Days of an InRelease.
var (
	afterLock  = committed.Date.AddDate(0, 0, 1)
	beforeLock = committed.Date.AddDate(0, 0, -1)
)

// archive is a Debian archive that holds what the locks pin, and another libpcap. The files
// themselves come by digest: from the host's cache, else from any mirror. In its indexes
// the packages have moved below pool/now, so that a lock which was resolved from them
// differs from the committed one in where the files are, and in nothing else.
type archive struct {
	key     debiantest.Key
	indexes map[string][]byte         // by path below the mirror
	debs    map[string]debian.Package // likewise
}

// archiveKey is one key for all archives of a run: mirrors of one archive have the same.
var archiveKey = sync.OnceValues(debiantest.NewKey)

func newArchive(day time.Time) (*archive, error) {
	key, err := archiveKey()
	if err != nil {
		return nil, err
	}
	a := &archive{key: key, debs: map[string]debian.Package{}}
	stanzas := map[string]string{debian.Sources: ""}
	for _, set := range build.Project.Locked() {
		for _, arch := range set.Arches {
			packages, err := committed.Packages(set, arch)
			if err != nil {
				return nil, err
			}
			stanzas[debian.Packages(arch)] += a.stanzas(set, packages)
		}
	}
	if other, err := otherSource(); err == nil { // only a script with an engine needs it
		const stanza = "Package: libpcap\nVersion: %s-1\nDirectory: %s\nChecksums-Sha256:\n %s %d %s\n"
		stanzas[debian.Sources] = fmt.Sprintf(stanza,
			otherVersion, path.Dir(otherPath), debiantest.Digest(other), len(other), path.Base(otherPath))
	}
	a.indexes, err = key.Publish(bd.Base.Suite, day, stanzas)
	return a, err
}

// stanzas are those of a set. What is listed depends on all others, so that the set is
// resolved whole, and what another set has, too, draws in nothing.
func (a *archive) stanzas(set spec.PackageSet, packages []debian.Package) (text string) {
	var names []string
	for _, p := range packages {
		names = append(names, p.Name)
	}
	for _, p := range packages {
		now := "pool/now/" + path.Base(p.Filename)
		a.debs[p.Filename], a.debs[now] = p, p
		depends := "Section: any"
		if slices.Contains(set.Packages, p.Name) {
			depends = "Depends: " + strings.Join(names, ", ")
		}
		text += debiantest.Stanza(p.Name, p.Version, p.Arch, now, p.Size, p.SHA256, depends)
	}
	return text
}

// open gives the text of a file, by its path below the mirror.
func (a *archive) open(file string) (text []byte, ok bool) {
	if text, ok = a.indexes[file]; ok {
		return text, true
	}
	var err error
	if p, ok := a.debs[file]; ok {
		text, err = pinnedDeb(p)
	} else if file == otherPath {
		text, err = otherSource()
	} else if lib := build.Project.Libraries[0]; strings.HasSuffix(lib.URLs[0], "/"+file) {
		text, err = pinnedSource()
	} else {
		return nil, false
	}
	return text, err == nil
}

// hostMirror is where a test on this host takes files from whose digest it knows.
func hostMirror() (debian.Mirror, error) {
	o, err := options.Read(build.Project, options.Args{})
	if err != nil {
		return debian.Mirror{}, err
	}
	cache := &fetch.Cache{Dir: filepath.Join(o.Cache, "downloads")}
	m := debian.Mirror{URL: o.Mirrors[0], Others: o.Mirrors[1:], Cache: cache}
	m.Snapshot = debian.NewSnapshot(o.Snapshot)
	return m, nil
}

func pinnedDeb(p debian.Package) ([]byte, error) {
	m, err := hostMirror()
	if err != nil {
		return nil, err
	}
	paths, err := m.Debs(context.Background(), []debian.Package{p})
	if err != nil {
		return nil, err
	}
	return os.ReadFile(paths[0])
}

// pinnedSource is the tarball of the project's library.
func pinnedSource() ([]byte, error) {
	m, err := hostMirror()
	if err != nil {
		return nil, err
	}
	lib, local := build.Project.Libraries[0], ""
	for _, url := range lib.URLs {
		if local, err = m.Pinned(context.Background(), url, lib.SHA256); err == nil {
			return os.ReadFile(local)
		}
	}
	return nil, err
}

// otherVersion is the libpcap of the archive: the pinned one with another number.
const (
	otherVersion = "1.10.5"
	otherPath    = "pool/main/libp/libpcap/libpcap_" + otherVersion + ".orig.tar.xz"
)

// otherSource is its tarball.
var otherSource = sync.OnceValues(func() ([]byte, error) {
	text, err := pinnedSource()
	if err != nil {
		return nil, err
	}
	unpacked, err := xz.NewReader(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	var packed bytes.Buffer
	w, err := xz.NewWriter(&packed)
	if err != nil {
		return nil, err
	}
	pinned := build.Project.Libraries[0].Version
	if err := renumber(tar.NewWriter(w), tar.NewReader(unpacked), pinned); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return packed.Bytes(), nil
})

// renumber copies a tarball, with otherVersion in the files that name the version.
func renumber(w *tar.Writer, r *tar.Reader, pinned string) error {
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return w.Close()
		}
		if err != nil {
			return err
		}
		text, err := io.ReadAll(r)
		if err != nil {
			return err
		}
		if base := path.Base(h.Name); base == "configure" || base == "VERSION" {
			text = bytes.ReplaceAll(text, []byte(pinned), []byte(otherVersion))
			h.Size = int64(len(text))
		}
		if err := w.WriteHeader(h); err != nil {
			return err
		}
		if _, err := w.Write(text); err != nil {
			return err
		}
	}
}

// snapshot serves a snapshot archive that has every locked package, and sets DEBIAN_SNAPSHOT.
func snapshot(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, !neg && len(args) == 0, "snapshot")
	s := &snapshotServer{}
	mux := http.NewServeMux()
	mux.HandleFunc("/mr/binary/{name}/{version}/binfiles", s.list)
	mux.HandleFunc("/file/{hash}", s.file)
	server := httptest.NewServer(mux)
	ts.Defer(server.Close)
	ts.Setenv("DEBIAN_SNAPSHOT", server.URL)
}

type snapshotServer struct{ files sync.Map } // by SHA-1

// list names the files of a version, as Debian's own archive does.
func (s *snapshotServer) list(w http.ResponseWriter, r *http.Request) {
	result, info := []any{}, map[string]any{}
	for _, packages := range committed.Sets {
		for _, p := range packages {
			if p.Name != r.PathValue("name") || p.Version != r.PathValue("version") {
				continue
			}
			text, err := pinnedDeb(p)
			if err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
				return
			}
			sum := sha1.Sum(text)
			hash := hex.EncodeToString(sum[:])
			s.files.Store(hash, text)
			result = append(result, map[string]any{"architecture": p.Arch, "hash": hash})
			info[hash] = []any{map[string]any{"name": path.Base(p.Filename), "size": len(text)}}
		}
	}
	json.NewEncoder(w).Encode(map[string]any{"result": result, "fileinfo": info})
}

func (s *snapshotServer) file(w http.ResponseWriter, r *http.Request) {
	text, ok := s.files.Load(r.PathValue("hash"))
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Write(text.([]byte))
}

// forget takes a locked package out of the script's cache.
func forget(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, !neg && len(args) == 2, "forget SET NAME")
	for _, p := range committed.Sets[args[0]] {
		if p.Name == args[1] {
			err := os.Remove(filepath.Join(ts.Getenv("TCAPFLOW_CACHE"), "downloads", "sha256", p.SHA256))
			if !errors.Is(err, fs.ErrNotExist) { // it may never have been there
				ts.Check(err)
			}
			return
		}
	}
	ts.Fatalf("no %s in %s", args[1], args[0])
}
