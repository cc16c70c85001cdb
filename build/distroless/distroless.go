// Package distroless is what the distroless image holds beside the binary and
// its licence, which are all that the scratch image holds.
//
// There is no shell, no package manager, no libc, and no nsswitch.conf: a static Go program
// asks /etc/hosts, then DNS, without one.
package distroless

import "github.com/tcapflow/tcapflow/spec"

// Image is what a project's images are made of that gives none of its own.
var Image = spec.Image{
	Packages: spec.PackageSet{
		Name:      "runtime",
		Arches:    []string{"amd64"}, // both are for all architectures
		Packages:  []string{"ca-certificates", "tzdata"},
		NoDepends: true,
	},
	Certificates: "usr/share/ca-certificates/",
	Bundle:       "etc/ssl/certs/ca-certificates.crt",
	Kept: []string{
		"usr/share/zoneinfo",
		"usr/share/doc/ca-certificates/copyright",
		"usr/share/doc/tzdata/copyright",
	},
	LeftOut: []string{
		"usr/share/zoneinfo/localtime", // a link to /etc/localtime, which the image does not have: the local time is UTC
	},
	User: "65532:65532",
	Files: map[string]string{
		"etc/passwd": "root:x:0:0:root:/:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/:/sbin/nologin\n",
		"etc/group":  "root:x:0:\nnonroot:x:65532:\n",
	},
}
