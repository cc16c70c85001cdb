package alpine

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	at "github.com/tcapflow/tcapflow/pipeline/internal/alpine/alpinetest"
)

// testKey signs for all tests of the package.
var testKey = sync.OnceValue(func() at.Key {
	key, err := at.NewKey("test-0001.rsa.pub")
	if err != nil {
		panic(err)
	}
	return key
})

// strangerKey has the other's name and signs, too.
var strangerKey = sync.OnceValue(func() at.Key {
	key, err := at.NewKey("test-0001.rsa.pub")
	if err != nil {
		panic(err)
	}
	return key
})

func apk(t testing.TB, p at.Package, writes ...func(*tar.Writer) error) at.APK {
	t.Helper()
	if p.Name == "" {
		p = at.Package{Name: "a", Version: "1-r0", Arch: "x86_64", Licence: "MIT"}
	}
	a, err := testKey().Package(p, at.All(writes...))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// packageOf is what an index with only this package says of it.
func packageOf(t testing.TB, a at.APK) *Package {
	t.Helper()
	var ix Index
	if err := ix.add(strings.NewReader(a.Stanza), "main/x86_64", 0); err != nil {
		t.Fatal(err)
	}
	return ix.providers[a.Name][0].Package
}

func keyMirror() Mirror { return Mirror{Branch: "v3.24", Keys: testKey().Keys("x86_64")} }

// partsOf cuts a package before its files.
func partsOf(t *testing.T, a at.APK) (head, data []byte) {
	t.Helper()
	open, err := openArchive(bytes.NewReader(a.Text), int64(len(a.Text)), true)
	if err != nil {
		t.Fatal(err)
	}
	cut := int64(len(a.Text)) - open.data.Size()
	return a.Text[:cut:cut], a.Text[cut:]
}

func TestCheckPackage(t *testing.T) {
	good := apk(t, at.Package{}, at.File("usr/", 0o755, ""), at.File("usr/a", 0o644, "text"))
	other := apk(t, at.Package{}, at.File("usr/a", 0o644, "another text"))
	byStranger, err := strangerKey().Package(good.Package, at.File("usr/a", 0o644, "text"))
	if err != nil {
		t.Fatal(err)
	}
	if err := keyMirror().checkPackage(good.Text, "x86_64", packageOf(t, good)); err != nil {
		t.Fatal(err)
	}
	head, data := partsOf(t, good)
	_, otherData := partsOf(t, other)
	flipped := bytes.Clone(good.Text)
	flipped[len(head)-8] ^= 1 // in the control part's checksum
	sized := func(a at.APK, size int) *Package {
		p := packageOf(t, a)
		p.Size = int64(size)
		return p
	}
	renamed := apk(t, at.Package{Name: "b", Version: "1-r0", Arch: "x86_64"})
	asA := sized(renamed, len(renamed.Text))
	asA.Name = "a"
	for name, c := range map[string]struct {
		text []byte
		p    *Package
		says string
	}{
		"other files": {append(head, otherData...), sized(good, len(head)+len(otherData)),
			"its files are others"},
		"other package": {other.Text, sized(good, len(other.Text)), "its control part is another"},
		"another's key": {byStranger.Text, packageOf(t, byStranger),
			"it is not of the key that it names"},
		"longer": {append(bytes.Clone(good.Text), 0), packageOf(t, good), "the index says"},
		"something behind": {append(bytes.Clone(good.Text), 0), sized(good, len(good.Text)+1),
			"its files are others"},
		"bytes changed": {flipped, packageOf(t, good), "control part: gzip: invalid checksum"},
		"another name":  {renamed.Text, asA, "is b 1-r0"},
		"no files":      {head, sized(good, len(head)), "cut short: it has no files"},
		"files cut": {good.Text[:len(good.Text)-20], sized(good, len(good.Text)-20),
			"its files are others"},
		"no gzip": {[]byte("PK\x03\x04 and more of that"), sized(good, 21),
			"signatures: gzip: invalid header"},
		"only files": {data, sized(good, len(data)), "it has nothing but its first part"},
		"signature left out": {good.Text[signatureSize(t, good):],
			sized(good, len(good.Text)-signatureSize(t, good)), "not signed"},
		"a version 3 package": {[]byte("ADBd" + strings.Repeat("x", 40)), sized(good, 44), "invalid header"},
	} {
		t.Run(name, func(t *testing.T) {
			err := keyMirror().checkPackage(c.text, "x86_64", c.p)
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want %q", err, c.says)
			}
		})
	}
}

func signatureSize(t *testing.T, a at.APK) int {
	t.Helper()
	open := &archive{file: bytes.NewReader(a.Text), size: int64(len(a.Text))}
	end, err := open.readSignatures()
	if err != nil {
		t.Fatal(err)
	}
	return int(end)
}

// Wherever a package is cut, it is refused.
func TestCutShort(t *testing.T) {
	good := apk(t, at.Package{}, at.File("usr/a", 0o644, strings.Repeat("text ", 1000)))
	for n := range good.Text {
		p := packageOf(t, good)
		p.Size = int64(n)
		if keyMirror().checkPackage(good.Text[:n], "x86_64", p) == nil {
			t.Fatalf("the first %d of %d bytes pass", n, len(good.Text))
		}
	}
}

// One signature of a key that is known is enough; SHA-2 counts as SHA-1 does.
func TestVerify(t *testing.T) {
	part, err := at.Pack(true, at.File("APKINDEX", 0o644, stanza("a", "1")))
	if err != nil {
		t.Fatal(err)
	}
	keys := testKey().Keys("x86_64")
	broken := fstest.MapFS{"x86_64/" + testKey().Name: {Data: []byte("no key")}}
	for name, c := range map[string]struct {
		kind string
		hash crypto.Hash
		keys fs.FS
		arch string
		says string
	}{
		"SHA-1":        {"RSA", crypto.SHA1, keys, "x86_64", ""},
		"SHA-256":      {"RSA256", crypto.SHA256, keys, "x86_64", ""},
		"SHA-512":      {"RSA512", crypto.SHA512, keys, "x86_64", ""},
		"another hash": {"RSA256", crypto.SHA1, keys, "x86_64", "it is not of the key"},
		"unknown":      {"DSA", crypto.SHA1, keys, "x86_64", "of an unknown kind"},
		"no such key": {"RSA", crypto.SHA1, fstest.MapFS{}, "x86_64",
			"test-0001.rsa.pub, which is no key for x86_64"},
		"another machine": {"RSA", crypto.SHA1, keys, "s390x", "which is no key for s390x"},
		"damaged key":     {"RSA", crypto.SHA1, broken, "x86_64", "is no PEM"},
	} {
		t.Run(name, func(t *testing.T) {
			text, err := testKey().Sign(c.kind, c.hash, part)
			if err != nil {
				t.Fatal(err)
			}
			a, err := openArchive(bytes.NewReader(text), int64(len(text)), false)
			if err != nil {
				t.Fatal(err)
			}
			err = a.verify(c.keys, c.arch)
			if (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want %q", err, c.says)
			}
		})
	}
}

// A key's name is a file below the folder of keys and no other.
func TestKeyOutside(t *testing.T) {
	keys := fstest.MapFS{"secret": {Data: testKey().Public}, "x86_64/deep/key": {Data: testKey().Public}}
	for _, name := range []string{"../secret", "deep/key", "", ".", "/etc/passwd", "..\\secret"} {
		if _, err := readKey(keys, "x86_64", name); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func openBytes(text []byte) (*archive, packageInfo, error) {
	return openPackage(bytes.NewReader(text), int64(len(text)))
}

// zeros is a gzip stream of so many bytes.
func zeros(t testing.TB, n int64) []byte {
	t.Helper()
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := io.CopyN(z, zeroReader{}, n); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return packed.Bytes()
}

type zeroReader struct{}

func (zeroReader) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// What unpacks to much more than anything of Alpine's ends early.
func TestTooLarge(t *testing.T) {
	signed, err := testKey().Sign("RSA", crypto.SHA1, zeros(t, maxControl+1))
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{
		"signatures": zeros(t, maxSignatures+1),
		"control":    append(signed, zeros(t, 10)...),
	} {
		_, err := openArchive(bytes.NewReader(text), int64(len(text)), true)
		if err == nil || !strings.Contains(err.Error(), "bytes unpacked") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Whatever the bytes are: no crash, and what passes the check is what was signed.
func FuzzArchive(f *testing.F) {
	good := apk(f, at.Package{}, at.File("usr/a", 0o644, "text"), at.Link(tar.TypeSymlink, "usr/b", "a"))
	f.Add(good.Text)
	f.Add(good.Text[:len(good.Text)/2])
	hostile := apk(f, at.Package{}, at.File("../../etc/passwd", 0o4755, "text"),
		at.Link(tar.TypeLink, "x", "/etc/shadow"))
	f.Add(hostile.Text)
	packed, err := at.Pack(false, at.File("APKINDEX", 0o644, stanza("a", "1")))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(packed)
	f.Fuzz(func(t *testing.T, text []byte) {
		a, err := openArchive(bytes.NewReader(text), int64(len(text)), true)
		if err != nil {
			return
		}
		p := packageOf(t, good)
		p.Size = int64(len(text))
		if keyMirror().checkPackage(text, "x86_64", p) == nil && !bytes.Equal(text, good.Text) {
			// The signature's own part is not signed: its tar header may differ.
			if open, err := openArchive(bytes.NewReader(good.Text), int64(len(good.Text)),
				true); err != nil ||
				open.control.Size() != a.control.Size() || open.data.Size() != a.data.Size() {
				t.Errorf("%d bytes pass that nobody signed", len(text))
			}
		}
		if _, err := a.info(); err != nil {
			return
		}
		listing, err := list(t, text, Merged)
		for _, line := range listing {
			if strings.Contains(line, "..") && strings.HasPrefix(strings.Fields(line)[1], "..") {
				t.Errorf("%s (%v)", line, err)
			}
		}
	})
}

func ExampleUpstreamVersion() {
	fmt.Println(UpstreamVersion("1.2.6-r3"), UpstreamVersion("2026a"))
	// Output: 1.2.6 2026a
}
