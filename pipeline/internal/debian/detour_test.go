package debian

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tcapflow/tcapflow/pipeline/internal/fault"
	"github.com/tcapflow/tcapflow/pipeline/internal/fetch"
	"github.com/tcapflow/tcapflow/spec"
)

// second adds a mirror of the same archive.
func (m *fakeMirror) second(t *testing.T) *fakeMirror {
	t.Helper()
	other := newMirrorOf(t, m.key)
	m.Others = append(m.Others, other.URL)
	return other
}

// halfUpdated makes InRelease new, and the indexes of all architectures but the given one
// old; by-hash has not the new ones either. So a mirror looked for days in November 2026.
func (m *fakeMirror) halfUpdated(t *testing.T, whole string) {
	t.Helper()
	old := map[string][]byte{}
	for path, text := range m.files {
		if strings.Contains(path, "/binary-") && !strings.Contains(path, "/binary-"+whole+"/") {
			old[path] = text
		}
	}
	m.publish(t, archiveDay.AddDate(0, 0, 70), "2")
	for path := range m.files {
		if strings.Contains(path, "/binary-") && !strings.Contains(path, "/binary-"+whole+"/") {
			delete(m.files, path)
		}
	}
	for path, text := range old {
		m.files[path] = text
	}
}

// said collects what the user is told.
func (m *fakeMirror) said() *[]string {
	var lines []string
	m.Note = func(format string, args ...any) {
		m.mu.Lock()
		defer m.mu.Unlock()
		lines = append(lines, fmt.Sprintf(format, args...))
	}
	return &lines
}

// between sees that a text begins and ends so.
func between(t *testing.T, text, begin, end string) {
	t.Helper()
	if !strings.HasPrefix(text, begin) || !strings.HasSuffix(text, end) {
		t.Errorf("got  %s\nwant %s … %s", text, begin, end)
	}
}

var (
	muslAmd64 = spec.PackageSet{Name: "sysroot", Arches: []string{"amd64"}, Packages: []string{"musl-dev"}}
	muslBoth  = spec.PackageSet{Name: "musl", Arches: []string{"amd64", "i386"}, Packages: []string{"musl"}}
)

// What is not wanted cannot fail.
func TestHalfUpdatedOfNoConcern(t *testing.T) {
	m := newMirror(t)
	m.halfUpdated(t, "amd64")
	lock, err := m.Resolve(t.Context(), release, false, []spec.PackageSet{muslAmd64})
	if err != nil || lock.Sets["sysroot/amd64"][0].Version != "2" {
		t.Errorf("%+v, %v", lock, err)
	}
	if n := m.askedFor("binary-i386"); n > 0 {
		t.Errorf("asked %d times for an index that nobody wants", n)
	}
}

func TestHalfUpdated(t *testing.T) {
	m := newMirror(t)
	m.halfUpdated(t, "amd64")
	said := m.said()
	_, err := m.Resolve(t.Context(), release, false, []spec.PackageSet{muslBoth})
	if !errors.Is(err, ErrUpdating) || !errors.Is(err, ErrUnavailable) || code(err) != fault.Fetch {
		t.Errorf("got %v", err)
	}
	want := m.URL + ": in the middle of an update: its InRelease of 2026-11-21 for trixie names a " +
		"main/binary-i386/Packages.xz that it does not have yet: "
	between(t, fmt.Sprint(err), want, ": an update takes hours, now and then days")
	if strings.Contains(err.Error(), "do not use this file") {
		t.Errorf("%v: there is nothing wrong with the file", err)
	}
	if n := m.askedFor("InRelease"); n != 1+len(m.Pauses) {
		t.Errorf("asked %d times", n)
	}
	between(t, strings.Join(*said, "\n"), want, ": SHA-256 differs; trying again")
}

// The update ends while we wait.
func TestHalfUpdatedForAMoment(t *testing.T) {
	m := newMirror(t)
	m.halfUpdated(t, "amd64")
	m.Note = func(string, ...any) {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.publish(t, archiveDay.AddDate(0, 0, 71), "3")
	}
	lock, err := m.Resolve(t.Context(), release, false, []spec.PackageSet{muslBoth})
	if err != nil || lock.Sets["musl/amd64"][0].Version != "3" || lock.Sets["musl/i386"][0].Version != "3" {
		t.Errorf("%+v, %v", lock, err)
	}
}

// The next mirror is taken whole: of the first one nothing is used, though its index of
// amd64 is newer and good.
func TestHalfUpdatedNextMirror(t *testing.T) {
	m := newMirror(t)
	other := m.second(t)
	m.halfUpdated(t, "amd64")
	said := m.said()
	lock, err := m.Resolve(t.Context(), release, false, []spec.PackageSet{muslBoth})
	if err != nil || !lock.Date.Equal(archiveDay) {
		t.Fatalf("%+v, %v", lock, err)
	}
	for key, packages := range lock.Sets {
		if packages[0].Version != "1" {
			t.Errorf("%s is of the first mirror's InRelease", key)
		}
	}
	between(t, strings.Join(*said, "\n"), m.URL+": in the middle", "; going on to "+other.URL)
}

// A mirror that is away, stale, behind the lock, or that somebody has forged is passed by,
// and the user is told. Without another one it is the error.
func TestNextMirror(t *testing.T) {
	for name, c := range map[string]struct {
		spoil     func(t *testing.T, m *fakeMirror)
		says      string
		forAnyDay bool // the error is not of today alone
	}{
		"away": {func(t *testing.T, m *fakeMirror) { m.URL = "http://127.0.0.1:1/debian" },
			"connection refused", false},
		"empty": {func(t *testing.T, m *fakeMirror) { m.remove("") }, "/InRelease: not on the server", false},
		"stale": {func(t *testing.T, m *fakeMirror) {
			m.sign(t, releaseText)
		}, "past its Valid-Until of 2026-09-19", false},
		"behind": {func(t *testing.T, m *fakeMirror) { m.publish(t, archiveDay.AddDate(0, 0, -1), "0") },
			"of 2026-09-11, older than the lock's of 2026-09-12", false},
		"forged": {func(t *testing.T, m *fakeMirror) { m.edit("dists/trixie/InRelease", "Codename", "Codenane") },
			"bad signature", true},
		"another suite": {func(t *testing.T, m *fakeMirror) {
			m.sign(t, "Codename: sid\nDate: "+archiveDay.Format(time.RFC1123)+"\nSHA256:\n")
		}, `is of suite "sid"`, true},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMirror(t)
			m.NotBefore = map[string]time.Time{"trixie": archiveDay}
			other := newMirrorOf(t, m.key)
			c.spoil(t, m)
			said := m.said()
			_, err := m.Resolve(t.Context(), release, false, []spec.PackageSet{muslAmd64})
			anotherDay := errors.Is(err, ErrUnavailable)
			if code(err) != fault.Fetch || !strings.Contains(firstLine(err), c.says) || anotherDay == c.forAnyDay {
				t.Errorf("alone: %v; to be had another day: %t", err, anotherDay)
			}
			m.Others = []string{other.URL}
			if _, err := m.Resolve(t.Context(), release, false, []spec.PackageSet{muslAmd64}); err != nil {
				t.Errorf("with another one: %v", err)
			}
			line := strings.Join(*said, "\n")
			between(t, line, m.URL, "; going on to "+other.URL)
			if strings.Count(line, c.says) != 1 {
				t.Errorf("said %s", line)
			}
		})
	}
}

// The error of several mirrors names all of them, with the step for the first.
func TestNoMirror(t *testing.T) {
	m := newMirror(t)
	other := m.second(t)
	m.halfUpdated(t, "amd64")
	other.remove("dists")
	_, err := m.Suite(t.Context(), "trixie", Packages("i386"))
	for _, kind := range []error{ErrUnavailable, ErrUpdating, fetch.ErrGone} {
		if !errors.Is(err, kind) || code(err) != fault.Fetch {
			t.Errorf("%v is not: %v", err, kind)
		}
	}
	line, next, _ := strings.Cut(fmt.Sprint(err), "\n")
	between(t, line, m.URL+": in the middle", "; "+other.URL+"/dists/trixie/InRelease: not on the server")
	between(t, next, "  next: wait, or name another mirror", "days")
	other.files["dists/trixie/InRelease"] = []byte("forged")
	if _, err := m.Suite(t.Context(), "trixie", Packages("i386")); errors.Is(err, ErrUnavailable) {
		t.Errorf("%v: somebody has to look at that", err)
	}
}

// locked resolves the two packages of amd64 and forgets what was asked for that.
func (m *fakeMirror) locked(t *testing.T) []Package {
	t.Helper()
	lock, err := m.Resolve(t.Context(), release, false, []spec.PackageSet{muslAmd64})
	if err != nil {
		t.Fatal(err)
	}
	m.asked = nil
	return lock.Sets["sysroot/amd64"]
}

func TestDebsOfNextMirror(t *testing.T) {
	m := newMirror(t)
	other := m.second(t)
	packages := m.locked(t)
	m.remove("pool/main/musl-dev_")
	said := m.said()
	paths, err := m.Debs(t.Context(), packages)
	if err != nil || slices.Contains(paths, "") {
		t.Fatalf("%q, %v", paths, err)
	}
	if text, err := os.ReadFile(paths[1]); err != nil || string(text) != "deb of musl-dev 1 for amd64" {
		t.Errorf("%s, %v", text, err)
	}
	if want := []string{"pool/main/musl-dev_1_amd64.deb"}; !slices.Equal(other.asked, want) {
		t.Errorf("the second mirror was asked for %q", other.asked)
	}
	between(t, strings.Join(*said, "\n"), m.URL, "musl-dev_1_amd64.deb: not on the server; going on to "+other.URL)
}

// Of a locked file with other bytes somebody has to be told, whoever else has the right one.
func TestDebsForged(t *testing.T) {
	m := newMirror(t)
	other := m.second(t)
	packages := m.locked(t)
	m.edit("pool/main/musl-dev_1_amd64.deb", "deb", "bed")
	_, err := m.Debs(t.Context(), packages)
	if !errors.Is(err, fetch.ErrDigest) || errors.Is(err, ErrUnavailable) {
		t.Errorf("got %v", err)
	}
	between(t, fmt.Sprint(err), m.URL, "  next: do not use this file; see who answers for that host, then for the pin")
	if len(other.asked) > 0 {
		t.Errorf("asked the second mirror for %q", other.asked)
	}
}

// That nobody answers does not mean that a package is gone: nothing is resolved anew then.
func TestDebsNobodyAnswers(t *testing.T) {
	m := newMirror(t)
	packages := m.locked(t)
	s := newSnapshotServer(t, m)
	m.URL, m.Others = "http://127.0.0.1:1/debian", []string{"http://127.0.0.1:2/debian"}
	_, err := m.Debs(t.Context(), packages)
	if errors.Is(err, fetch.ErrGone) || !errors.Is(err, ErrUnavailable) || code(err) != fault.Fetch {
		t.Errorf("got %v", err)
	}
	if len(s.asked) > 0 {
		t.Errorf("asked the snapshot archive for %q", s.asked)
	}
}

func TestPinned(t *testing.T) {
	m := newMirror(t)
	other := m.second(t)
	digest := sha([]byte("tar"))
	other.files["pool/main/libp/libpcap/libpcap_1.10.5.orig.tar.xz"] = []byte("tar")
	url := Placeholder + "/pool/main/libp/libpcap/libpcap_1.10.5.orig.tar.xz"
	if local, err := m.Pinned(t.Context(), url, digest); err != nil || local != m.Cache.Path(digest) {
		t.Errorf("%s, %v", local, err)
	}
	other.files["file"] = []byte("plain")
	if local, err := m.Pinned(t.Context(), other.URL+"/file", sha([]byte("plain"))); err != nil || local == "" {
		t.Errorf("a URL without a placeholder: %s, %v", local, err)
	}
	_, err := m.Pinned(t.Context(), Placeholder+"/none", sha([]byte("none")))
	if !errors.Is(err, fetch.ErrGone) {
		t.Errorf("nowhere: %v", err)
	}
}
