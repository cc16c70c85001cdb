package alpine

import (
	"bytes"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	ba "github.com/tcapflow/tcapflow/build/alpine"
	"github.com/tcapflow/tcapflow/spec"
)

// real is where files of real archives lie beside the checkout: pkg/apk/apk/testdata of
// chainguard-dev/apko, which has some of Alpine's 3.16 and 3.17 and of Wolfi's, and a root
// file system of Alpine's.
const real = "../../../../shared/apk"

func realFile(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(real, filepath.FromSlash(name)))
	if errors.Is(err, fs.ErrNotExist) {
		t.Skipf("skipped: no %s/%s beside the checkout (from chainguard-dev/apko, pkg/apk/apk/testdata, or alpinelinux/docker-alpine)",
			real, name)
	}
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// The keys of build/alpine have signed real indexes of Alpine's, and those are read whole.
func TestRealIndex(t *testing.T) {
	for _, c := range []struct {
		file, branch, arch string
		compiler           string // lld was in community then
	}{
		{"alpine-316/APKINDEX.tar.gz", "v3.16", "x86_64", "clang"},
		{"alpine-317/APKINDEX.tar.gz", "v3.17", "aarch64", "clang15 lld"},
	} {
		t.Run(c.branch, func(t *testing.T) {
			m := Mirror{Branch: c.branch, Keys: ba.Base.Keys}
			var ix Index
			day, err := m.parseIndex(&ix, realFile(t, c.file), c.arch, "main/"+c.arch, 0)
			if err != nil {
				t.Fatal(err)
			}
			if day.Year() < 2022 || day.Year() > 2024 || len(ix.providers) < 10_000 {
				t.Errorf("%d names, of %s", len(ix.providers), day)
			}
			tools := spec.PackageSet{Packages: strings.Fields(c.compiler +
				" busybox binutils make flex bison m4"),
				Skip: map[string]string{"gcc": "-", "musl-dev": "-", "libstdc++-dev": "-", "/bin/sh": "-"}}
			packages, err := ix.Resolve(tools)
			if err != nil || len(packages) < 15 || len(packages) > 60 {
				t.Errorf("%d packages, %v", len(packages), err)
			}
			for _, p := range packages {
				t.Log(p.Name, p.Version)
			}
			sysroot := spec.PackageSet{Packages: ba.Base.Sysroot.Packages, NoDepends: true}
			if packages, err := ix.Resolve(sysroot); err != nil || len(packages) != 4 {
				t.Errorf("sysroot: %d packages, %v", len(packages), err)
			}
			m.Branch = "v3.24"
			if _, err := m.parseIndex(&ix, realFile(t, c.file), c.arch, "main/"+c.arch, 0); err == nil {
				t.Error("passes as one of v3.24")
			}
		})
	}
}

// The keys of build/alpine are those of Alpine's own root file system, as alpinelinux/docker-alpine
// has it at 7d63673353bd, with this SHA-512 in its checksums.sha512.
func TestRealKeys(t *testing.T) {
	text := realFile(t, "alpine-minirootfs-3.20.3-x86_64.tar.gz")
	const want = "9d5405f61f8a6ebc02461ba75346fbf1a63a4eab8510a0158dd321cee0c4dafe" +
		"28c2a3d2cb7c3d75e2a8130dae0c3c92382f5b6adeea309eafc97621c5bf6400"
	if sum := sha512.Sum512(text); hex.EncodeToString(sum[:]) != want {
		t.Fatalf("it is another file: SHA-512 %x", sum)
	}
	theirs := map[string]string{}
	part := io.NewSectionReader(bytes.NewReader(text), 0, int64(len(text)))
	err := eachEntry(part, 1<<30, func(h *entryHeader, body io.Reader) error {
		key, err := io.ReadAll(body)
		theirs[strings.TrimPrefix(h.Name, "./usr/share/apk/keys/")] = string(key)
		if h.Linkname != "" { // ARCH/NAME leads to ../NAME
			theirs[strings.TrimPrefix(h.Name, "./usr/share/apk/keys/")] = h.Linkname
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	err = fs.WalkDir(ba.Base.Keys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		n++
		ours, err := fs.ReadFile(ba.Base.Keys, name)
		if base := path.Base(name); theirs[base] != string(ours) || theirs[name] != "../"+base {
			t.Errorf("%s is not Alpine's", name)
		}
		return err
	})
	if err != nil || n != len(ba.Base.Sysroot.Arches) {
		t.Errorf("%d keys, %v", n, err)
	}
}

// A real package is what its index says, and is unpacked.
func TestRealPackage(t *testing.T) {
	m := Mirror{Branch: "v3.16", Keys: ba.Base.Keys}
	text := realFile(t, "alpine-317/alpine-baselayout-3.4.0-r0.apk") // a copy of 3.2.0-r23, aarch64
	a, info, err := openBytes(text)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(a.verify(m.Keys, "aarch64"), a.checkData(info)); err != nil {
		t.Error(err)
	}
	if info.name != "alpine-baselayout" || info.version != "3.2.0-r23" || info.licence != "GPL-2.0-only" {
		t.Errorf("%+v", info)
	}
	if a.verify(m.Keys, "x86_64") == nil {
		t.Error("its key passes for another architecture")
	}
	lines, err := list(t, text, Merged)
	if err != nil || len(lines) < 50 ||
		!strings.Contains(strings.Join(lines, "\n"), "00755 usr/sbin/mkmntdirs") {
		t.Errorf("%v, %q", err, lines)
	}
}

// Others write packages of the format, too: with other hashes, without folders, with several
// signatures.
func TestRealOthers(t *testing.T) {
	text := realFile(t, "hello-wolfi-2.12.1-r0.apk")
	a, info, err := openBytes(text)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.checkData(info); err != nil {
		t.Error(err)
	}
	if lines, err := list(t, text, Merged); err != nil || len(lines) == 0 {
		t.Errorf("%v, %q", err, lines)
	}
	if _, _, err := openBytes(realFile(t, "replaces/replaces-0.0.1-r0.apk")); err == nil ||
		err.Error() != "not signed" {
		t.Errorf("a package without a signature: %v", err)
	}
	keys := os.DirFS(filepath.Join(real, "signing"))
	for name, key := range map[string]string{
		"signing/APKINDEX.tar.gz": "keys", "rsa256-signed/APKINDEX.tar.gz": "",
	} {
		text := realFile(t, name)
		files, arch := keys, key
		if key == "" {
			files, arch = os.DirFS(real), "rsa256-signed"
		}
		var ix Index
		if _, err := (Mirror{Keys: files}).parseIndex(&ix, text, arch, "main/x86_64", 0); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// apk's own test data: "A < B", "A ~ B", "A !>~ B" and so on, a line each.
func TestRealVersions(t *testing.T) {
	n := 0
	for line := range strings.Lines(string(realFile(t, "version.data"))) {
		line, _, _ = strings.Cut(line, "#")
		words := strings.Fields(line)
		if len(words) != 3 || !versionForm.MatchString(words[0]) || !versionForm.MatchString(words[2]) {
			continue // what is no version is never in an index that is signed
		}
		operator, not := strings.CutPrefix(words[1], "!")
		n++
		if got := parseRelation("a" + operator + words[2]).fits(words[0]); got == not {
			t.Errorf("%s: %v", strings.TrimSpace(line), got)
		}
	}
	if n < 500 {
		t.Errorf("%d lines are read", n)
	}
}
