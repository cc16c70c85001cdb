package alpine

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	at "github.com/tcapflow/tcapflow/pipeline/internal/alpine/alpinetest"
	"github.com/tcapflow/tcapflow/pipeline/internal/fault"
	"github.com/tcapflow/tcapflow/pipeline/internal/fetch"
	"github.com/tcapflow/tcapflow/spec"
)

// fakeMirror is an Alpine archive in memory.
type fakeMirror struct {
	Mirror
	mu    sync.Mutex
	files map[string][]byte // by path below the mirror
	asked []string
}

func (m *fakeMirror) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	m.mu.Lock()
	defer m.mu.Unlock()
	name := strings.TrimPrefix(r.URL.Path, "/alpine/")
	m.asked = append(m.asked, r.Method+" "+name)
	text, ok := m.files[name]
	if !ok {
		http.NotFound(w, r)
		return
	}
	http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(text))
}

func (m *fakeMirror) drop(part string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	maps.DeleteFunc(m.files, func(name string, _ []byte) bool { return strings.Contains(name, part) })
}

// tools are the packages of the archive; zlib is in the second repository.
var tools = spec.PackageSet{Name: "tools", Arches: []string{"x86_64"}, Packages: []string{"clang"}}

// newArchive serves branch v3.24 with three packages for x86_64 and one for x86.
func newArchive(t *testing.T) *fakeMirror {
	t.Helper()
	m := &fakeMirror{files: map[string][]byte{}}
	server := httptest.NewServer(m)
	t.Cleanup(server.Close)
	m.Mirror = Mirror{URLs: []string{server.URL + "/alpine"}, Branch: "v3.24",
		Repositories: []string{"main", "community"},
		Keys:         testKey().Keys("x86_64", "x86"), Cache: &fetch.Cache{Dir: t.TempDir(), Pause: time.Microsecond}}
	m.publish(t, "1-r0", at.Day)
	return m
}

// publish puts a version of the packages into the archive, beside those that are there.
func (m *fakeMirror) publish(t *testing.T, version string, day time.Time) {
	t.Helper()
	m.mu.Lock()
	defer m.mu.Unlock()
	repositories := map[string][]at.Package{
		"main/x86_64": {
			{Name: "clang", Version: version, Arch: "x86_64", Licence: "Apache-2.0",
				Depends: "so:libz.so.1 musl"},
			{Name: "musl", Version: version, Arch: "x86_64", Licence: "MIT"}},
		"community/x86_64": {{Name: "zlib", Version: version, Arch: "noarch", Licence: "Zlib",
			Provides: "so:libz.so.1=1.3"}},
		"main/x86":      {{Name: "musl", Version: version, Arch: "x86", Licence: "MIT"}},
		"community/x86": {},
	}
	for place, packages := range repositories {
		var stanzas []string
		for _, p := range packages {
			a := apk(t, p, at.File("usr/share/"+p.Name, 0o644, p.Name+" "+version+" for "+place))
			m.files["v3.24/"+a.Path(place)] = a.Text
			stanzas = append(stanzas, a.Stanza)
		}
		index, err := testKey().Index("v3.24.2-14-g54a39ace82a", day, stanzas...)
		if err != nil {
			t.Fatal(err)
		}
		m.files["v3.24/"+place+"/APKINDEX.tar.gz"] = index
	}
}

func (m *fakeMirror) resolve(t *testing.T) Lock {
	t.Helper()
	lock, err := m.Resolve(t.Context(), []spec.PackageSet{tools})
	if err != nil {
		t.Fatal(err)
	}
	return lock
}

func TestResolveLockFetch(t *testing.T) {
	m := newArchive(t)
	musl := spec.PackageSet{Name: "sysroot", Arches: []string{"x86_64", "x86"}, Packages: []string{"musl"},
		NoDepends: true}
	lock, err := m.Resolve(t.Context(), []spec.PackageSet{tools, musl})
	if err != nil {
		t.Fatal(err)
	}
	text, err := lock.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	again, err := ParseLock(text)
	if err != nil || !slices.Equal(slices.Sorted(maps.Keys(again.Sets)),
		[]string{"sysroot/x86", "sysroot/x86_64", "tools/x86_64"}) {
		t.Fatalf("%v, %s", err, text)
	}
	if len(again.Indexes) != 4 || !again.Indexes["main/x86"].Equal(at.Day) {
		t.Errorf("indexes are %v", again.Indexes)
	}
	packages, err := again.Packages(tools, "x86_64")
	if err != nil || len(packages) != 3 || packages[2].Path != "community/x86_64/zlib-1-r0.apk" ||
		packages[2].Arch != "noarch" {
		t.Fatalf("%v, %+v", err, packages)
	}
	if len(lock.Changes(again)) > 0 || len(lock.Changes(Lock{})) != 5 {
		t.Errorf("changes: %q, %q", lock.Changes(again), lock.Changes(Lock{}))
	}
	// All is in the cache: nothing is asked for again.
	m.asked = nil
	paths, err := m.Fetch(t.Context(), packages)
	if err != nil || len(m.asked) > 0 || m.Offered(t.Context(), packages) != nil {
		t.Errorf("%v, asked %q", err, m.asked)
	}
	if text, err := os.ReadFile(paths[0]); err != nil ||
		!bytes.Equal(text, m.files["v3.24/main/x86_64/clang-1-r0.apk"]) {
		t.Error("not the package", err)
	}
	// Elsewhere it is fetched by its digest; no index is asked for.
	m.Cache = &fetch.Cache{Dir: t.TempDir(), Pause: time.Microsecond}
	if err := m.Offered(t.Context(), packages); err != nil {
		t.Error(err)
	}
	if _, err := m.Fetch(t.Context(), packages); err != nil {
		t.Error(err)
	}
	if slices.ContainsFunc(m.asked, func(call string) bool { return strings.Contains(call, "INDEX") }) ||
		len(m.asked) != 6 {
		t.Errorf("asked %q", m.asked)
	}
}

// Alpine's mirrors drop a version when there is a newer one.
func TestGone(t *testing.T) {
	m := newArchive(t)
	lock := m.resolve(t)
	packages, err := lock.Packages(tools, "x86_64")
	if err != nil {
		t.Fatal(err)
	}
	m.publish(t, "2-r0", at.Day.Add(time.Hour))
	m.drop("musl-1-r0")
	m.Cache = &fetch.Cache{Dir: t.TempDir(), Pause: time.Microsecond}
	for what, err := range map[string]error{"offered": m.Offered(t.Context(), packages),
		"fetch": second(m.Fetch(t.Context(), packages))} {
		if !errors.Is(err, fetch.ErrGone) || code(err) != fault.Fetch ||
			!strings.Contains(err.Error(), "musl-1-r0.apk: not on the server\n  next: name another mirror with ALPINE_MIRROR") {
			t.Errorf("%s: %v", what, err)
		}
	}
	newer := m.resolve(t)
	if got := newer.Changes(lock); len(got) != 3 || !strings.HasPrefix(got[0], "tools/x86_64 clang 1-r0 ") {
		t.Errorf("changes %q", got)
	}
	if day := lock.With(newer).Indexes["main/x86_64"]; !day.Equal(at.Day.Add(time.Hour)) {
		t.Errorf("together they are of %s", day)
	}
}

func second[T any](_ T, err error) error { return err }

func code(err error) fault.Code {
	var f *fault.Error
	if !errors.As(err, &f) {
		return 0
	}
	return f.Code
}

func TestResolveRefuses(t *testing.T) {
	const index = "v3.24/main/x86_64/APKINDEX.tar.gz"
	sign := func(t *testing.T, key at.Key, description string, day time.Time) []byte {
		text, err := key.Index(description, day, stanza("clang", "1-r0"))
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	for name, c := range map[string]struct {
		spoil func(t *testing.T, m *fakeMirror)
		says  string
	}{
		"a stranger's index": {func(t *testing.T, m *fakeMirror) {
			m.files[index] = sign(t, strangerKey(), "v3.24.0", at.Day)
		}, "APKINDEX.tar.gz: bad signature"},
		"another branch": {func(t *testing.T, m *fakeMirror) {
			m.files[index] = sign(t, testKey(), "v3.2.4-1-g0", at.Day)
		}, `is of "v3.2.4-1-g0", not of v3.24`},
		"held back": {func(t *testing.T, m *fakeMirror) {
			m.NotBefore = map[string]time.Time{"main/x86_64": at.Day.Add(time.Second)}
		}, "the mirror is stale, or somebody holds updates back"},
		"another machine's": {func(t *testing.T, m *fakeMirror) {
			m.Keys = testKey().Keys("x86")
		}, "which is no key for x86_64"},
		"no index":     {func(t *testing.T, m *fakeMirror) { m.drop("APKINDEX") }, "not on the server"},
		"an empty one": {func(t *testing.T, m *fakeMirror) { m.files[index] = nil }, "signatures: cut short"},
		"a web page":   {func(t *testing.T, m *fakeMirror) { m.files[index] = []byte("<html>welcome</html>") }, "gzip: invalid header"},
		"no packages": {func(t *testing.T, m *fakeMirror) { m.drop("clang-1") },
			"clang-1-r0.apk: not on the server"},
		"a stranger's package": {func(t *testing.T, m *fakeMirror) {
			text := m.files["v3.24/main/x86_64/clang-1-r0.apk"]
			m.files["v3.24/main/x86_64/clang-1-r0.apk"] = append(bytes.Clone(text[:len(text)-1]),
				text[len(text)-1]^1)
		}, "its files are others"},
		"longer": {func(t *testing.T, m *fakeMirror) {
			m.files["v3.24/main/x86_64/clang-1-r0.apk"] = append(m.files["v3.24/main/x86_64/clang-1-r0.apk"],
				0)
		}, "longer than announced"},
	} {
		t.Run(name, func(t *testing.T) {
			m := newArchive(t)
			c.spoil(t, m)
			_, err := m.Resolve(t.Context(), []spec.PackageSet{tools})
			if code(err) != fault.Fetch || !strings.Contains(err.Error(), c.says) ||
				strings.Count(err.Error(), "\n") != 1 {
				t.Errorf("got %v, want %q", err, c.says)
			}
		})
	}
	t.Run("nobody provides it", func(t *testing.T) {
		m := newArchive(t)
		set := spec.PackageSet{Name: "tools", Arches: []string{"x86_64"}, Packages: []string{"gcc"}}
		if _, err := m.Resolve(t.Context(), []spec.PackageSet{set}); err == nil ||
			!strings.Contains(err.Error(), "tools/x86_64: no such set in the index: gcc") {
			t.Errorf("got %v", err)
		}
	})
}

// Whatever is wrong with a mirror, the next one is asked, and the user told.
func TestNextMirror(t *testing.T) {
	bad, good := newArchive(t), newArchive(t)
	packages, err := good.resolve(t).Packages(tools, "x86_64")
	if err != nil {
		t.Fatal(err)
	}
	wrong := bytes.Repeat([]byte("x"), int(packages[1].Size))
	bad.files["v3.24/"+packages[0].Path] = wrong[:1]
	bad.files["v3.24/"+packages[1].Path] = wrong
	bad.drop("zlib")
	var mu sync.Mutex
	var said []string
	m := good.Mirror
	m.Note = func(format string, args ...any) { mu.Lock(); said = append(said, format); mu.Unlock() }
	m.URLs = []string{"http://127.0.0.1:1/alpine", bad.URLs[0], good.URLs[0]}
	m.Cache = &fetch.Cache{Dir: t.TempDir(), Pause: time.Microsecond}
	paths, err := m.Fetch(t.Context(), packages)
	if err != nil || len(paths) != 3 || len(said) < 4 {
		t.Errorf("%v, said %q", err, said)
	}
	m.Cache = &fetch.Cache{Dir: t.TempDir(), Pause: time.Microsecond}
	if err := m.Offered(t.Context(), packages); err != nil {
		t.Error(err)
	}
	m.URLs = m.URLs[:2]
	if err := m.Offered(t.Context(), packages); err == nil || errors.Is(err, fetch.ErrGone) {
		t.Errorf("a mirror that is away does not show that a package is gone: %v", err)
	}
	if _, err := m.Fetch(t.Context(), packages); err == nil || errors.Is(err, fetch.ErrGone) {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := m.Fetch(ctx, packages); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestParseLockRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"no JSON":       "{",
		"unknown field": `{"image":"alpine:3.24"}`,
		"path":          `{"branch":"v3.24","sets":{"a/x86":[{"path":"../../etc/passwd.apk","size":1,"sha256":"` + strings.Repeat("0", 64) + `"}]}}`,
		"digest":        `{"branch":"v3.24","sets":{"a/x86":[{"path":"main/x86/a-1.apk","size":1,"sha256":"../x"}]}}`,
		"size": `{"branch":"v3.24","sets":{"a/x86":[{"path":"main/x86/a-1.apk","size":0,"sha256":"` +
			strings.Repeat("0", 64) + `"}]}}`,
	} {
		if l, err := ParseLock([]byte(text)); err == nil {
			t.Errorf("%s: %+v", name, l)
		}
	}
	empty, err := ParseLock([]byte(`{"branch":"v3.24","indexes":{},"sets":{}}`))
	if err != nil || !empty.Empty() {
		t.Errorf("%v, %+v", err, empty)
	}
	if _, err := empty.Packages(tools, "x86_64"); !errors.Is(err, ErrNotLocked) ||
		err.Error() != "the lock of Alpine v3.24 names no packages for tools/x86_64" {
		t.Errorf("got %v", err)
	}
}
