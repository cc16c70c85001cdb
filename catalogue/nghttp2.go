package catalogue

import "github.com/tcapflow/tcapflow/spec"

// Nghttp2 is HTTP/2 without the sockets. Link it with `#cgo pkg-config: libnghttp2` and
// `#cgo CFLAGS: -DNGHTTP2_STATICLIB`.
var Nghttp2 = spec.Library{
	Name:    "nghttp2",
	Version: "1.70.0",
	Licence: "MIT",
	URLs: []string{
		"{debian}/pool/main/n/nghttp2/nghttp2_1.70.0.orig.tar.gz",
		"https://github.com/nghttp2/nghttp2/releases/download/v1.70.0/nghttp2-1.70.0.tar.gz",
	},
	SHA256:       "aa317e2cf9dca6afa0aed68f8fad6ff303ec6982e25a78c75c0b65e2b9b3ded5",
	DebianSource: "nghttp2",
	Needs:        []spec.Library{},
	Build: `
./configure --host="$TRIPLE" --prefix=/usr --disable-shared --enable-lib-only
make -C lib install
rm "$DESTDIR"/usr/lib/*.la
`,
}
