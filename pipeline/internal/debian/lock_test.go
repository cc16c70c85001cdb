package debian

import (
	"bytes"
	"path"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tcapflow/tcapflow/build"
	bd "github.com/tcapflow/tcapflow/build/debian"
	"github.com/tcapflow/tcapflow/spec"
)

// The committed lock has every set for every architecture, with what the table lists.
func TestCommittedLock(t *testing.T) {
	lock, err := ParseLock(bd.Base.Lock)
	if err != nil {
		t.Fatal(err)
	}
	if lock.Suite != bd.Base.Suite || lock.Date.IsZero() {
		t.Errorf("lock of %s, %s", lock.Suite, lock.Date)
	}
	keys := map[string]bool{}
	for _, set := range build.Project.Locked() {
		for _, arch := range set.Arches {
			keys[SetKey(set, arch)] = true
			t.Run(SetKey(set, arch), func(t *testing.T) { checkLocked(t, lock, set, arch) })
		}
	}
	versions := map[string]string{}
	for key, packages := range lock.Sets {
		for _, p := range packages {
			what := path.Base(key) + " " + p.Name
			if other := versions[what]; other != "" && other != p.Version {
				t.Errorf("%s has versions %s and %s; `mage images:lock -all`", what, other, p.Version)
			}
			versions[what] = p.Version
		}
		if !keys[key] {
			t.Errorf("lock.json has %s, which no set of build.Project.Locked() wants", key)
		}
	}
	text, err := lock.Bytes()
	if err != nil || !bytes.Equal(text, bd.Base.Lock) {
		t.Error("lock.json is not as Lock.Bytes writes it: it was edited by hand (`mage images:lock` renews it)")
	}
}

func checkLocked(t *testing.T, lock Lock, set spec.PackageSet, arch string) {
	packages, err := lock.Packages(set, arch)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, p := range packages {
		names = append(names, p.Name)
		if len(p.SHA256) != 64 || p.Size <= 0 || p.Version == "" || !strings.HasPrefix(p.Filename, "pool/main/") {
			t.Errorf("%+v", p)
		}
		if p.Arch != arch && p.Arch != "all" {
			t.Errorf("%s is for %s", p.Name, p.Arch)
		}
		if _, skipped := set.Skip[p.Name]; skipped {
			t.Errorf("%s is locked though the set leaves it out", p.Name)
		}
	}
	for _, name := range set.Packages {
		if !slices.Contains(names, name) {
			t.Errorf("%s is not locked", name)
		}
	}
	if set.NoDepends && len(names) != len(set.Packages) {
		t.Errorf("%d packages locked, %d listed", len(names), len(set.Packages))
	}
}

func TestLockRoundTrip(t *testing.T) {
	set := spec.PackageSet{Name: "tools"}
	l := Lock{Suite: "trixie", Date: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Sets: map[string][]Package{
		"tools/amd64": {{Name: "make", Version: "4.4.1-2", Arch: "amd64", Filename: "pool/m.deb", Size: 7, SHA256: strings.Repeat("a", 64)}},
	}}
	text, err := l.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	again, err := ParseLock(text)
	if err != nil {
		t.Fatal(err)
	}
	if changes := again.Changes(l); changes != nil || !again.Date.Equal(l.Date) || again.Suite != l.Suite {
		t.Errorf("read back: %+v", again)
	}
	if packages, err := again.Packages(set, "amd64"); err != nil || len(packages) != 1 || packages[0].Size != 7 {
		t.Errorf("%v, %v", packages, err)
	}
	if _, err := again.Packages(set, "arm64"); err == nil || !strings.Contains(err.Error(), "tools/arm64") {
		t.Errorf("a set that is not there: %v", err)
	}
	for _, bad := range []string{"", "{", `{"suites": "trixie"}`} {
		if _, err := ParseLock([]byte(bad)); err == nil || !strings.Contains(err.Error(), "lock.json") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestLockChanges(t *testing.T) {
	lock := func(set string, versions ...string) Lock {
		var packages []Package
		for i := 0; i < len(versions); i += 2 {
			packages = append(packages, Package{Name: versions[i], Version: versions[i+1]})
		}
		return Lock{Sets: map[string][]Package{set: packages}}
	}
	got := lock("tools/amd64", "make", "2", "flex", "1", "m4", "1").Changes(lock("tools/amd64", "make", "1", "bison", "1", "m4", "1"))
	want := []string{"tools/amd64 bison 1 (gone)", "tools/amd64 flex 1 (new)", "tools/amd64 make 1 → 2"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
	// The same package of another architecture is another package.
	if got := lock("tools/arm64", "m4", "1").Changes(lock("tools/amd64", "m4", "1")); len(got) != 2 {
		t.Errorf("got %q", got)
	}
}

// A set is taken whole from the other lock or not at all.
func TestLockWith(t *testing.T) {
	day := time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)
	lock := func(date time.Time, sets ...string) Lock {
		l := Lock{Suite: "trixie", Date: date, Sets: map[string][]Package{}}
		for i := 0; i < len(sets); i += 2 {
			l.Sets[sets[i]] = append(l.Sets[sets[i]], Package{Version: sets[i+1]})
		}
		return l
	}
	committed := lock(day, "tools/amd64", "1", "tools/amd64", "1", "sysroot/amd64", "1")
	got := committed.With(lock(day.AddDate(0, 1, 0), "tools/amd64", "2", "sysroot/i386", "2"))
	want := lock(day.AddDate(0, 1, 0), "tools/amd64", "2", "sysroot/amd64", "1", "sysroot/i386", "2")
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if len(committed.Sets) != 2 || committed.Sets["tools/amd64"][0].Version != "1" {
		t.Errorf("the lock itself has changed: %+v", committed)
	}
	if got := committed.With(Lock{}); !reflect.DeepEqual(got, committed) {
		t.Errorf("with nothing: %+v", got)
	}
	if got := (Lock{Suite: "trixie"}).With(want); !reflect.DeepEqual(got, want) {
		t.Errorf("nothing with: %+v", got)
	}
}

// lockOf is a lock of sets as they stand, a package of version 1 for each that they list.
func lockOf(sets ...spec.PackageSet) Lock {
	l := Lock{Suite: "trixie", Sets: map[string][]Package{}}
	for _, set := range sets {
		for _, arch := range set.Arches {
			for _, name := range set.Packages {
				l.Sets[SetKey(set, arch)] = append(l.Sets[SetKey(set, arch)], Package{Name: name, Version: "1"})
			}
		}
	}
	return l.Only(sets)
}

// A list that was changed since is told from one that was not, and only what was changed
// is to be resolved.
func TestLockOlder(t *testing.T) {
	tools := spec.PackageSet{Name: "tools", Arches: []string{"amd64", "arm64"}, Packages: []string{"make", "m4"}}
	libc := spec.PackageSet{Name: "libc", Arches: []string{"amd64", "i386"}, Packages: []string{"musl"}}
	lock := lockOf(tools, libc)
	for name, test := range map[string]struct {
		change func(tools, libc *spec.PackageSet)
		older  string // set and architectures
		says   string
	}{
		"nothing":         {func(_, _ *spec.PackageSet) {}, "", ""},
		"another order":   {func(s, _ *spec.PackageSet) { s.Packages = []string{"m4", "make"} }, "", ""},
		"one more":        {func(s, _ *spec.PackageSet) { s.Packages = []string{"make", "m4", "perl"} }, "tools amd64 arm64", "set tools (+perl)"},
		"one less":        {func(s, _ *spec.PackageSet) { s.Packages = []string{"make"} }, "tools amd64 arm64", "set tools (-m4)"},
		"left out":        {func(s, _ *spec.PackageSet) { s.Skip = map[string]string{"x": "why"} }, "tools amd64 arm64", "set tools (+-x)"},
		"an architecture": {func(_, s *spec.PackageSet) { s.Arches = append(s.Arches, "s390x") }, "libc s390x", "set libc (s390x)"},
	} {
		tools, libc := tools, libc
		libc.Arches = slices.Clone(libc.Arches)
		test.change(&tools, &libc)
		sets := []spec.PackageSet{tools, libc}
		var got []string
		for _, set := range lock.Older(sets) {
			got = append(got, set.Name+" "+strings.Join(set.Arches, " "))
		}
		if strings.Join(got, "; ") != test.older {
			t.Errorf("%s: %v is to be resolved, want %s", name, got, test.older)
		}
		err := lock.Fits(sets)
		if (err == nil) != (test.says == "") || err != nil && !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: %v, want %q", name, err, test.says)
		}
	}
}

// A lock from before it was written down what was asked is older where something is missing.
func TestLockOlderUnasked(t *testing.T) {
	set := spec.PackageSet{Name: "tools", Arches: []string{"amd64"}, Packages: []string{"make"}}
	lock := lockOf(set)
	lock.Asked = nil
	if err := lock.Fits([]spec.PackageSet{set}); err != nil {
		t.Error(err)
	}
	set.Packages = append(set.Packages, "perl")
	if older := lock.Older([]spec.PackageSet{set}); len(older) != 1 {
		t.Errorf("got %v", older)
	}
}

// What a set has already keeps its version when something is added to it.
func TestLockKeeping(t *testing.T) {
	set := spec.PackageSet{Name: "tools", Arches: []string{"amd64"}, Packages: []string{"make", "m4"}}
	old := lockOf(set)
	set.Packages = []string{"make", "perl"}
	fresh := lockOf(set)
	for i := range fresh.Sets["tools/amd64"] {
		fresh.Sets["tools/amd64"][i].Version = "2"
	}
	changes := fresh.Keeping(old).Changes(old)
	if want := []string{"tools/amd64 m4 1 (gone)", "tools/amd64 perl 2 (new)"}; !slices.Equal(changes, want) {
		t.Errorf("got %q, want %q", changes, want)
	}
}
