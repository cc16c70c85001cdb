package pipeline

import (
	"bytes"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tcapflow/tcapflow/build/defaults"
	"github.com/tcapflow/tcapflow/pipeline/internal/alpine"
	at "github.com/tcapflow/tcapflow/pipeline/internal/alpine/alpinetest"
	"github.com/tcapflow/tcapflow/pipeline/internal/cache"
	"github.com/tcapflow/tcapflow/pipeline/internal/engine"
	"github.com/tcapflow/tcapflow/pipeline/internal/fault"
	"github.com/tcapflow/tcapflow/pipeline/internal/fetch"
	"github.com/tcapflow/tcapflow/pipeline/internal/files"
	"github.com/tcapflow/tcapflow/pipeline/internal/image"
	"github.com/tcapflow/tcapflow/pipeline/internal/options"
	"github.com/tcapflow/tcapflow/pipeline/internal/plan"
	"github.com/tcapflow/tcapflow/pipeline/internal/progress"
	"github.com/tcapflow/tcapflow/spec"
)

// apkPool is an Alpine archive with busybox and musl for x86_64, and a base that is locked to it.
type apkPool struct {
	t      *testing.T
	url    string
	mu     sync.Mutex
	files  map[string][]byte
	asked  int
	silent bool // it does not answer, until who asks goes away
}

var apkKey = sync.OnceValues(func() (at.Key, error) { return at.NewKey("test-0001.rsa.pub") })

func (p *apkPool) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	p.asked++
	text, ok := p.files[strings.TrimPrefix(r.URL.Path, "/")]
	silent := p.silent
	p.mu.Unlock()
	if silent {
		<-r.Context().Done()
		return
	}
	if !ok {
		http.NotFound(w, r)
		return
	}
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(text))
}

// publish puts a version of the packages into the archive, in the place of others.
func (p *apkPool) publish(version string) {
	p.t.Helper()
	key, err := apkKey()
	if err != nil {
		p.t.Fatal(err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.files = map[string][]byte{}
	var stanzas []string
	for _, name := range []string{"busybox", "musl"} {
		a, err := key.Package(at.Package{Name: name, Version: version, Arch: "x86_64"},
			at.File("usr/share/"+name, 0o644, version))
		if err != nil {
			p.t.Fatal(err)
		}
		p.files["v3.24/"+a.Path("main/x86_64")] = a.Text
		stanzas = append(stanzas, a.Stanza)
	}
	p.files["v3.24/main/x86_64/APKINDEX.tar.gz"], err = key.Index("v3.24.0", at.Day, stanzas...)
	if err != nil {
		p.t.Fatal(err)
	}
}

// apkTarget is the target that there is.
var apkTarget = []spec.Target{{Name: "linux/amd64", GOARCH: "amd64", Triple: "x86_64-linux-musl",
	Alpine: "x86_64"}}

// amd64Engine is one that is not asked for anything.
var amd64Engine = &engine.Engine{Arch: "amd64"}

func newAPKPool(t *testing.T) (*apkPool, *bases, *bytes.Buffer) {
	t.Helper()
	p := &apkPool{t: t}
	p.publish("1.2.6-r0")
	server := httptest.NewServer(p)
	t.Cleanup(server.Close)
	p.url = server.URL
	key, err := apkKey()
	if err != nil {
		t.Fatal(err)
	}
	log, dir := &bytes.Buffer{}, t.TempDir()
	set := func(name, pkg string) spec.PackageSet {
		return spec.PackageSet{Name: name, Arches: []string{"x86_64"}, Packages: []string{pkg}}
	}
	b := &bases{log: progress.New(log, false), o: options.Options{Cache: dir},
		alpineRenewals: filepath.Join(dir, "alpine.json"), patience: 20 * time.Second}
	b.alpine = image.AlpineBase{
		Spec: spec.Alpine{Branch: "v3.24", Tools: set("tools", "busybox"), Sysroot: set("sysroot", "musl")},
		Mirror: alpine.Mirror{URLs: []string{server.URL}, Branch: "v3.24", Repositories: []string{"main"},
			Keys: key.Keys("x86_64")},
	}
	b.forgetDownloads()
	lock, err := b.alpine.Mirror.Resolve(t.Context(),
		[]spec.PackageSet{b.alpine.Spec.Tools, b.alpine.Spec.Sysroot})
	if err != nil {
		t.Fatal(err)
	}
	b.alpine.Lock = lock
	b.forgetDownloads()
	p.asked = 0
	return p, b, log
}

// forgetDownloads gives the base an empty cache.
func (b *bases) forgetDownloads() {
	dir, err := os.MkdirTemp(b.o.Cache, "downloads-")
	if err != nil {
		panic(err)
	}
	b.alpine.Mirror.Cache = &fetch.Cache{Dir: dir, Pause: time.Microsecond}
}

// Why it is not Alpine is one line, found out before an engine is needed.
func TestTryAlpineSays(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(p *apkPool, b *bases)
		says  string
		asks  bool
	}{
		"no lock": {func(p *apkPool, b *bases) { b.alpine.Lock = alpine.Lock{Branch: "v3.24"} },
			"the lock of Alpine v3.24 names no packages for tools/x86_64: `mage images:lock` writes it where", false},
		"out of date": {func(p *apkPool, b *bases) { p.publish("1.2.6-r1") },
			"the lock of Alpine's packages is out of date: http://", true},
		"away": {func(p *apkPool, b *bases) { b.alpine.Mirror.URLs = []string{"http://127.0.0.1:1/alpine"} },
			"connect: connection refused", false},
		"silent": {func(p *apkPool, b *bases) { p.silent, b.patience = true, 50*time.Millisecond },
			"no mirror of Alpine answers within 50ms", true},
		"failed before": {func(p *apkPool, b *bases) {
			expected, err := b.alpine.Builder("amd64", apkTarget)
			if err == nil {
				err = files.Write(b.record(expected, plan.HelloFor(apkTarget[0])), []byte("it cannot link"))
			}
			if err != nil {
				p.t.Fatal(err)
			}
		}, "it cannot link", false},
	} {
		t.Run(name, func(t *testing.T) {
			p, b, _ := newAPKPool(t)
			c.spoil(p, b)
			found, why, err := b.tryAlpine(t.Context(), amd64Engine, apkTarget)
			if err != nil || found.Ref != "" || !strings.Contains(why, c.says) ||
				strings.Contains(why, "\n") {
				t.Errorf("%+v, %v, says %q, want %q", found, err, why, c.says)
			}
			if p.mu.Lock(); (p.asked > 0) != c.asks {
				t.Errorf("asked %d times", p.asked)
			}
			p.mu.Unlock()
		})
	}
}

// What is there in the cache needs no mirror.
func TestOfferedFromCache(t *testing.T) {
	p, b, _ := newAPKPool(t)
	if why := b.offered(t.Context(), "amd64", apkTarget); why != "" || p.asked != 2 {
		t.Errorf("%q, asked %d times", why, p.asked)
	}
	packages, err := b.alpine.Packages("amd64", apkTarget)
	if err == nil {
		_, err = b.alpine.Mirror.Fetch(t.Context(), packages)
	}
	p.publish("2-r0")
	if why := b.offered(t.Context(), "amd64", apkTarget); why != "" || err != nil {
		t.Errorf("%q, %v", why, err)
	}
}

// A mirror that stops in the middle is given up.
func TestAssembleSoon(t *testing.T) {
	p, b, _ := newAPKPool(t)
	p.silent, b.patience = true, 30*time.Millisecond
	if _, err := b.assembleSoon(t.Context(), amd64Engine, apkTarget); !errors.Is(err, errSlow) {
		t.Errorf("got %v", err)
	}
}

// What is not locked, and what has gone, is resolved from the index and kept; a run with
// -locked does not.
func TestRenewAlpine(t *testing.T) {
	p, b, log := newAPKPool(t)
	sets := b.alpine.Sets("amd64", apkTarget)
	p.publish("1.2.6-r1")
	cause := errors.Join(fetch.ErrGone)
	b.o.Locked = true
	err := b.renewAlpine(t.Context(), sets, cause)
	if code := codeOf(err); code != fault.Fetch ||
		!strings.HasPrefix(err.Error(), "a locked package is gone: ") ||
		!strings.Contains(err.Error(), "next: `mage images:lock` renews the lock") {
		t.Errorf("got %v", err)
	}
	b.o.Locked = false
	if err := b.renewAlpine(t.Context(), sets, cause); err != nil {
		t.Fatal(err)
	}
	if kept := b.renewedAlpine(); len(kept.Sets) != 2 ||
		kept.Sets["sysroot/x86_64"][0].Version != "1.2.6-r1" {
		t.Errorf("the next run gets %+v", kept)
	}
	if b.alpine.Lock.Sets["tools/x86_64"][0].Version != "1.2.6-r1" ||
		!strings.Contains(log.String(), "resolving from the signed index") {
		t.Errorf("the run has %+v, said %q", b.alpine.Lock, log)
	}
	// Nothing is locked.
	_, cause = alpine.Lock{Branch: "v3.24"}.Packages(sets[0], "x86_64")
	b.o.Locked = true
	err = b.renewAlpine(t.Context(), sets, cause)
	if codeOf(err) != fault.Fetch || !strings.HasPrefix(err.Error(),
		"the lock of Alpine v3.24 names no packages for tools/x86_64\n  next: ") {
		t.Errorf("got %v", err)
	}
	// Of another branch, what was kept does not count.
	b.alpine.Spec.Branch = "v3.25"
	if kept := b.renewedAlpine(); len(kept.Sets) > 0 {
		t.Errorf("v3.25 gets %+v", kept)
	}
}

// A locked run, as that of `mage release -publish`, takes neither what was renewed nor a
// base without a lock; auto says why it is Debian.
func TestLockedAlpine(t *testing.T) {
	_, pool, _ := newAPKPool(t)
	project := defaults.Fill(spec.Project{Name: "x", Alpine: pool.alpine.Spec})
	project.Alpine.Lock = []byte(`{"branch":"v3.24","indexes":{},"sets":{}}`)
	o := options.Options{Cache: t.TempDir(), Mirrors: []string{"http://127.0.0.1:1"},
		AlpineMirrors: []string{pool.alpine.Mirror.URLs[0]}}
	text, err := pool.alpine.Lock.Bytes()
	if err == nil {
		err = os.WriteFile(renewalsFile(cache.Folder(o.Cache), project.Alpine.Lock), text, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	b, err := newBases(project, o, "go1.26.8", pool.log)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.alpine.Builder("amd64", apkTarget); err != nil {
		t.Errorf("an unlocked run does not take what was renewed: %v", err)
	}
	o.Locked = true
	if b, err = newBases(project, o, "go1.26.8", pool.log); err != nil {
		t.Fatal(err)
	}
	if _, err := b.ensureAlpine(t.Context(), amd64Engine, apkTarget); codeOf(err) != fault.Fetch ||
		!strings.Contains(err.Error(), "`mage images:lock`") {
		t.Errorf("got %v", err)
	}
	if _, why, err := b.tryAlpine(t.Context(), amd64Engine, apkTarget); err != nil ||
		!strings.Contains(why, "names no packages") {
		t.Errorf("%q, %v", why, err)
	}
	if found, err := b.presentAlpine(t.Context(), amd64Engine, apkTarget); err != nil || found.Ref != "" {
		t.Errorf("%+v, %v", found, err)
	}
}

func codeOf(err error) fault.Code {
	var f *fault.Error
	if !errors.As(err, &f) {
		return 0
	}
	return f.Code
}

// A locked run takes the committed lock alone, an unlocked one what was renewed, too. A lock
// of another branch names nothing.
func TestAlpineOfProject(t *testing.T) {
	_, b, _ := newAPKPool(t)
	text, err := b.alpine.Lock.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	project := spec.Project{Alpine: b.alpine.Spec}
	project.Alpine.Lock = text
	base, err := newAlpineBase(project, b.o, image.Toolchain{}, b.log.Note)
	if err != nil || len(base.Lock.Sets) != 2 || len(base.Mirror.NotBefore) != 1 {
		t.Errorf("%v, %+v", err, base.Lock)
	}
	project.Alpine.Branch = "v3.25"
	if base, err = newAlpineBase(project, b.o, image.Toolchain{}, b.log.Note); err != nil ||
		!base.Lock.Empty() || base.Mirror.Branch != "v3.25" {
		t.Errorf("%v, %+v", err, base.Lock)
	}
	project.Alpine.Lock = []byte(`{"image":"alpine:3.24"}`)
	if _, err = newAlpineBase(project, b.o, image.Toolchain{}, b.log.Note); err == nil {
		t.Error("a lock of an older form passes")
	}
}

// images:lock writes what the mirror has, and leaves the file where none answers.
func TestLockAlpine(t *testing.T) {
	pool, b, _ := newAPKPool(t)
	root := t.TempDir()
	file := filepath.Join(root, "lock.json")
	var stdout, stderr bytes.Buffer
	p := &Pipeline{o: options.Options{Root: root, Cache: t.TempDir(), AlpineMirrors: []string{pool.url}},
		stdout: &stdout, stderr: &stderr}
	p.project.Alpine = b.alpine.Spec
	p.project.Alpine.Keys, p.project.Alpine.Repositories = b.alpine.Mirror.Keys, []string{"main"}
	p.project.Alpine.Lock, p.project.Alpine.LockFile = []byte(`{"branch":"v3.24","indexes":{},"sets":{}}`), "lock.json"
	log := progress.New(&stderr, false)
	if err := p.lockAlpine(t.Context(), log); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	lock, err := alpine.ParseLock(text)
	if err != nil || len(lock.Sets) != 2 ||
		lock.Sets["tools/x86_64"][0].SHA256 != b.alpine.Lock.Sets["tools/x86_64"][0].SHA256 {
		t.Errorf("%v, %s", err, text)
	}
	if !strings.Contains(stdout.String(), "tools/x86_64 busybox 1.2.6-r0 ") ||
		!strings.Contains(stdout.String(), "2 packages of Alpine v3.24 changed\n") {
		t.Errorf("printed %q", &stdout)
	}
	p.o.AlpineMirrors = []string{pool.url + "/elsewhere"}
	p.project.Alpine.Lock = text
	if err := p.lockAlpine(t.Context(), log); err != nil ||
		!strings.Contains(stderr.String(), "the lock of Alpine's packages stays as it is: "+pool.url+"/elsewhere/v3.24/") {
		t.Errorf("%v, said %q", err, &stderr)
	}
	if again, err := os.ReadFile(file); err != nil || !bytes.Equal(again, text) {
		t.Errorf("%v, %s", err, again)
	}
}
