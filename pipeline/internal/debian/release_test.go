package debian

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/clearsign"
	"github.com/ProtonMail/go-crypto/openpgp/packet"

	bd "github.com/tcapflow/tcapflow/build/debian"
)

// archiveKey is a throw-away key and the armored keyring that holds it.
func archiveKey(t testing.TB) (key *openpgp.Entity, keyring []byte) {
	t.Helper()
	key, err := openpgp.NewEntity("archive", "test", "", &packet.Config{Algorithm: packet.PubKeyAlgoEdDSA})
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	w, err := armor.Encode(&text, openpgp.PublicKeyType, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := key.Serialize(w); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return key, text.Bytes()
}

func sign(t testing.TB, text string, keys ...*openpgp.Entity) []byte {
	t.Helper()
	var private []*packet.PrivateKey
	for _, k := range keys {
		private = append(private, k.PrivateKey)
	}
	var signed bytes.Buffer
	w, err := clearsign.EncodeMulti(&signed, private, nil)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(w, text)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return signed.Bytes()
}

var releaseText = `Origin: Debian
Suite: stable
Codename: trixie
Date: Sat, 12 Sep 2026 07:55:41 UTC
Valid-Until: Sat, 19 Sep 2026 07:55:41 UTC
MD5Sum:
 d41d8cd98f00b204e9800998ecf8427e 0 main/binary-amd64/Packages.xz
SHA256:
 ` + strings.Repeat("ab", 32) + ` 1234 main/binary-amd64/Packages.xz
 ` + strings.Repeat("cd", 32) + `    0 main/source/Sources.xz
`

var releaseDay = time.Date(2026, 9, 13, 0, 0, 0, 0, time.UTC)

func TestParseRelease(t *testing.T) {
	key, keyring := archiveKey(t)
	other, otherRing := archiveKey(t)
	good := sign(t, releaseText, key)
	forged := strings.Replace(releaseText, "trixie", "forged", 1)
	replace := func(old, new string) []byte { return sign(t, strings.Replace(releaseText, old, new, 1), key) }

	for name, c := range map[string]struct {
		file    []byte
		keyring []byte
		now     time.Time
		fail    string
	}{
		"good":                      {file: good},
		"also of an unknown key":    {file: sign(t, releaseText, other, key)},
		"keyring of two":            {file: good, keyring: append(append([]byte{}, keyring...), otherRing...)},
		"last moment":               {file: good, now: time.Date(2026, 9, 19, 7, 55, 41, 0, time.UTC)},
		"text around":               {file: []byte(forged + "\n" + string(good) + "\n" + forged)},
		"unknown key":               {file: good, keyring: otherRing, fail: "bad signature"},
		"of an unknown key alone":   {file: sign(t, releaseText, other), fail: "bad signature"},
		"tampered":                  {file: bytes.Replace(good, []byte("trixie"), []byte("trixia"), 1), fail: "bad signature"},
		"a line more":               {file: bytes.Replace(good, []byte("MD5Sum:"), []byte("Extra: 1\nMD5Sum:"), 1), fail: "bad signature"},
		"signature of another text": {file: splice(good, sign(t, forged, key)), fail: "bad signature"},
		"unsigned":                  {file: []byte(releaseText), fail: "no clear-signed text"},
		"signature cut off":         {file: good[:bytes.Index(good, []byte("-----BEGIN PGP SIGNATURE"))], fail: "no clear-signed text"},
		"empty":                     {fail: "no clear-signed text"},
		"stale":                     {file: good, now: releaseDay.AddDate(0, 0, 7), fail: "Valid-Until of 2026-09-19"},
		"no keyring":                {file: good, keyring: []byte("none"), fail: "archive keyring"},
		"no date":                   {file: replace("Date:", "Data:"), fail: "Date"},
		"odd Valid-Until":           {file: replace("Sat, 19", "Someday, 19"), fail: "Valid-Until"},
		"short digest":              {file: replace("abab", ""), fail: "digest line"},
		"negative size":             {file: replace(" 1234 ", " -1 "), fail: "size"},
		"digest line of two words":  {file: replace(" 1234 ", " "), fail: "digest line"},
	} {
		t.Run(name, func(t *testing.T) {
			if c.keyring == nil {
				c.keyring = keyring
			}
			if c.now.IsZero() {
				c.now = releaseDay
			}
			got, err := ParseRelease(c.file, c.keyring, c.now)
			if c.fail != "" {
				if err == nil || !strings.Contains(err.Error(), c.fail) {
					t.Errorf("got %v, want %q", err, c.fail)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got.Suite != "trixie" || !got.Date.Equal(time.Date(2026, 9, 12, 7, 55, 41, 0, time.UTC)) || !got.ValidFor.Equal(got.Date.AddDate(0, 0, 7)) {
				t.Errorf("got %+v", got)
			}
			want := File{SHA256: strings.Repeat("ab", 32), Size: 1234}
			if len(got.Files) != 2 || got.Files["main/binary-amd64/Packages.xz"] != want {
				t.Errorf("files %+v", got.Files)
			}
		})
	}
}

// splice puts the signature of the second file below the text of the first.
func splice(text, signature []byte) []byte {
	begin := []byte("-----BEGIN PGP SIGNATURE")
	return append(append([]byte{}, text[:bytes.Index(text, begin)]...), signature[bytes.Index(signature, begin):]...)
}

// Debian's stable suites have no Valid-Until: they do not expire.
func TestParseReleaseWithoutEnd(t *testing.T) {
	key, keyring := archiveKey(t)
	text := strings.Replace(releaseText, "Valid-Until", "X-Until", 1)
	if r, err := ParseRelease(sign(t, text, key), keyring, releaseDay.AddDate(30, 0, 0)); err != nil || !r.ValidFor.IsZero() {
		t.Errorf("%+v, %v", r, err)
	}
}

// The committed keyring has the keys of the Debian releases that we use, and accepts no other.
func TestCommittedKeyring(t *testing.T) {
	keys, err := openpgp.ReadArmoredKeyRing(bytes.NewReader(bd.Base.Keyring))
	if err != nil {
		t.Fatal(err)
	}
	for _, release := range []string{"(11/bullseye)", "(12/bookworm)", "(13/trixie)"} {
		found := false
		for _, k := range keys {
			for name := range k.Identities {
				found = found || strings.Contains(name, release)
			}
			if k.PrivateKey != nil {
				t.Errorf("%s: a private key", release)
			}
		}
		if !found {
			t.Errorf("no key of Debian %s", release)
		}
	}
	key, _ := archiveKey(t)
	if _, err := ParseRelease(sign(t, releaseText, key), bd.Base.Keyring, releaseDay); err == nil {
		t.Error("Debian's keyring accepts a key that is not Debian's")
	}
}

func FuzzParseRelease(f *testing.F) {
	f.Add(releaseText)
	f.Fuzz(func(t *testing.T, text string) {
		r, err := parseReleaseFields([]byte(text))
		if err != nil {
			return
		}
		for name, file := range r.Files {
			if len(file.SHA256) != 64 || file.Size < 0 || name == "" {
				t.Errorf("%q: %+v", name, file)
			}
		}
	})
}
