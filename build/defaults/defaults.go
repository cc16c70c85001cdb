// Package defaults is what a project has where it says nothing else: all targets, the
// places where their result is run, both bases and the images' contents. They come with
// the library, so that updating it renews them.
package defaults

import (
	"github.com/tcapflow/tcapflow/build/alpine"
	"github.com/tcapflow/tcapflow/build/debian"
	"github.com/tcapflow/tcapflow/build/distroless"
	"github.com/tcapflow/tcapflow/spec"
)

// Fill sets each field of a project that it leaves empty; of a base, each field alone: a
// project may have its own lock of the same packages. A lock that is the library's has no
// file in the project's checkout.
func Fill(p spec.Project) spec.Project {
	orElse(&p.Namespace, spec.Namespace(p.Name))
	if p.Targets.Built == nil {
		p.Targets = Targets
	}
	if p.Distros == nil {
		p.Distros = Distros
	}
	if p.Debian.Lock == nil {
		p.Debian.Lock = debian.Base.Lock
	}
	if p.Debian.Keyring == nil {
		p.Debian.Keyring = debian.Base.Keyring
	}
	if p.Debian.Mirrors == nil {
		p.Debian.Mirrors = debian.Base.Mirrors
	}
	if p.Debian.Security == nil {
		p.Debian.Security = debian.Base.Security
	}
	orElse(&p.Debian.Suite, debian.Base.Suite)
	orElse(&p.Debian.Snapshot, debian.Base.Snapshot)
	setOrElse(&p.Debian.Tools, debian.Base.Tools)
	setOrElse(&p.Debian.Sysroot, debian.Base.Sysroot)
	setOrElse(&p.Debian.QEMU, debian.Base.QEMU)
	if p.Debian.Extras == nil {
		p.Debian.Extras = debian.Base.Extras
	}
	fillAlpine(&p.Alpine)
	if p.Runtime.User == "" {
		p.Runtime = distroless.Image
	}
	return p
}

func fillAlpine(a *spec.Alpine) {
	if a.Lock == nil {
		a.Lock = alpine.Base.Lock
	}
	if a.Keys == nil {
		a.Keys = alpine.Base.Keys
	}
	if a.Mirrors == nil {
		a.Mirrors = alpine.Base.Mirrors
	}
	if a.Repositories == nil {
		a.Repositories = alpine.Base.Repositories
	}
	orElse(&a.Branch, alpine.Base.Branch)
	setOrElse(&a.Tools, alpine.Base.Tools)
	setOrElse(&a.Sysroot, alpine.Base.Sysroot)
}

func orElse[T comparable](field *T, otherwise T) {
	var zero T
	if *field == zero {
		*field = otherwise
	}
}

func setOrElse(field *spec.PackageSet, otherwise spec.PackageSet) {
	if field.Name == "" {
		*field = otherwise
	}
}
