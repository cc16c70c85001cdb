package alpine

import (
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
)

// errForged is what a file is that none of the keys has signed.
var errForged = errors.New("bad signature")

// hashes by the word in a signature's name (apk-v2(5)). RSA means SHA-1, which is what
// Alpine's abuild writes. It is good enough to tell who signed an index; what is locked
// counts by SHA-256.
var hashes = map[string]crypto.Hash{"RSA": crypto.SHA1, "RSA256": crypto.SHA256, "RSA512": crypto.SHA512}

// verify sees that one of the keys for an architecture has signed the control part. Other
// signatures are passed over: one is enough (apk-v2(5)).
func (a *archive) verify(keys fs.FS, arch string) error {
	var strangers []string
	for _, s := range a.signatures {
		hash, known := hashes[s.hash]
		if !known {
			strangers = append(strangers, fmt.Sprintf("%.40q of an unknown kind", s.hash))
			continue
		}
		key, err := readKey(keys, arch, s.key)
		if errors.Is(err, fs.ErrNotExist) {
			strangers = append(strangers, fmt.Sprintf("%.80s, which is no key for %s", s.key, arch))
			continue
		}
		if err != nil {
			return err
		}
		sum := hash.New()
		if err := sumOf(sum, a.control); err != nil {
			return err
		}
		if err := rsa.VerifyPKCS1v15(key, hash, sum.Sum(nil), s.text); err != nil {
			return fmt.Errorf("%w: it is not of the key that it names, %s", errForged, s.key)
		}
		return nil
	}
	return fmt.Errorf("%w: of %s", errForged, strings.Join(strangers, "; "))
}

// readKey reads a public key, PEM, of an architecture.
func readKey(keys fs.FS, arch, name string) (*rsa.PublicKey, error) {
	file := arch + "/" + name
	if !fs.ValidPath(file) || strings.Contains(name, "/") {
		return nil, fs.ErrNotExist
	}
	f, err := keys.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, 64<<10))
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, fmt.Errorf("the key %s is no PEM", file)
	}
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("the key %s: %w", file, err)
	}
	public, ok := key.(*rsa.PublicKey)
	if !ok {
		return nil, fmt.Errorf("the key %s is no RSA key", file)
	}
	return public, nil
}
