package catalogue

import "github.com/tcapflow/tcapflow/spec"

// Zstd is Zstandard, with threads for compression. Link it with `#cgo pkg-config: libzstd`
// or -lzstd.
var Zstd = spec.Library{
	Name:    "zstd",
	Version: "1.5.7",
	Licence: "BSD-3-Clause",
	URLs: []string{
		"{debian}/pool/main/libz/libzstd/libzstd_1.5.7+dfsg.orig.tar.xz",
	},
	SHA256:       "0c092ef267edce57ba7f3f2645c861f72eaf5e76273c6c3632869423464b90a5",
	DebianSource: "libzstd",
	Needs:        []spec.Library{},
	Build: `
make -C lib libzstd.a-mt
make -C lib install-static install-includes install-pc PREFIX=/usr
`,
}
