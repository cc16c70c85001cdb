// Package debian is the builder base that is assembled from Debian packages: which
// packages, their lock, and the keys that may sign the archive.
package debian

import _ "embed"

// Suite is the release that tools and sysroots are taken from.
const Suite = "trixie"

// Mirrors are Debian's own. They are asked after that of the host's apt settings, and not
// at all where DEBIAN_MIRROR is set.
var Mirrors = []string{
	"http://ftp.debian.org/debian",
	"http://ftp.de.debian.org/debian",
	"http://ftp.us.debian.org/debian",
}

// Snapshot keeps what the mirrors drop; DEBIAN_SNAPSHOT names another, or "off".
const Snapshot = "https://snapshot.debian.org"

// Keyring holds the archive's and the releases' signing keys of Debian 11, 12 and 13,
// from the package debian-archive-keyring; expiry 2029 to 2035.
//
//go:embed archive-keyring.asc
var Keyring []byte

// Lock names each package with version and SHA-256; `mage images:lock` renews it.
//
//go:embed lock.json
var Lock []byte
