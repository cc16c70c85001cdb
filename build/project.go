// Package build says WHAT is built: it is the one folder that a fork edits. It holds
// data and does nothing.
package build

import (
	"github.com/tcapflow/tcapflow/build/alpine"
	"github.com/tcapflow/tcapflow/build/debian"
	"github.com/tcapflow/tcapflow/build/defaults"
	"github.com/tcapflow/tcapflow/build/distroless"
	"github.com/tcapflow/tcapflow/spec"
)

// Project is the program of this repository.
var Project = spec.Project{
	Namespace:    "tcapflow",
	Name:         "tcapflow-client",
	Summary:      "SS7-over-IP flow monitor: TCAP dialogues and their latency, live or from captures",
	Main:         "./cmd/tcapflow-client",
	Tags:         []string{"netgo", "osusergo", "libpcap"},
	Stamp:        spec.Stamp{Version: "main.version", Commit: "main.commit", Date: "main.date", Libc: "main.libc"},
	Capabilities: []spec.Capability{spec.CapNetRaw},
	Checks:       checks,
	Libraries: []spec.Library{{
		// Versions before 1.10.7 have known vulnerabilities of 2025 and 2026.
		Name:    "libpcap",
		Version: "1.10.7",
		Licence: "BSD-3-Clause",
		URLs: []string{
			"{debian}/pool/main/libp/libpcap/libpcap_1.10.7.orig.tar.xz",
			"https://www.tcpdump.org/release/libpcap-1.10.7.tar.xz",
		},
		SHA256:       "68fa62cffb974f4275641ce14c2e2d75739251f30e00e6a0900903b247d76a03",
		DebianSource: "libpcap",
		// What would need another library, or a daemon on the user's machine, is off.
		Build: `
./configure --host="$TRIPLE" --prefix=/usr --with-pcap=linux --disable-shared \
	--disable-dbus --disable-usb --disable-bluetooth --disable-rdma --without-libnl --without-dag --without-snf
make libpcap.a
mkdir -p "$DESTDIR/usr/lib" "$DESTDIR/usr/include/pcap"
cp libpcap.a "$DESTDIR/usr/lib/"
cp pcap.h pcap-bpf.h pcap-namedb.h "$DESTDIR/usr/include/"
cp pcap/*.h "$DESTDIR/usr/include/pcap/"
`,
	}},
	Targets:   defaults.Targets,
	Distros:   defaults.Distros,
	Scenarios: scenarios,
	Debian:    debian.Base,
	Alpine:    alpine.Base,
	Runtime:   distroless.Image,
}
