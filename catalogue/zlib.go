package catalogue

import "github.com/tcapflow/tcapflow/spec"

// Zlib is DEFLATE, with gzip's file format. Link it with `#cgo pkg-config: zlib` or -lz.
var Zlib = spec.Library{
	Name:    "zlib",
	Version: "1.3.2",
	Licence: "Zlib",
	URLs: []string{
		"{debian}/pool/main/z/zlib/zlib_1.3.dfsg+really1.3.2.orig.tar.gz",
	},
	SHA256:       "7b6903eb019983987b7112eccf90f1703f1c6c0e0cede36564bf611d19ca579d",
	DebianSource: "zlib",
	Needs:        []spec.Library{},
	// Debian's tarball has no contrib/, where the vector code for s390x lies.
	Build: `
./configure --static --prefix=/usr --disable-crcvx
make libz.a
make install
`,
}
