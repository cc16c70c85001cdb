// Package build says WHAT is built: it is the one folder that a fork edits. It holds
// data and the types of that data, and does nothing.
package build

// Project is the program to build and the C libraries that it links.
type Project struct {
	Name      string   // of the binary
	Summary   string   // one line, for packages and images
	Main      string   // the main package, relative to the module
	Tags      []string // Go build tags
	Stamp     Stamp
	Libraries []Library
	Allowed   []Allowed // texts that the gate lets pass although they hold a path of the building machine
	// Capabilities are what the program in the images may take on, as after `setcap …=p`:
	// nobody can call setcap in an image that has no shell.
	Capabilities []Capability
}

// Allowed is an exception to the rule that no path of the building machine (checkout, home, cache folder)
// stands in a binary. It is for text that is there on purpose, or that came with a prebuilt archive; for
// paths that a compiler wrote, look at its flags instead.
type Allowed struct {
	Text   string // as it stands in the binary: "/home/runner/src/libfoo"; what holds it passes, no more
	Reason string // one line for whoever checks the release; `mage verify` prints it
}

// Capability is the number of a Linux capability (linux/capability.h).
type Capability uint8

// CapNetRaw is for packet sockets, packet(7).
const CapNetRaw Capability = 13

// Stamp names the string variables that the linker sets (go tool link -X); an empty
// name is not set.
type Stamp struct {
	Version, Commit, Date, Libc string
}

// Library is a C library, built from pinned source as a static archive.
type Library struct {
	Name    string
	Version string
	Licence string // SPDX expression
	// URLs are tried in order; "{debian}" stands for the Debian mirror.
	URLs   []string
	SHA256 string
	// DebianSource is the source package whose version stands in, with a warning and
	// never in a release, when none of the URLs answers.
	DebianSource string
	// Build is a POSIX sh script that runs in the unpacked source, with CC, AR, RANLIB,
	// CFLAGS and TRIPLE set and no network. It installs below $DESTDIR/usr.
	Build string
}

// TcapflowClient is the program of this repository.
var TcapflowClient = Project{
	Name:         "tcapflow-client",
	Summary:      "SS7-over-IP flow monitor: TCAP dialogues and their latency, live or from captures",
	Main:         "./cmd/tcapflow-client",
	Tags:         []string{"netgo", "osusergo", "libpcap"},
	Stamp:        Stamp{Version: "main.version", Commit: "main.commit", Date: "main.date", Libc: "main.libc"},
	Capabilities: []Capability{CapNetRaw},
	Libraries: []Library{{
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
}
