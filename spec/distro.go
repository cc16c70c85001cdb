package spec

// Distro is a place where users run the binary. Exactly one of Packed, Suite and
// Image says where its file system comes from.
type Distro struct {
	Name    string   // as in the names of test cells: debian12
	Packed  string   // the image that a release packs, a layout in dist/images
	Suite   string   // a Debian release, assembled from its signed packages
	Image   string   // a reference, where the engine has it or can pull it
	Targets []string // what is run there; those that the engine's kernel does not run, under QEMU
}
