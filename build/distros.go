package build

// Distro is a place where users run the binary. Exactly one of Packed, Suite and
// Image says where its file system comes from.
type Distro struct {
	Name    string   // as in the names of test cells: debian12
	Packed  string   // the image that a release packs, a layout in dist/images
	Suite   string   // a Debian release, assembled from its signed packages
	Image   string   // a reference, where the engine has it or can pull it
	Targets []string // what is run there; those that the engine's kernel does not run, under QEMU
}

var three = []string{"linux/amd64", "linux/386", "linux/arm64"}

// Distros is every place where the result must run.
var Distros = []Distro{
	// The kernel and the binary alone: here every target is run.
	{Name: "scratch", Packed: "scratch", Targets: Names(Targets)},
	{Name: "distroless", Packed: "distroless", Targets: three},

	{Name: "debian11", Suite: "bullseye", Targets: three},
	{Name: "debian12", Suite: "bookworm", Targets: three},
	{Name: "debian13", Suite: "trixie", Targets: three},

	// Ubuntu and RHEL have no 32-bit x86 any more.
	{Name: "ubuntu22.04", Image: "docker.io/library/ubuntu:22.04", Targets: []string{"linux/amd64", "linux/arm64"}},
	{Name: "ubuntu24.04", Image: "docker.io/library/ubuntu:24.04", Targets: []string{"linux/amd64", "linux/arm64"}},
	{Name: "rhel8", Image: "registry.access.redhat.com/ubi8/ubi-minimal:latest", Targets: []string{"linux/amd64", "linux/arm64"}},
	{Name: "rhel9", Image: "registry.access.redhat.com/ubi9/ubi-minimal:latest", Targets: []string{"linux/amd64", "linux/arm64"}},
	{Name: "alpine3.22", Image: "docker.io/library/alpine:3.22", Targets: three},
}
