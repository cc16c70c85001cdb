package alpine

import (
	"strings"
	"testing"

	"github.com/tcapflow/tcapflow/spec"
)

// stanza is a package of an index, in short: name, version, then fields as they stand there.
func stanza(name, version string, fields ...string) string {
	return "C:Q1AAAAAAAAAAAAAAAAAAAAAAAAAAA=\nP:" + name + "\nV:" + version + "\nA:x86_64\nS:10\n" +
		strings.Join(fields, "\n") + "\n\n"
}

func index(t *testing.T, repositories ...string) *Index {
	t.Helper()
	var ix Index
	for i, text := range repositories {
		place := []string{"main/x86_64", "community/x86_64"}[i]
		if err := ix.add(strings.NewReader(text), place, i); err != nil {
			t.Fatal(err)
		}
	}
	return &ix
}

// compilerIndex has a compiler, what it needs, and what is hard to choose.
func compilerIndex(t *testing.T) *Index {
	t.Helper()
	main := stanza("clang22", "22.1-r0", "D:clang22-libs=22.1-r0 so:libLLVM.so.22 so:libc.musl-x86_64.so.1 gcc fortify-headers>=1.1-r2",
		"p:clang=22.1-r0 cmd:clang=22.1-r0 cmd:clang-22=22.1-r0") +
		stanza("clang22-libs", "22.1-r0", "D:so:libLLVM.so.22", "p:so:libclang-cpp.so.22=22.1") +
		stanza("llvm22-libs", "22.1-r0", "D:so:libz.so.1", "p:so:libLLVM.so.22=22.1") +
		stanza("zlib", "1.3-r0", "D:so:libc.musl-x86_64.so.1", "p:so:libz.so.1=1.3") +
		stanza("zlib-ng", "2.0-r0", "p:so:libz.so.1=1.2") +
		stanza("musl", "1.2.6-r0", "p:so:libc.musl-x86_64.so.1=1", "r:libiconv") +
		stanza("busybox", "1.37-r0", "D:so:libc.musl-x86_64.so.1", "p:cmd:busybox=1.37-r0", "i:x y") +
		stanza("busybox-binsh", "1.37-r0", "D:busybox=1.37-r0", "p:/bin/sh cmd:sh=1.37-r0", "k:60") +
		stanza("dash-binsh", "1-r0", "p:/bin/sh", "k:30") +
		stanza("yash", "1-r0", "p:shell") + stanza("zsh", "1-r0", "p:shell") +
		stanza("script", "1-r0", "D:/bin/sh") + stanza("any", "1-r0", "D:shell") +
		stanza("lonely", "1-r0", "D:nowhere") + stanza("newer", "1-r0", "D:zlib>2") +
		stanza("loop-a", "1-r0", "D:loop-b") + stanza("loop-b", "1-r0", "D:loop-a") +
		stanza("enemy", "1-r0", "D:!zlib") + stanza("friend", "1-r0", "D:!zlib<1")
	community := stanza("zlib", "1.3-r0", "p:so:libz.so.1=1.3") + stanza("extra", "1-r0", "D:zlib")
	return index(t, main, community)
}

func TestResolve(t *testing.T) {
	ix := compilerIndex(t)
	skip := map[string]string{"gcc": "why", "fortify-headers": "why"}
	for name, c := range map[string]struct {
		set  spec.PackageSet
		want string
		fail string
	}{
		"a compiler": {spec.PackageSet{Packages: []string{"clang22"}, Skip: skip},
			"clang22 clang22-libs llvm22-libs musl zlib", ""},
		"a provided name": {spec.PackageSet{Packages: []string{"cmd:clang"}, Skip: skip, NoDepends: true},
			"clang22", ""},
		"an old name": {spec.PackageSet{Packages: []string{"clang"}, Skip: skip, NoDepends: true},
			"clang22", ""},
		"chosen before": {spec.PackageSet{Packages: []string{"zlib-ng", "llvm22-libs"}},
			"llvm22-libs zlib-ng", ""},
		"highest priority": {spec.PackageSet{Packages: []string{"script"}},
			"busybox busybox-binsh musl script", ""},
		"the skipped shell": {spec.PackageSet{Packages: []string{"script"},
			Skip: map[string]string{"/bin/sh": "why"}}, "script", ""},
		"two repositories": {spec.PackageSet{Packages: []string{"extra"}}, "extra musl zlib", ""},
		"a loop":           {spec.PackageSet{Packages: []string{"loop-a"}}, "loop-a loop-b", ""},
		"goes with":        {spec.PackageSet{Packages: []string{"friend", "zlib"}}, "friend musl zlib", ""},
		"does not go with": {spec.PackageSet{Packages: []string{"enemy", "zlib"}}, "",
			"enemy does not go with zlib"},
		"nobody's": {spec.PackageSet{Packages: []string{"lonely"}}, "",
			"nowhere, wanted by lonely: nothing provides it"},
		"other versions": {spec.PackageSet{Packages: []string{"newer"}}, "",
			"zlib>2, wanted by newer: there are other versions only"},
		"to be named": {spec.PackageSet{Packages: []string{"any"}}, "",
			"shell, wanted by any: name one of these in the list: yash, zsh"},
		"named": {spec.PackageSet{Packages: []string{"zsh", "any"}}, "any zsh", ""},
		"no such": {spec.PackageSet{Packages: []string{"clang23"}}, "",
			"clang23, wanted by the list"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := ix.Resolve(c.set)
			if (err == nil) != (c.fail == "") || err != nil && !strings.Contains(err.Error(), c.fail) {
				t.Fatalf("error %v, want %q", err, c.fail)
			}
			var names []string
			for _, p := range got {
				names = append(names, p.Name)
				if p.Name == "zlib" && p.Path != "main/x86_64/zlib-1.3-r0.apk" {
					t.Errorf("zlib is of %s", p.Path)
				}
			}
			if strings.Join(names, " ") != c.want {
				t.Errorf("got %q, want %q", names, c.want)
			}
		})
	}
}

func TestIndexRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"no field":      "P:a\nclang\n",
		"no size":       strings.Replace(stanza("a", "1"), "S:10", "T:10", 1),
		"size":          strings.Replace(stanza("a", "1"), "S:10", "S:-1", 1),
		"huge":          strings.Replace(stanza("a", "1"), "S:10", "S:9223372036854775807", 1),
		"name":          stanza("../../a", "1"),
		"name's start":  stanza("-a", "1"),
		"version":       stanza("a", "1/../../../b"),
		"no version":    stanza("a", "1 2"),
		"no checksum":   strings.Replace(stanza("a", "1"), "C:", "X:", 1),
		"priority":      stanza("a", "1", "k:much"),
		"endless line":  "T:" + strings.Repeat("x", maxLine+1),
		"zero in name":  stanza("a\x00b", "1"),
		"empty package": "P:a\n\n",
	} {
		var ix Index
		if err := ix.add(strings.NewReader(text), "main/x86_64", 0); err == nil {
			t.Errorf("%s is read as %+v", name, ix.providers)
		}
	}
}

// What is read of an index can be named in an address, and resolving ends.
func FuzzIndex(f *testing.F) {
	f.Add(stanza("a", "1", "D:b c=1 !d so:x", "p:e=1 f", "k:3") + stanza("b", "1-r0", "D:a") +
		stanza("c", "1"))
	f.Add("P:a\nV:1\n\nC:\n")
	f.Fuzz(func(t *testing.T, text string) {
		var ix Index
		if ix.add(strings.NewReader(text), "main/x86_64", 0) != nil {
			return
		}
		var all []string
		for name, providers := range ix.providers {
			all = append(all, name)
			for _, p := range providers {
				if strings.Count(p.Path, "/") != 2 || strings.ContainsAny(p.Path, "?#% \\") {
					t.Errorf("path %q", p.Path)
				}
			}
		}
		packages, err := ix.Resolve(spec.PackageSet{Packages: all})
		if err == nil && len(packages) > len(ix.providers) {
			t.Errorf("%d packages of %d names", len(packages), len(ix.providers))
		}
	})
}
