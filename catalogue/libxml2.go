package catalogue

import "github.com/tcapflow/tcapflow/spec"

// Libxml2 reads XML and HTML. Link it with `#cgo pkg-config: libxml-2.0`. It knows all
// encodings that musl's iconv has, and reads no compressed files.
var Libxml2 = spec.Library{
	Name:    "libxml2",
	Version: "2.15.4",
	Licence: "MIT",
	URLs: []string{
		"{debian}/pool/main/libx/libxml2/libxml2_2.15.4+dfsg.orig.tar.xz",
	},
	SHA256:       "5868d20db42ee21e4881bc53050c7fa226286a277cb3d0543f76b81f7571e934",
	DebianSource: "libxml2",
	Needs:        []spec.Library{},
	Build: `
./configure --host="$TRIPLE" --prefix=/usr --disable-shared --without-python --without-modules
make libxml2.la
make install-libLTLIBRARIES install-data
rm "$DESTDIR"/usr/lib/*.la
`,
}
