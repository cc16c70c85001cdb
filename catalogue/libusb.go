package catalogue

import "github.com/tcapflow/tcapflow/spec"

// Libusb talks to USB devices. Link it with `#cgo pkg-config: libusb-1.0`; what that drags
// in is nothing: new devices are heard of from the kernel, not from udev.
var Libusb = spec.Library{
	Name:    "libusb",
	Version: "1.0.28",
	Licence: "LGPL-2.1-or-later",
	URLs: []string{
		"{debian}/pool/main/libu/libusb-1.0/libusb-1.0_1.0.28.orig.tar.bz2",
		"https://github.com/libusb/libusb/releases/download/v1.0.28/libusb-1.0.28.tar.bz2",
	},
	SHA256:       "966bb0d231f94a474eaae2e67da5ec844d3527a1f386456394ff432580634b29",
	DebianSource: "libusb-1.0",
	Needs:        []spec.Library{},
	Build: `
./configure --host="$TRIPLE" --prefix=/usr --disable-shared --disable-udev
make -C libusb install
make install-pkgconfigDATA
rm "$DESTDIR"/usr/lib/*.la
`,
}
