// Package alpinetest makes Alpine archives for tests, signed by a key of their own, so that
// no test depends on what a mirror holds today.
//
// In: packages' fields and files. Out: .apk files and indexes of format 2 (apk-v2(5)), by
// their path below a mirror's address.
package alpinetest

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing/fstest"
	"time"
)

// Key signs archives.
type Key struct {
	Name    string // test-0001.rsa.pub
	Public  []byte // PEM
	private *rsa.PrivateKey
}

// NewKey makes a throw-away key.
func NewKey(name string) (Key, error) {
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return Key{}, err
	}
	public, err := x509.MarshalPKIXPublicKey(&private.PublicKey)
	if err != nil {
		return Key{}, err
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public})
	return Key{Name: name, Public: text, private: private}, nil
}

// Keys are the key's files, as spec.Alpine has them: it signs for these architectures.
func (k Key) Keys(arches ...string) fstest.MapFS {
	files := fstest.MapFS{}
	for _, arch := range arches {
		files[arch+"/"+k.Name] = &fstest.MapFile{Data: k.Public}
	}
	return files
}

// Day is the time of everything in an archive that says nothing else.
var Day = time.Unix(1_790_000_000, 0).UTC()

// Package is what a package says of itself.
type Package struct {
	Name, Version, Arch, Licence string
	Depends, Provides            string // words
	Priority                     int    // of a provider; 0: none
}

// APK is a package file, and its stanza in an index.
type APK struct {
	Package
	Text   []byte
	Stanza string
}

// Path is where a package lies below the branch, in a folder such as main/x86_64.
func (a APK) Path(place string) string { return place + "/" + a.Name + "-" + a.Version + ".apk" }

// Package makes a package of the files that write writes.
func (k Key) Package(p Package, write func(*tar.Writer) error) (APK, error) {
	data, err := Pack(true, write)
	if err != nil {
		return APK{}, err
	}
	sum := sha256.Sum256(data)
	info := fmt.Sprintf("# made by a test\npkgname = %s\npkgver = %s\narch = %s\nlicense = %s\ndatahash = %s\n",
		p.Name, p.Version, p.Arch, p.Licence, hex.EncodeToString(sum[:]))
	control, err := Pack(false, File(".PKGINFO", 0o644, info))
	if err != nil {
		return APK{}, err
	}
	signed, err := k.Sign("RSA", crypto.SHA1, control)
	if err != nil {
		return APK{}, err
	}
	a := APK{Package: p, Text: append(signed, data...)}
	a.Stanza = Stanza(p, control, len(a.Text))
	return a, nil
}

// Stanza is what an index says of a package with this control part and size in bytes.
func Stanza(p Package, control []byte, size int) string {
	sum := sha1.Sum(control)
	text := fmt.Sprintf("C:Q1%s\nP:%s\nV:%s\nA:%s\nS:%d\nI:1\nT:a test's\nL:%s\n",
		base64.StdEncoding.EncodeToString(sum[:]), p.Name, p.Version, p.Arch, size, p.Licence)
	if p.Depends != "" {
		text += "D:" + p.Depends + "\n"
	}
	if p.Provides != "" {
		text += "p:" + p.Provides + "\n"
	}
	if p.Priority != 0 {
		text += fmt.Sprintf("k:%d\n", p.Priority)
	}
	return text + "\n"
}

// Index makes an APKINDEX.tar.gz of stanzas, of that day.
func (k Key) Index(description string, day time.Time, stanzas ...string) ([]byte, error) {
	index := strings.Join(stanzas, "")
	control, err := Pack(true, func(w *tar.Writer) error {
		return errors.Join(writeFile(w, "DESCRIPTION", 0o644, description, day),
			writeFile(w, "APKINDEX", 0o644, index, day))
	})
	if err != nil {
		return nil, err
	}
	return k.Sign("RSA", crypto.SHA1, control)
}

// Sign puts a signature before a part: RSA with SHA-1, RSA256 and RSA512 with SHA-2.
func (k Key) Sign(kind string, hash crypto.Hash, part []byte) ([]byte, error) {
	sum := hash.New()
	sum.Write(part)
	text, err := rsa.SignPKCS1v15(nil, k.private, hash, sum.Sum(nil))
	if err != nil {
		return nil, err
	}
	signature, err := Pack(false, File(".SIGN."+kind+"."+k.Name, 0o644, string(text)))
	return append(signature, part...), err
}

// Pack makes a gzip stream of tar entries. What does not end an archive has no zero blocks
// at its end: the streams together are one archive.
func Pack(ends bool, write func(*tar.Writer) error) ([]byte, error) {
	var packed bytes.Buffer
	z, err := gzip.NewWriterLevel(&packed, gzip.BestSpeed)
	if err != nil {
		return nil, err
	}
	w := tar.NewWriter(z)
	if err := write(w); err != nil {
		return nil, err
	}
	end := w.Flush
	if ends {
		end = w.Close
	}
	if err := errors.Join(end(), z.Close()); err != nil {
		return nil, err
	}
	return packed.Bytes(), nil
}

// File writes a file; a name that ends in "/" is a folder.
func File(name string, mode int64, text string) func(*tar.Writer) error {
	return func(w *tar.Writer) error { return writeFile(w, name, mode, text, Day) }
}

func writeFile(w *tar.Writer, name string, mode int64, text string, day time.Time) error {
	h := &tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: mode, Size: int64(len(text)), ModTime: day}
	if strings.HasSuffix(name, "/") {
		h.Typeflag = tar.TypeDir
	}
	if err := w.WriteHeader(h); err != nil {
		return err
	}
	_, err := io.WriteString(w, text)
	return err
}

// Link writes a link: tar.TypeSymlink or tar.TypeLink.
func Link(kind byte, name, to string) func(*tar.Writer) error {
	return func(w *tar.Writer) error {
		return w.WriteHeader(&tar.Header{Typeflag: kind, Name: name, Linkname: to, Mode: 0o777, ModTime: Day})
	}
}

// All writes one after the other.
func All(writes ...func(*tar.Writer) error) func(*tar.Writer) error {
	return func(w *tar.Writer) error {
		for _, write := range writes {
			if err := write(w); err != nil {
				return err
			}
		}
		return nil
	}
}
