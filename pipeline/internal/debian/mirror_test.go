package debian

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tcapflow/tcapflow/pipeline/internal/debian/debiantest"
	"github.com/tcapflow/tcapflow/pipeline/internal/fault"
	"github.com/tcapflow/tcapflow/pipeline/internal/fetch"
	"github.com/tcapflow/tcapflow/spec"
)

// fakeMirror is a Debian archive in memory.
type fakeMirror struct {
	Mirror
	key   debiantest.Key
	mu    sync.Mutex
	files map[string][]byte // by path
	asked []string
}

func sha(b []byte) string { return debiantest.Digest(b) }

// newMirror serves suite trixie with an index of two packages for amd64, one for i386 and
// a source package.
func newMirror(t *testing.T) *fakeMirror {
	t.Helper()
	key, err := debiantest.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	return newMirrorOf(t, key)
}

func newMirrorOf(t *testing.T, key debiantest.Key) *fakeMirror {
	t.Helper()
	m := &fakeMirror{key: key, files: map[string][]byte{}}
	s := httptest.NewServer(m)
	t.Cleanup(s.Close)
	m.Mirror = Mirror{URL: s.URL + "/debian", Keyring: key.Keyring,
		Cache:  &fetch.Cache{Dir: t.TempDir(), Pause: time.Microsecond},
		Pauses: []time.Duration{time.Microsecond, time.Microsecond}}
	m.publish(t, archiveDay, "1")
	m.files["dists/other/InRelease"] = m.files["dists/trixie/InRelease"]
	return m
}

// release is the suite of these archives, alone.
var release = Origins("trixie")[:1]

var archiveDay = time.Date(2026, 9, 12, 7, 55, 41, 0, time.UTC)

// publish puts a state of the archive there: all packages have the version. What was there
// before stays as far as it has another name, as in a real archive.
func (m *fakeMirror) publish(t *testing.T, day time.Time, version string) {
	t.Helper()
	orig := "libpcap_1.10.5.orig.tar.xz"
	indexes := map[string]string{
		Packages("amd64"): m.pool("musl", version, "amd64") + m.pool("musl-dev", version, "amd64", "Depends: musl"),
		Packages("i386"):  m.pool("musl", version, "i386"),
		Sources: "Package: libpcap\nVersion: 1:1.10.5-2\nDirectory: pool/main/libp/libpcap\nChecksums-Sha256:\n " +
			sha(nil) + " 2 libpcap_1.10.5-2.dsc\n " + sha([]byte("tar")) + " 3 " + orig + "\n " +
			sha(nil) + " 4 " + orig + ".asc\n " + sha(nil) + " 6 libpcap_1.10.5-2.debian.tar.xz\n\n" +
			"Package: libpcap\nExtra-Source-Only: yes\nVersion: 1.9-1\nDirectory: pool/old\nChecksums-Sha256:\n " +
			sha(nil) + " 5 libpcap_1.9.orig.tar.gz\n\n" +
			"Package: native\nVersion: 3\nDirectory: pool/n\nChecksums-Sha256:\n " + sha(nil) + " 2 native_3.tar.xz\n",
	}
	files, err := m.key.Publish("trixie", day, indexes)
	if err != nil {
		t.Fatal(err)
	}
	maps.Copy(m.files, files)
}

// pool puts a package into the pool and returns its stanza.
func (m *fakeMirror) pool(name, version, arch string, fields ...string) string {
	deb := []byte("deb of " + name + " " + version + " for " + arch)
	path := "pool/main/" + name + "_" + version + "_" + arch + ".deb"
	m.files[path] = deb
	return debiantest.Stanza(name, version, arch, path, int64(len(deb)), sha(deb), fields...)
}

func (m *fakeMirror) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	m.mu.Lock()
	defer m.mu.Unlock()
	path := strings.TrimPrefix(r.URL.Path, "/debian/")
	m.asked = append(m.asked, path)
	text, ok := m.files[path]
	if !ok {
		w.WriteHeader(http.StatusNotFound)
	}
	w.Write(text)
}

// askedFor counts the requests for paths that contain part.
func (m *fakeMirror) askedFor(part string) (n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, path := range m.asked {
		if strings.Contains(path, part) {
			n++
		}
	}
	return n
}

// remove takes away the files whose path contains part.
func (m *fakeMirror) remove(part string) {
	for path := range m.files {
		if strings.Contains(path, part) {
			delete(m.files, path)
		}
	}
}

func code(err error) fault.Code {
	var f *fault.Error
	if !errors.As(err, &f) {
		return 0
	}
	return f.Code
}

func TestMirror(t *testing.T) {
	m := newMirror(t)
	set := spec.PackageSet{Name: "sysroot", Arches: []string{"amd64"}, Packages: []string{"musl-dev"}}
	native := spec.PackageSet{Name: "x86", Arches: []string{"i386", "amd64"}, Packages: []string{"musl"}}
	lock, err := m.Resolve(t.Context(), release, false, []spec.PackageSet{set, native})
	if err != nil {
		t.Fatal(err)
	}
	if lock.Suite != "trixie" || len(lock.Sets) != 3 || lock.Sets["x86/i386"][0].Arch != "i386" || lock.Sets["x86/amd64"][0].Arch != "amd64" {
		t.Errorf("%+v", lock)
	}
	for _, path := range m.asked {
		if strings.HasSuffix(path, "Packages.xz") {
			t.Errorf("asked for %s though by-hash has it: an update of the mirror in between would break this", path)
		}
	}
	packages, err := lock.Packages(set, "amd64")
	if err != nil {
		t.Fatal(err)
	}
	paths, err := m.Debs(t.Context(), packages)
	if err != nil || len(paths) != 2 {
		t.Fatal(paths, err)
	}
	for i, name := range []string{"musl", "musl-dev"} {
		if text, err := os.ReadFile(paths[i]); err != nil || string(text) != "deb of "+name+" 1 for amd64" {
			t.Errorf("%d: %s, %v", i, text, err)
		}
	}
}

// Some mirrors keep no by-hash tree.
func TestMirrorWithoutByHash(t *testing.T) {
	m := newMirror(t)
	m.remove("by-hash")
	s, err := m.Suite(t.Context(), "trixie")
	if err != nil {
		t.Fatal(err)
	}
	if ix, err := s.Index(t.Context(), "amd64"); err != nil || len(ix.packages) != 2 {
		t.Errorf("%+v, %v", ix, err)
	}
}

func TestMirrorRefuses(t *testing.T) {
	index := func(m *fakeMirror) error {
		s, err := m.Suite(t.Context(), "trixie")
		if err == nil {
			_, err = s.Index(t.Context(), "amd64")
		}
		return err
	}
	for name, c := range map[string]struct {
		spoil func(m *fakeMirror)
		do    func(m *fakeMirror) error
		says  []string
		is    error
	}{
		"no such suite":  {do: func(m *fakeMirror) error { _, err := m.Suite(t.Context(), "none"); return err }, is: fetch.ErrGone, says: []string{"/dists/none/InRelease"}},
		"another suite":  {do: func(m *fakeMirror) error { _, err := m.Suite(t.Context(), "other"); return err }, says: []string{`"trixie"`, "DEBIAN_MIRROR"}},
		"bad signature":  {do: index, spoil: func(m *fakeMirror) { m.edit("dists/trixie/InRelease", "Codename", "Codenane") }, says: []string{"bad signature", "DEBIAN_MIRROR"}},
		"stranger's key": {do: index, spoil: func(m *fakeMirror) { _, m.Keyring = archiveKey(t) }, says: []string{"bad signature"}},
		"other index":    {do: index, spoil: func(m *fakeMirror) { m.editAll("binary-amd64", "\x00", "\x01") }, is: fetch.ErrDigest},
		"index moved on": {do: index, spoil: func(m *fakeMirror) { m.remove("binary-amd64") }, is: fetch.ErrGone},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMirror(t)
			if c.spoil != nil {
				c.spoil(m)
			}
			err := c.do(m)
			if code(err) != fault.Fetch || (c.is != nil && !errors.Is(err, c.is)) {
				t.Errorf("got %v", err)
			}
			for _, word := range c.says {
				if !strings.Contains(fmt.Sprint(err), word) {
					t.Errorf("%v does not say %s", err, word)
				}
			}
		})
	}
}

// sign replaces InRelease by a signed text.
func (m *fakeMirror) sign(t *testing.T, text string) {
	t.Helper()
	signed, err := m.key.Sign(text)
	if err != nil {
		t.Fatal(err)
	}
	m.files["dists/trixie/InRelease"] = signed
}

func (m *fakeMirror) edit(path, old, new string) {
	m.files[path] = bytes.Replace(m.files[path], []byte(old), []byte(new), 1)
}

func (m *fakeMirror) editAll(part, old, new string) {
	for path := range m.files {
		if strings.Contains(path, part) {
			m.edit(path, old, new)
		}
	}
}

func TestIndexOfUnknownArchitecture(t *testing.T) {
	s, err := newMirror(t).Suite(t.Context(), "trixie")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Index(t.Context(), "vax"); err == nil || !strings.Contains(err.Error(), "binary-vax") {
		t.Errorf("got %v", err)
	}
}

// A mirror that has moved on since the lock was taken has other .deb files.
func TestDebsGone(t *testing.T) {
	m := newMirror(t)
	lock, err := m.Resolve(t.Context(), release, false, []spec.PackageSet{{Name: "s", Arches: []string{"amd64"}, Packages: []string{"musl-dev"}}})
	if err != nil {
		t.Fatal(err)
	}
	m.remove("musl-dev_1_")
	if _, err := m.Debs(t.Context(), lock.Sets["s/amd64"]); !errors.Is(err, fetch.ErrGone) || code(err) != fault.Fetch || !strings.Contains(err.Error(), "musl-dev_1_amd64.deb") {
		t.Errorf("got %v", err)
	}
}

func TestResolveNamesTheSet(t *testing.T) {
	sets := []spec.PackageSet{{Name: "tools", Arches: []string{"i386"}, Packages: []string{"musl-dev"}}}
	if _, err := newMirror(t).Resolve(t.Context(), release, false, sets); err == nil || !strings.Contains(err.Error(), "tools/i386") || !strings.Contains(err.Error(), "musl-dev") {
		t.Errorf("got %v", err)
	}
}

func TestSource(t *testing.T) {
	m := newMirror(t)
	s, err := m.Suite(t.Context(), "trixie")
	if err != nil {
		t.Fatal(err)
	}
	got, err := s.Source(t.Context(), "libpcap")
	want := Source{Version: "1.10.5", URL: m.URL + "/pool/main/libp/libpcap/libpcap_1.10.5.orig.tar.xz", File: File{SHA256: sha([]byte("tar")), Size: 3}}
	if err != nil || got != want {
		t.Errorf("got %+v, %v", got, err)
	}
	for _, name := range []string{"none", "native"} {
		if _, err := s.Source(t.Context(), name); err == nil || !strings.Contains(err.Error(), "no source of "+name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if asked := slices.DeleteFunc(m.asked, func(path string) bool { return strings.Contains(path, "/by-hash/") }); len(asked) != 1 {
		t.Errorf("asked for %q", asked)
	}
}
