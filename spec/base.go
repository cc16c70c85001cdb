package spec

import "io/fs"

// Debian is the builder base that is assembled from packages of Debian, unpacked in-process.
type Debian struct {
	Suite string // the release that tools and sysroots are taken from: trixie
	// Mirrors are asked after that of the host's apt settings, and not at all where
	// DEBIAN_MIRROR is set. Without a trailing slash.
	Mirrors  []string
	Security []string // mirrors of the security updates, likewise, after what is beside the host's own mirror
	Snapshot string   // the archive of what mirrors have dropped; DEBIAN_SNAPSHOT names another, or "off"
	Keyring  []byte   // OpenPGP certificates, armoured: who may sign InRelease
	Lock     []byte   // JSON: each package with version and SHA-256
	LockFile string   // the file in the checkout that Lock was embedded from; `mage images:lock` writes it

	Tools   PackageSet // what runs in the builder
	Sysroot PackageSet // what a target's sysroot is made of
	QEMU    PackageSet // runs foreign binaries in tests
	// Extras are tools that only some libraries need. A set is in the builder of a project
	// where one of its libraries names it in Library.Tools.
	Extras []PackageSet
}

// Alpine is the builder base that is assembled from packages of Alpine, unpacked in-process.
type Alpine struct {
	Branch       string   // the release that tools and sysroots are taken from: v3.24
	Repositories []string // of the branch: main, community
	// Mirrors are asked in this order, and not at all where ALPINE_MIRROR is set. Without a
	// trailing slash; a branch stands below.
	Mirrors  []string
	Keys     fs.FS  // RSA public keys, PEM, as ARCH/NAME.rsa.pub: who may sign for an architecture
	Lock     []byte // JSON: each package with version and SHA-256
	LockFile string // as for Debian

	Tools   PackageSet // as for Debian; architectures by Alpine's names
	Sysroot PackageSet
}

// Image is what the distroless image holds beside the program and its licence.
type Image struct {
	Packages     PackageSet        // of Debian, unpacked
	Certificates string            // the packages' folder whose *.crt files, sorted by name, make Bundle
	Bundle       string            // as update-ca-certificates(8) writes it
	Kept         []string          // the packages' files and folders that are taken as they are
	LeftOut      []string          // files below Kept that are not
	User         string            // runs the program, in both images: "65532:65532"
	Files        map[string]string // written as they stand here
}
