package debian

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/clearsign"
)

// Release is what a signed InRelease file says of a suite.
type Release struct {
	Suite    string // the codename: trixie
	Date     time.Time
	ValidFor time.Time       // zero: no Valid-Until field
	Files    map[string]File // by path below dists/SUITE/, such as main/binary-amd64/Packages.xz
}

// File is a file that a signed index vouches for.
type File struct {
	SHA256 string // lower-case hex
	Size   int64  // bytes
}

var errStale = errors.New("past its Valid-Until")

// ParseRelease checks the clear-text signature (RFC 9580 §7) of an InRelease file
// against an armored keyring and reads its fields. Only the signed text is read:
// what stands before or after it in the file is not looked at.
func ParseRelease(inRelease, keyring []byte, now time.Time) (Release, error) {
	keys, err := openpgp.ReadArmoredKeyRing(bytes.NewReader(keyring))
	if err != nil {
		return Release{}, fmt.Errorf("archive keyring: %w", err)
	}
	block, _ := clearsign.Decode(inRelease)
	if block == nil {
		return Release{}, errors.New("no clear-signed text")
	}
	if _, err := block.VerifySignature(keys, nil); err != nil {
		return Release{}, fmt.Errorf("bad signature: %w", err)
	}
	release, err := parseReleaseFields(block.Plaintext)
	if err != nil {
		return Release{}, err
	}
	if !release.ValidFor.IsZero() && now.After(release.ValidFor) {
		return Release{}, fmt.Errorf("%w of %s: the mirror is stale, or somebody holds updates back",
			errStale, release.ValidFor.Format(time.DateOnly))
	}
	return release, nil
}

func parseReleaseFields(text []byte) (Release, error) {
	release := Release{Files: map[string]File{}}
	err := stanzas(bytes.NewReader(text), func(fields map[string]string) (err error) {
		release.Suite = fields["Codename"]
		if release.Date, err = time.Parse(time.RFC1123, fields["Date"]); err != nil {
			return fmt.Errorf("field Date: %w", err)
		}
		if until := fields["Valid-Until"]; until != "" {
			if release.ValidFor, err = time.Parse(time.RFC1123, until); err != nil {
				return fmt.Errorf("field Valid-Until: %w", err)
			}
		}
		release.Files, err = parseDigests(fields["SHA256"])
		return err
	})
	return release, err
}

// parseDigests reads lines of "SHA256 SIZE PATH", as in Release and Sources files.
func parseDigests(field string) (map[string]File, error) {
	files := map[string]File{}
	for line := range strings.Lines(strings.TrimSpace(field)) {
		words := strings.Fields(line)
		if len(words) != 3 || len(words[0]) != 64 {
			return nil, fmt.Errorf("digest line %.80q", line)
		}
		size, err := strconv.ParseInt(words[1], 10, 64)
		if err != nil || size < 0 {
			return nil, fmt.Errorf("digest line %.80q: size", line)
		}
		files[words[2]] = File{SHA256: words[0], Size: size}
	}
	return files, nil
}
