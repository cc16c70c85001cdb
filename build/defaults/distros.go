package defaults

import "github.com/tcapflow/tcapflow/spec"

var three = []string{"linux/amd64", "linux/386", "linux/arm64"}

// Distros is every place where the result must run.
var Distros = []spec.Distro{
	// The kernel and the binary alone: here every target is run.
	{Name: "scratch", Packed: "scratch", Targets: spec.Names(built)},
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
