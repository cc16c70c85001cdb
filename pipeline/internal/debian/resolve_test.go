package debian

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tcapflow/tcapflow/spec"
)

// index makes an index of stanzas that give what matters to the test.
func index(t testing.TB, stanzas ...string) *Index {
	t.Helper()
	ix, err := ParseIndex(strings.NewReader(packages(stanzas...)))
	if err != nil {
		t.Fatal(err)
	}
	return ix
}

func packages(stanzas ...string) string {
	var text strings.Builder
	for _, s := range stanzas {
		fmt.Fprintf(&text, "Package: %s\nVersion: 1\nArchitecture: amd64\nFilename: pool/x.deb\nSize: 1\nSHA256: %064d\n\n", s, 0)
	}
	return text.String()
}

func TestResolve(t *testing.T) {
	for name, c := range map[string]struct {
		index []string
		set   spec.PackageSet
		want  string // names, or the error
	}{
		"dependencies": {
			index: []string{"a\nDepends: b (>= 1), c:any", "b\nPre-Depends: d [amd64]", "c", "d", "e"},
			set:   spec.PackageSet{Packages: []string{"a"}},
			want:  "a b c d",
		},
		"circle":                    {index: []string{"a\nDepends: b", "b\nDepends: a"}, set: spec.PackageSet{Packages: []string{"b"}}, want: "a b"},
		"recommends nothing":        {index: []string{"a\nRecommends: b\nSuggests: c", "b", "c"}, set: spec.PackageSet{Packages: []string{"a"}}, want: "a"},
		"first alternative":         {index: []string{"a\nDepends: b | c", "b", "c"}, set: spec.PackageSet{Packages: []string{"a"}}, want: "a b"},
		"alternative that exists":   {index: []string{"a\nDepends: b | c", "c"}, set: spec.PackageSet{Packages: []string{"a"}}, want: "a c"},
		"alternative that is there": {index: []string{"a\nDepends: b | c (>= 2)", "b", "c"}, set: spec.PackageSet{Packages: []string{"c", "a"}}, want: "a c"},
		"virtual package":           {index: []string{"a\nDepends: awk", "mawk\nProvides: awk (= 1), pager", "gawk\nProvides: awk"}, set: spec.PackageSet{Packages: []string{"a"}}, want: "a mawk"},
		"real before virtual":       {index: []string{"other\nProvides: b", "a\nDepends: b", "b"}, set: spec.PackageSet{Packages: []string{"a"}}, want: "a b"},
		"skipped":                   {index: []string{"a\nDepends: b, c", "b\nDepends: d", "c", "d"}, set: spec.PackageSet{Packages: []string{"a"}, Skip: map[string]string{"b": "x"}}, want: "a c"},
		"skipped, not in index":     {index: []string{"a\nDepends: b"}, set: spec.PackageSet{Packages: []string{"a"}, Skip: map[string]string{"b": "x"}}, want: "a"},
		"skipped provider":          {index: []string{"a\nDepends: awk", "mawk\nProvides: awk"}, set: spec.PackageSet{Packages: []string{"a"}, Skip: map[string]string{"mawk": "x"}}, want: "a"},
		"skipped first":             {index: []string{"a\nDepends: b | c", "b", "c"}, set: spec.PackageSet{Packages: []string{"a"}, Skip: map[string]string{"b": "x"}}, want: "a"},
		"skipped second":            {index: []string{"a\nDepends: b | c", "b", "c"}, set: spec.PackageSet{Packages: []string{"a"}, Skip: map[string]string{"c": "x"}}, want: "a b"},
		"alone":                     {index: []string{"a\nDepends: b", "b"}, set: spec.PackageSet{Packages: []string{"a"}, NoDepends: true}, want: "a"},
		"base":                      {index: []string{"a", "b\nEssential: yes\nDepends: d", "c\nPriority: required", "d", "e\nPriority: important"}, set: spec.PackageSet{Packages: []string{"a"}, Base: true}, want: "a b c d"},
		"named twice":               {index: []string{"a", "b"}, set: spec.PackageSet{Packages: []string{"b", "a", "b"}}, want: "a b"},
		"missing": {
			index: []string{"a\nDepends: z | y (>= 2)"},
			set:   spec.PackageSet{Packages: []string{"a", "gone"}},
			want:  "not in the index: gone (wanted by the list), z | y (>= 2) (wanted by a)",
		},
	} {
		t.Run(name, func(t *testing.T) {
			packages, err := index(t, c.index...).Resolve(c.set)
			var names []string
			for _, p := range packages {
				names = append(names, p.Name)
			}
			got := strings.Join(names, " ")
			if err != nil {
				got = err.Error()
			}
			if got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestParseIndex(t *testing.T) {
	ix := index(t, "clang-19\nDepends: a,\n b (>= 1) ,")
	p, ok := ix.find("clang-19")
	want := Package{Name: "clang-19", Version: "1", Arch: "amd64", Filename: "pool/x.deb", Size: 1, SHA256: strings.Repeat("0", 64)}
	if !ok || !slices.Equal(p.depends, []string{"a", "b (>= 1)"}) {
		t.Errorf("depends %q", p.depends)
	}
	if p.depends = nil; fmt.Sprintf("%+v", p) != fmt.Sprintf("%+v", want) {
		t.Errorf("got %+v, want %+v", p, want)
	}
	good := packages("a")
	for _, edit := range [][2]string{{"Package: a\n", ""}, {"Filename: pool/x.deb\n", ""}, {"Size: 1", "Size: "}, {"Size: 1", "Size: -1"}, {"Size: 1", "Size: 1e3"}, {"SHA256: 0", "SHA256: "}, {"SHA256", "MD5sum"}} {
		bad := strings.Replace(good, edit[0], edit[1], 1)
		if _, err := ParseIndex(strings.NewReader(bad)); bad == good || err == nil {
			t.Errorf("%q for %q is accepted", edit[1], edit[0])
		}
	}
}

func FuzzParseIndex(f *testing.F) {
	f.Add(packages("a\nDepends: b:any (>= 1) | c, d\nProvides: x (= 1)", "b\nEssential: yes"), "a")
	f.Add(packages("a\nDepends: a | x\nProvides: ,a"), "x")
	f.Fuzz(func(t *testing.T, text, wanted string) {
		ix, err := ParseIndex(strings.NewReader(text))
		if err != nil {
			return
		}
		chosen, err := ix.Resolve(spec.PackageSet{Packages: []string{wanted}, Base: true})
		if err != nil {
			return
		}
		if len(chosen) > len(ix.packages) || !slices.IsSortedFunc(chosen, func(a, b Package) int { return strings.Compare(a.Name, b.Name) }) {
			t.Errorf("%d of %d packages: %v", len(chosen), len(ix.packages), chosen)
		}
		for _, p := range chosen {
			if p.Size < 0 || p.Filename == "" {
				t.Errorf("chose %+v", p)
			}
		}
	})
}

func TestUpstreamVersion(t *testing.T) {
	// Debian Policy §5.6.12: [epoch:]upstream_version[-debian_revision]
	for version, want := range map[string]string{
		"1.10.5-2": "1.10.5", "1:19.0-63": "19.0", "1:10.0.13+ds-0+deb13u1": "10.0.13+ds", "2025b": "2025b", "1.2-rc1-3": "1.2-rc1", "20250419": "20250419",
	} {
		if got := UpstreamVersion(version); got != want {
			t.Errorf("%s: %s, want %s", version, got, want)
		}
	}
}
