// Package catalogue has C libraries that are ready to link: each is pinned by version and
// SHA-256, and has a build script that was tried for every target. A project names what
// it links:
//
//	Libraries: []spec.Library{catalogue.SQLite},
//
// and its source says where, as anywhere:
//
//	// #cgo pkg-config: sqlite3
//
// The sources are upstream's tarballs as Debian keeps them: its pool is mirrored all over
// the world, and what mirrors drop stays in its snapshot archive. Their digests were taken
// from the Sources index that Debian's InRelease names, whose signature was checked. A
// name with "dfsg" is a tarball that Debian packed without files of unclear licence, so it
// has another digest than upstream's own and no second address.
package catalogue

import "github.com/tcapflow/tcapflow/spec"

// All are the libraries, by name.
var All = []spec.Library{
	Libcxx, Libpcap, Librdkafka, Libusb, Libxml2, LuaJIT, Nghttp2, OpenSSL, SQLite, Zlib, Zstd,
}
