// Package alpine is the builder base that `docker build` makes of Alpine's image and
// packages: the build context and which image it starts from.
package alpine

import (
	"embed"

	"github.com/tcapflow/tcapflow/spec"
)

// Base is what a project has that gives no Alpine base of its own.
var Base = spec.Alpine{Lock: lock, LockFile: "build/alpine/lock.json", Context: context}

// context is the Dockerfile and its scripts. What only a run knows, the Go toolchain
// and a proxy's certificate, is put beside them.
//
//go:embed Dockerfile install.sh sysroot.sh info.sh
var context embed.FS

// lock names the image; its digest stands there once `mage images:lock` has read it from
// a registry. Packages are not locked: Alpine's mirrors keep no old version of one.
//
//go:embed lock.json
var lock []byte
