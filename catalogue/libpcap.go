package catalogue

import "github.com/tcapflow/tcapflow/spec"

// Libpcap captures packets. Versions before 1.10.7 have known vulnerabilities of 2025 and
// 2026. What would need another library, or a daemon on the user's machine, is off.
var Libpcap = spec.Library{
	Name:    "libpcap",
	Version: "1.10.7",
	Licence: "BSD-3-Clause",
	URLs: []string{
		"{debian}/pool/main/libp/libpcap/libpcap_1.10.7.orig.tar.xz",
		"https://www.tcpdump.org/release/libpcap-1.10.7.tar.xz",
	},
	SHA256:       "68fa62cffb974f4275641ce14c2e2d75739251f30e00e6a0900903b247d76a03",
	DebianSource: "libpcap",
	Needs:        []spec.Library{},
	Build: `
./configure --host="$TRIPLE" --prefix=/usr --with-pcap=linux --disable-shared \
	--disable-dbus --disable-usb --disable-bluetooth --disable-rdma --without-libnl --without-dag --without-snf
make libpcap.a
mkdir -p "$DESTDIR/usr/lib" "$DESTDIR/usr/include/pcap"
cp libpcap.a "$DESTDIR/usr/lib/"
cp pcap.h pcap-bpf.h pcap-namedb.h "$DESTDIR/usr/include/"
cp pcap/*.h "$DESTDIR/usr/include/pcap/"
`,
}
