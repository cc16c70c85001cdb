package spec

// PackageSet is a list of packages, of Debian or of Alpine, that are unpacked together.
type PackageSet struct {
	Name     string
	Arches   []string // that it is locked for, by the base's own names
	Packages []string
	// Skip names packages that a dependency asks for and the set leaves out, with the reason.
	Skip      map[string]string
	NoDepends bool // take the listed packages alone
	Base      bool // of Debian: and every Essential and required package, a bootable root
}
