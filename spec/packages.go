package spec

// PackageSet is a list of Debian packages that are unpacked together.
type PackageSet struct {
	Name     string
	Arches   []string // Debian's architectures that it is locked for
	Packages []string
	// Skip names packages that a dependency asks for and the set leaves out, with the reason.
	Skip      map[string]string
	NoDepends bool // take the listed packages alone
	Base      bool // and every Essential and required package: a bootable root
}
