// Package distroless is what the distroless image holds beside the binary and
// its licence, which are all that the scratch image holds.
//
// The packages are build.Runtime, locked in build/debian/lock.json. There is no shell, no
// package manager, no libc, and no nsswitch.conf: a static Go program asks /etc/hosts, then
// DNS, without one.
package distroless

// Certificates is the packages' folder whose *.crt files are joined into Bundle, sorted by
// name, as update-ca-certificates(8) does.
const (
	Certificates = "usr/share/ca-certificates/"
	Bundle       = "etc/ssl/certs/ca-certificates.crt"
)

// Kept are the packages' files and folders that are taken as they are.
var Kept = []string{
	"usr/share/zoneinfo",
	"usr/share/doc/ca-certificates/copyright",
	"usr/share/doc/tzdata/copyright",
}

// LeftOut are files below Kept that make no sense in an image.
var LeftOut = []string{
	"usr/share/zoneinfo/localtime", // a link to /etc/localtime, which the image does not have: the local time is UTC
}

// User runs the program, in both images.
const User = "65532:65532"

// Files are written as they stand here.
var Files = map[string]string{
	"etc/passwd": "root:x:0:0:root:/:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/:/sbin/nologin\n",
	"etc/group":  "root:x:0:\nnonroot:x:65532:\n",
}
