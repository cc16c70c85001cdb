package alpine

import (
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"io/fs"
	"maps"
	"slices"
	"testing"
)

// fingerprints are the SHA-256 of the keys as DER (RFC 5280 §4.1.2.7, SubjectPublicKeyInfo):
// whoever changes a key changes this list.
var fingerprints = map[string]string{
	"aarch64/alpine-devel@lists.alpinelinux.org-616ae350.rsa.pub": "479f16f4170a9ea0c65e1de854860949b1a549cfa1f43552f7a2e821c9e2f409",
	"armv7/alpine-devel@lists.alpinelinux.org-616adfeb.rsa.pub":   "45d409999dd3e16dfce19757fc48f238ae775d17ca319e08e474a471f1ab6521",
	"ppc64le/alpine-devel@lists.alpinelinux.org-616abc23.rsa.pub": "654f5e12a67c95bedf92da80b6257abba7fe1df6698820825d793a33d677e3a1",
	"riscv64/alpine-devel@lists.alpinelinux.org-616db30d.rsa.pub": "32246c9a9673e3f6e7bef6c96031883d23078f41094ea6636d19a697f356420a",
	"s390x/alpine-devel@lists.alpinelinux.org-616ac3bc.rsa.pub":   "2ace5cf3235c095544c26ec946611836f39324aa264f75862fe0332eb17f0975",
	"x86/alpine-devel@lists.alpinelinux.org-61666e3f.rsa.pub":     "06216db06044f26845ff610f2c253863b9e01fbd4c5557871b8bfa2f5ac96e95",
	"x86_64/alpine-devel@lists.alpinelinux.org-6165ee59.rsa.pub":  "8a70fc55f1a6fb2a392ad5a3e71aff82a637b2b33659c046f6b6a909bb5d1ab7",
}

func TestKeys(t *testing.T) {
	found := map[string]string{}
	arches := map[string]bool{}
	err := fs.WalkDir(Base.Keys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := fs.ReadFile(Base.Keys, name)
		if err != nil {
			return err
		}
		block, rest := pem.Decode(text)
		if block == nil || len(rest) > 0 {
			t.Fatalf("%s is no PEM file of one key", name)
		}
		key, err := x509.ParsePKIXPublicKey(block.Bytes)
		if err != nil {
			return err
		}
		if public, ok := key.(*rsa.PublicKey); !ok || public.N.BitLen() != 4096 {
			t.Errorf("%s is no RSA key of 4,096 bits", name)
		}
		sum := sha256.Sum256(block.Bytes)
		found[name] = hex.EncodeToString(sum[:])
		arches[name[:len(name)-len("/alpine-devel@lists.alpinelinux.org-61666e3f.rsa.pub")]] = true
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if !maps.Equal(found, fingerprints) {
		t.Errorf("keys are %q", found)
	}
	for _, arch := range slices.Concat(Base.Sysroot.Arches, Base.Tools.Arches) {
		if !arches[arch] {
			t.Errorf("no key for %s", arch)
		}
	}
}
