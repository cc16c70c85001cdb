package debian

import (
	"errors"
	"maps"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/tcapflow/tcapflow/pipeline/internal/debian/debiantest"
	"github.com/tcapflow/tcapflow/pipeline/internal/fetch"
	"github.com/tcapflow/tcapflow/spec"
)

// withUpdates is a mirror with the archive of security updates beside its own: musl is newer
// in both, newest among the security updates, and musl-tools is there alone.
func withUpdates(t *testing.T) *fakeMirror {
	t.Helper()
	m := newMirror(t)
	m.Security = []string{strings.TrimSuffix(m.URL, "/debian") + "/debian-security"}
	m.suite(t, "", "trixie-updates", archiveDay.AddDate(0, 0, 1), map[string]string{
		Packages("amd64"): m.pool("musl", "1+deb13u1", "amd64") + m.pool("musl-dev", "0.9", "amd64"),
	})
	security := &fakeMirror{key: m.key, files: map[string][]byte{}}
	stanzas := security.pool("musl", "1+deb13u2", "amd64", "Depends: musl-tools") + security.pool("musl-tools", "1", "amd64")
	for path, deb := range security.files {
		m.files["/debian-security/"+path] = deb
	}
	m.suite(t, "/debian-security/", "trixie-security", archiveDay.AddDate(0, 0, 2), map[string]string{Packages("amd64"): stanzas})
	return m
}

func (m *fakeMirror) suite(t *testing.T, below, suite string, day time.Time, indexes map[string]string) {
	t.Helper()
	files, err := m.key.Publish(suite, day, indexes)
	if err != nil {
		t.Fatal(err)
	}
	for path, text := range files {
		m.files[below+path] = text
	}
}

var muslOf = []spec.PackageSet{
	{Name: "sysroot", Arches: []string{"amd64"}, Packages: []string{"musl-dev"}},
	{Name: "sysroot", Arches: []string{"i386"}, Packages: []string{"musl"}},
}

// all names the packages of a set, with version and archive.
func (l Lock) all(set, arch string) string {
	var words []string
	for _, p := range l.Sets[set+"/"+arch] {
		words = append(words, strings.Trim(p.Name+" "+p.Version+" "+p.Archive, " "))
	}
	return strings.Join(words, ", ")
}

// The newest of a release, its updates and its security updates is taken, with what that
// depends on, and fetched from the archive that has it.
func TestUpdates(t *testing.T) {
	m := withUpdates(t)
	lock, err := m.Resolve(t.Context(), Origins("trixie"), true, muslOf)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := lock.all("sysroot", "amd64"), "musl 1+deb13u2 debian-security, musl-dev 1, musl-tools 1 debian-security"; got != want {
		t.Errorf("amd64: %s; want %s", got, want)
	}
	if got := lock.all("sysroot", "i386"); got != "musl 1" {
		t.Errorf("i386, which has no updates: %s", got)
	}
	want := []Origin{
		{"trixie-updates", "", archiveDay.AddDate(0, 0, 1)}, {"trixie-security", Security, archiveDay.AddDate(0, 0, 2)},
	}
	if len(lock.Updates) != 2 || lock.Updates[0] != want[0] || lock.Updates[1] != want[1] {
		t.Errorf("updates are %v; want %v", lock.Updates, want)
	}
	text, err := lock.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	read, err := ParseLock(text)
	if err != nil || len(read.Changes(lock)) > 0 || len(read.Updates) != 2 {
		t.Errorf("the lock comes back as %+v, %v", read, err)
	}
	packages := read.Sets["sysroot/amd64"]
	paths, err := m.Debs(t.Context(), packages)
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range packages {
		if text, err := os.ReadFile(paths[i]); err != nil || string(text) != "deb of "+p.Name+" "+p.Version+" for amd64" {
			t.Errorf("%s is %q, %v", p.Name, text, err)
		}
	}
}

// Each of the suites is protected against older states of it.
func TestUpdatesRollback(t *testing.T) {
	m := withUpdates(t)
	lock, err := m.Resolve(t.Context(), Origins("trixie"), false, muslOf)
	if err != nil {
		t.Fatal(err)
	}
	for suite, below := range map[string]string{"trixie": "", "trixie-updates": "", "trixie-security": "/debian-security/"} {
		t.Run(suite, func(t *testing.T) {
			old := withUpdates(t)
			old.Keyring, old.key = m.Keyring, m.key
			old.files = maps.Clone(m.files)
			old.NotBefore = lock.NotBefore()
			if _, err := old.Resolve(t.Context(), lock.Origins(), false, muslOf); err != nil {
				t.Fatalf("the state of the lock itself: %v", err)
			}
			old.suite(t, below, suite, archiveDay.AddDate(0, 0, -1), map[string]string{
				Packages("amd64"): old.pool("musl", "0", "amd64"), Packages("i386"): old.pool("musl", "0", "i386"),
			})
			_, err := old.Resolve(t.Context(), lock.Origins(), false, muslOf)
			if err == nil || !strings.Contains(err.Error(), "its InRelease for "+suite+" is of 2026-09-11") {
				t.Errorf("an older state of %s: %v", suite, err)
			}
		})
	}
}

// A lock that records the updates has to be renewed with them; one that does not is taken
// without, with a line.
func TestUpdatesAway(t *testing.T) {
	m := withUpdates(t)
	m.remove("trixie-security")
	var notes []string
	m.Note = func(format string, args ...any) { notes = append(notes, format) }
	lock, err := m.Resolve(t.Context(), Origins("trixie"), true, muslOf)
	if err != nil {
		t.Fatal(err)
	}
	if len(lock.Updates) != 1 || lock.Updates[0].Suite != "trixie-updates" {
		t.Errorf("updates are %v", lock.Updates)
	}
	if !strings.Contains(strings.Join(notes, "\n"), "the lock is without") {
		t.Errorf("nothing is said: %q", notes)
	}
	if _, err := m.Resolve(t.Context(), Origins("trixie"), false, muslOf); !errors.Is(err, ErrUnavailable) {
		t.Errorf("a lock lost its security updates in silence: %v", err)
	}
	m.Security = nil
	if _, err := m.Resolve(t.Context(), Origins("trixie"), false, muslOf); !errors.Is(err, ErrUnavailable) {
		t.Errorf("without a mirror of the security updates: %v", err)
	}
}

// What is locked of an archive that no mirror is known for is gone, unless it is in the cache.
func TestDebsOfNoMirror(t *testing.T) {
	m := withUpdates(t)
	lock, err := m.Resolve(t.Context(), Origins("trixie"), false, muslOf)
	if err != nil {
		t.Fatal(err)
	}
	security := m.Mirror
	m.Security = nil
	if _, err := m.Debs(t.Context(), lock.Sets["sysroot/amd64"]); !errors.Is(err, fetch.ErrGone) || !errors.Is(err, ErrUnavailable) {
		t.Errorf("got %v", err)
	}
	if _, err := security.Debs(t.Context(), lock.Sets["sysroot/amd64"]); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Debs(t.Context(), lock.Sets["sysroot/amd64"]); err != nil {
		t.Errorf("all is in the cache: %v", err)
	}
}

// A security update that a stranger signed is an error, not an archive that is away.
func TestUpdatesForged(t *testing.T) {
	m := withUpdates(t)
	key, err := debiantest.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	own := m.key
	m.key = key
	m.suite(t, "/debian-security/", "trixie-security", archiveDay, map[string]string{Packages("amd64"): m.pool("musl", "9", "amd64")})
	m.key = own
	if _, err := m.Resolve(t.Context(), Origins("trixie"), true, muslOf); !errors.Is(err, ErrForged) {
		t.Errorf("got %v", err)
	}
}

// Of a suite that no lock has, the newest state that was seen counts.
func TestSeen(t *testing.T) {
	m := newMirror(t)
	if _, err := m.Suite(t.Context(), "trixie"); err != nil {
		t.Fatal(err)
	}
	m.publish(t, archiveDay.AddDate(0, 0, -1), "1")
	if _, err := m.Suite(t.Context(), "trixie"); err == nil || !strings.Contains(err.Error(), "older than that of 2026-09-12") {
		t.Errorf("an older state: %v", err)
	}
	m.publish(t, archiveDay.AddDate(0, 0, 1), "1")
	if _, err := m.Suite(t.Context(), "trixie"); err != nil {
		t.Error(err)
	}
}

func TestLockOfAnUnknownArchive(t *testing.T) {
	for _, text := range []string{
		`{"suite":"trixie","date":"2026-09-12T07:55:41Z","sets":{"a/amd64":[{"name":"x","archive":"../elsewhere"}]}}`,
		`{"suite":"trixie","date":"2026-09-12T07:55:41Z","updates":[{"suite":"../x","date":"2026-09-12T07:55:41Z"}],"sets":{}}`,
		`{"suite":"trixie","date":"2026-09-12T07:55:41Z","updates":[{"suite":"x","archive":"y","date":"2026-09-12T07:55:41Z"}],"sets":{}}`,
	} {
		if _, err := ParseLock([]byte(text)); err == nil || !strings.Contains(err.Error(), "is not known") {
			t.Errorf("%s: %v", text, err)
		}
	}
}
