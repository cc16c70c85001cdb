package pipeline

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tcapflow/tcapflow/build/defaults"

	bd "github.com/tcapflow/tcapflow/build/debian"
	"github.com/tcapflow/tcapflow/pipeline/internal/debian"
	"github.com/tcapflow/tcapflow/pipeline/internal/debian/debiantest"
	"github.com/tcapflow/tcapflow/pipeline/internal/fault"
	"github.com/tcapflow/tcapflow/pipeline/internal/fetch"
	"github.com/tcapflow/tcapflow/pipeline/internal/options"
	"github.com/tcapflow/tcapflow/pipeline/internal/progress"
	"github.com/tcapflow/tcapflow/spec"
)

// pool is a Debian archive with one package, musl, for two architectures.
type pool struct {
	t     *testing.T
	key   debiantest.Key
	files map[string][]byte
}

func (p *pool) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	text, ok := p.files[strings.TrimPrefix(r.URL.Path, "/debian/")]
	if !ok {
		http.NotFound(w, r)
	}
	w.Write(text)
}

var (
	lockDay = time.Date(2026, 9, 12, 0, 0, 0, 0, time.UTC)
	musl    = spec.PackageSet{Name: "musl", Packages: []string{"musl"}}
	amd64   = only(musl, "amd64")
	i386    = only(musl, "i386")
)

// publish puts a version into the archive, so many days after lockDay.
func (p *pool) publish(version string, days int) {
	indexes := map[string]string{}
	for _, arch := range []string{"amd64", "i386"} {
		deb := []byte("musl " + version + " for " + arch)
		file := "pool/musl_" + version + "_" + arch + ".deb"
		p.files[file] = deb
		stanza := debiantest.Stanza("musl", version, arch, file, int64(len(deb)), debiantest.Digest(deb))
		indexes[debian.Packages(arch)] = stanza
	}
	files, err := p.key.Publish(bd.Base.Suite, lockDay.AddDate(0, 0, days), indexes)
	if err != nil {
		p.t.Fatal(err)
	}
	maps.Copy(p.files, files)
}

// drop takes files whose path contains part out of the archive.
func (p *pool) drop(part string) {
	maps.DeleteFunc(p.files, func(name string, _ []byte) bool { return strings.Contains(name, part) })
}

// newPool is an archive, and bases with a lock of version 1 in it and an empty cache.
func newPool(t *testing.T) (*pool, *bases, *bytes.Buffer) {
	t.Helper()
	key, err := debiantest.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	p := &pool{t: t, key: key, files: map[string][]byte{}}
	p.publish("1", 0)
	server := httptest.NewServer(p)
	t.Cleanup(server.Close)
	log, dir := &bytes.Buffer{}, t.TempDir()
	b := &bases{spec: bd.Base, log: progress.New(log, false), renewals: filepath.Join(dir, "lock.json")}
	b.debian.Mirror = debian.Mirror{URL: server.URL + "/debian", Keyring: key.Keyring,
		Cache: &fetch.Cache{Dir: dir, Pause: time.Microsecond}, Pauses: []time.Duration{time.Microsecond}}
	lock, err := b.debian.Mirror.Resolve(t.Context(), debian.Origins(bd.Base.Suite)[:1], false, []spec.PackageSet{amd64, i386})
	if err != nil {
		t.Fatal(err)
	}
	b.debian.Lock = lock
	return p, b, log
}

// versions are those of the sets of a lock, as "musl/amd64 1".
func versions(l debian.Lock) string {
	var words []string
	for _, set := range slices.Sorted(maps.Keys(l.Sets)) {
		words = append(words, set+" "+l.Sets[set][0].Version)
	}
	return strings.Join(words, ", ")
}

// Only what has lost a package is resolved again, also while the index of the rest cannot
// be had; the next run goes on from there, and so does one that wants more.
func TestRenew(t *testing.T) {
	p, b, log := newPool(t)
	both := []spec.PackageSet{amd64, i386}
	p.publish("2", 70)
	p.drop("musl_1_amd64")
	p.drop("binary-i386")
	cause := fmt.Errorf("musl_1_amd64.deb: %w", fetch.ErrGone)
	if err := b.renew(t.Context(), both, cause); err != nil {
		t.Fatal(err)
	}
	if got := versions(b.debian.Lock); got != "musl/amd64 2, musl/i386 1" {
		t.Errorf("the run has %s", got)
	}
	if got := versions(b.renewed()); got != "musl/amd64 2" {
		t.Errorf("the next run gets %s", got)
	}
	const moved = "the mirror has moved on (musl_1_amd64.deb: not on the server); resolving again"
	if !strings.Contains(log.String(), moved) {
		t.Errorf("said %q", log)
	}

	p.publish("3", 71)
	if err := os.Remove(b.debian.Mirror.Cache.Path(b.debian.Lock.Sets["musl/i386"][0].SHA256)); err != nil {
		t.Fatal(err)
	}
	p.drop("musl_1_i386")
	if err := b.have(t.Context(), i386); err != nil {
		t.Fatal(err)
	}
	kept := b.renewed()
	if got := versions(kept); got != "musl/amd64 2, musl/i386 3" || !kept.Date.Equal(lockDay.AddDate(0, 0, 71)) {
		t.Errorf("the next run gets %s of %s", got, kept.Date)
	}
	if got := versions(b.debian.Lock); got != "musl/amd64 2, musl/i386 3" {
		t.Errorf("the run has %s", got)
	}
}

// What is there is not resolved again.
func TestHave(t *testing.T) {
	p, b, log := newPool(t)
	p.drop("dists")
	if err := b.have(t.Context(), amd64); err != nil || log.Len() > 0 {
		t.Errorf("%v, %q", err, log)
	}
	b.debian.Mirror.URL = "http://127.0.0.1:1/debian"
	err := b.have(t.Context(), i386)
	if !errors.Is(err, debian.ErrUnavailable) || log.Len() > 0 {
		t.Errorf("a mirror that is away has not moved on: %v, %q", err, log)
	}
}

func TestRenewLocked(t *testing.T) {
	p, b, _ := newPool(t)
	b.o.Locked = true
	p.publish("2", 70)
	p.drop("musl_1_")
	err := b.have(t.Context(), amd64)
	var f *fault.Error
	const next = "\n  next: `mage images:lock` renews the lock; look at the change, then commit it"
	if !errors.As(err, &f) || f.Code != fault.Fetch ||
		!strings.HasPrefix(err.Error(), "a locked package is gone: ") || !strings.HasSuffix(err.Error(), next) {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(b.renewals); err == nil {
		t.Error("a locked run has written another lock")
	}
}

// A file in the cache that is damaged costs a resolution, no more.
func TestRenewedDamaged(t *testing.T) {
	_, b, log := newPool(t)
	if err := os.WriteFile(b.renewals, []byte("{"), 0o644); err != nil {
		t.Fatal(err)
	}
	const says = " is damaged and is not used"
	if got := b.renewed(); len(got.Sets) > 0 || !strings.Contains(log.String(), "warning: "+b.renewals+says) {
		t.Errorf("%+v, said %q", got, log)
	}
}

// Many packages meet the same fault of a mirror.
func TestMirrorSaysOnce(t *testing.T) {
	var said []string
	o := options.Options{Mirrors: []string{"http://127.0.0.1:1/debian", "http://127.0.0.1:2/debian"}, Cache: t.TempDir()}
	note := func(format string, args ...any) { said = append(said, fmt.Sprintf(format, args...)) }
	m := debianMirror(bd.Base, o, debian.Lock{}, note)
	m.Cache.Pause = time.Microsecond
	for _, file := range []string{"a.deb", "b.deb"} {
		packages := []debian.Package{{Filename: file, SHA256: strings.Repeat("0", 64)}}
		if _, err := m.Debs(t.Context(), packages); !errors.Is(err, debian.ErrUnavailable) {
			t.Errorf("%s: %v", file, err)
		}
	}
	want := "http://127.0.0.1:1/debian: dial tcp 127.0.0.1:1: connect: connection refused; " +
		"going on to http://127.0.0.1:2/debian"
	if len(said) != 1 || said[0] != want {
		t.Errorf("said %q, want %q", said, want)
	}
}

func TestBuilderSets(t *testing.T) {
	targets, err := defaults.Targets.Select("linux/amd64,linux/arm/v7")
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, set := range (&bases{spec: bd.Base}).sets("arm64", targets) {
		for _, arch := range set.Arches {
			keys = append(keys, debian.SetKey(set, arch))
		}
	}
	if want := []string{"tools/arm64", "sysroot/amd64", "sysroot/armhf"}; !slices.Equal(keys, want) {
		t.Errorf("got %q, want %q", keys, want)
	}
	if len(bd.Base.Tools.Arches) < 2 {
		t.Error("the table itself has changed")
	}
}
