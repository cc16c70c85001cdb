// Package debian is the builder base that is assembled from Debian packages: which
// packages, their lock, and the keys that may sign the archive.
package debian

import (
	_ "embed"

	"github.com/tcapflow/tcapflow/spec"
)

// Base is Debian 13. A project that gives no base of its own has this one.
var Base = spec.Debian{
	Suite: "trixie",
	Mirrors: []string{
		"http://ftp.debian.org/debian",
		"http://ftp.de.debian.org/debian",
		"http://ftp.us.debian.org/debian",
	},
	Security: []string{"http://security.debian.org/debian-security"},
	Snapshot: "https://snapshot.debian.org",
	Keyring:  keyring,
	Lock:     lock,
	LockFile: "build/debian/lock.json",
	Tools:    tools,
	Sysroot:  sysroot,
	QEMU:     qemu,
	Extras:   extras,
}

// keyring holds the archive's and the releases' signing keys of Debian 11, 12 and 13,
// from the package debian-archive-keyring; expiry 2029 to 2035.
//
//go:embed archive-keyring.asc
var keyring []byte

// lock names each package with version and SHA-256; `mage images:lock` renews it.
//
//go:embed lock.json
var lock []byte
