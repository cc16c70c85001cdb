// Package debian is the builder base that is assembled from Debian packages: which
// packages, their lock, and the keys that may sign the archive.
package debian

import _ "embed"

// Suite is the release that tools and sysroots are taken from.
const Suite = "trixie"

// Mirror is used where neither DEBIAN_MIRROR nor the host's apt settings name one.
const Mirror = "http://ftp.debian.org/debian"

// Keyring holds the archive's and the releases' signing keys of Debian 11, 12 and 13,
// from the package debian-archive-keyring; expiry 2029 to 2035.
//
//go:embed archive-keyring.asc
var Keyring []byte

// Lock names each package with version and SHA-256; `mage images:lock` renews it.
//
//go:embed lock.json
var Lock []byte
