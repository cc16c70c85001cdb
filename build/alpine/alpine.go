// Package alpine is the builder base that is assembled from Alpine's packages: which
// packages, their lock, and the keys that may sign the archive.
package alpine

import (
	"embed"
	"io/fs"

	"github.com/tcapflow/tcapflow/spec"
)

// Base is Alpine 3.24. A project that gives no base of its own has this one.
var Base = spec.Alpine{
	Branch:       "v3.24",
	Repositories: []string{"main", "community"},
	Mirrors: []string{
		"https://dl-cdn.alpinelinux.org/alpine", // Alpine's own
		"https://mirrors.edge.kernel.org/alpine",
		"https://ftp.halifax.rwth-aachen.de/alpine",
	},
	Keys:     keys(),
	Lock:     lock,
	LockFile: "build/alpine/lock.json",
	Tools:    tools,
	Sysroot:  sysroot,
}

// lock names each package with version and SHA-256; `mage images:lock` renews it. While it
// names none, nothing can be built with this base but by name, and no release.
//
//go:embed lock.json
var lock []byte

// keyFiles hold the key that has signed each architecture's packages since 2021, of 4,096
// bits, as alpine-keys has them in /usr/share/apk/keys. They were taken from the root file
// system alpine-minirootfs-3.20.3-x86_64.tar.gz (alpinelinux/docker-alpine, commit
// 7d63673353bd; its SHA-512 stands in checksums.sha512 there). SHA-256 of each, as DER:
//
//	aarch64  616ae350  479f16f4170a9ea0c65e1de854860949b1a549cfa1f43552f7a2e821c9e2f409
//	armv7    616adfeb  45d409999dd3e16dfce19757fc48f238ae775d17ca319e08e474a471f1ab6521
//	ppc64le  616abc23  654f5e12a67c95bedf92da80b6257abba7fe1df6698820825d793a33d677e3a1
//	riscv64  616db30d  32246c9a9673e3f6e7bef6c96031883d23078f41094ea6636d19a697f356420a
//	s390x    616ac3bc  2ace5cf3235c095544c26ec946611836f39324aa264f75862fe0332eb17f0975
//	x86      61666e3f  06216db06044f26845ff610f2c253863b9e01fbd4c5557871b8bfa2f5ac96e95
//	x86_64   6165ee59  8a70fc55f1a6fb2a392ad5a3e71aff82a637b2b33659c046f6b6a909bb5d1ab7
//
//go:embed keys
var keyFiles embed.FS

func keys() fs.FS {
	below, err := fs.Sub(keyFiles, "keys")
	if err != nil {
		panic(err) // the folder is in the binary
	}
	return below
}
