// Package debiantest makes Debian archives for tests, signed by a key of their own, so that
// no test depends on what a mirror holds today.
//
// In: texts of indexes. Out: files by their path below a mirror's address, to be served.
package debiantest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/clearsign"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
	"github.com/ulikunitz/xz"
)

// Key signs archives.
type Key struct {
	Keyring []byte // armored, as build/debian/archive-keyring.asc is
	entity  *openpgp.Entity
}

// NewKey makes a throw-away key.
func NewKey() (Key, error) {
	entity, err := openpgp.NewEntity("archive", "test", "", &packet.Config{Algorithm: packet.PubKeyAlgoEdDSA})
	if err != nil {
		return Key{}, err
	}
	var text bytes.Buffer
	w, err := armor.Encode(&text, openpgp.PublicKeyType, nil)
	if err != nil {
		return Key{}, err
	}
	if err := entity.Serialize(w); err != nil {
		return Key{}, err
	}
	if err := w.Close(); err != nil {
		return Key{}, err
	}
	return Key{Keyring: text.Bytes(), entity: entity}, nil
}

// Publish returns the files of dists/SUITE: InRelease of that day, and the indexes under
// their plain names and below by-hash. Indexes are given by the name that InRelease has
// for them, main/binary-amd64/Packages.xz, with their uncompressed text.
func (k Key) Publish(suite string, day time.Time, indexes map[string]string) (map[string][]byte, error) {
	files := map[string][]byte{}
	release := "Codename: " + suite + "\nDate: " + day.UTC().Format(time.RFC1123) + "\nSHA256:\n"
	for _, name := range slices.Sorted(maps.Keys(indexes)) {
		packed, err := compress(indexes[name])
		if err != nil {
			return nil, err
		}
		release += fmt.Sprintf(" %s %d %s\n", Digest(packed), len(packed), name)
		files["dists/"+suite+"/"+name] = packed
		files["dists/"+suite+"/"+path.Dir(name)+"/by-hash/SHA256/"+Digest(packed)] = packed
	}
	signed, err := k.Sign(release)
	files["dists/"+suite+"/InRelease"] = signed
	return files, err
}

// Sign clear-signs a text (RFC 9580 §7).
func (k Key) Sign(text string) ([]byte, error) {
	var signed bytes.Buffer
	w, err := clearsign.Encode(&signed, k.entity.PrivateKey, nil)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write([]byte(text)); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return signed.Bytes(), nil
}

func compress(text string) ([]byte, error) {
	var packed bytes.Buffer
	w, err := xz.WriterConfig{DictCap: 1 << 20}.NewWriter(&packed) // small: quick to make
	if err != nil {
		return nil, err
	}
	if _, err := w.Write([]byte(text)); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return packed.Bytes(), nil
}

// Digest is the SHA-256 in lower-case hex.
func Digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// Stanza is a package's entry in a Packages index; more fields can be given.
func Stanza(name, version, arch, filename string, size int64, digest string, fields ...string) string {
	text := fmt.Sprintf("Package: %s\nVersion: %s\nArchitecture: %s\nFilename: %s\nSize: %d\nSHA256: %s\n",
		name, version, arch, filename, size, digest)
	return text + strings.Join(append(fields, ""), "\n") + "\n"
}
