package catalogue

import "github.com/tcapflow/tcapflow/spec"

// OpenSSL is TLS and cryptography, of the branch with long support. Link it with
// `#cgo pkg-config: openssl`. Without what a static program cannot have: engines and
// providers that are loaded at run time, and coroutines, which musl does not support.
// Certificates are looked for in /etc/ssl, as most distributions have them.
var OpenSSL = spec.Library{
	Name:    "openssl",
	Version: "3.5.7",
	Licence: "Apache-2.0",
	URLs: []string{
		"{debian}/pool/main/o/openssl/openssl_3.5.7.orig.tar.gz",
		"https://github.com/openssl/openssl/releases/download/openssl-3.5.7/openssl-3.5.7.tar.gz",
	},
	SHA256:       "a8c0d28a529ca480f9f36cf5792e2cd21984552a3c8e4aa11a24aa31aeac98e8",
	DebianSource: "openssl",
	Needs:        []spec.Library{},
	Tools:        []string{"perl"},
	Build: `
case "$GOARCH" in
amd64) os=linux-x86_64-clang ;;
386) os=linux-x86-clang ;;
arm64) os=linux-aarch64 ;;
arm) os=linux-armv4 ;;
riscv64) os=linux64-riscv64 ;;
ppc64le) os=linux-ppc64le ;;
s390x) os=linux64-s390x ;;
esac
./Configure "$os" --prefix=/usr --libdir=lib --openssldir=/etc/ssl \
	no-shared no-tests no-docs no-dso no-module no-dynamic-engine no-afalgeng no-async
make build_libs
make install_dev DESTDIR="$DESTDIR"
`,
}
