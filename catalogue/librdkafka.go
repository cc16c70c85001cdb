package catalogue

import "github.com/tcapflow/tcapflow/spec"

// Librdkafka speaks Apache Kafka's protocol, with TLS, and with zlib and Zstandard beside
// what it has of its own; without Kerberos and OAuth over HTTP. Link it with
// `#cgo pkg-config: rdkafka`; github.com/confluentinc/confluent-kafka-go does so with the
// tag dynamic.
var Librdkafka = spec.Library{
	Name:    "librdkafka",
	Version: "2.14.2",
	Licence: "BSD-2-Clause",
	URLs: []string{
		"{debian}/pool/main/libr/librdkafka/librdkafka_2.14.2.orig.tar.gz",
	},
	SHA256:       "4d53568c13717b167d12c7b2a0fe12aeb5d6bfe02de53df5b68f86d870a81b33",
	DebianSource: "librdkafka",
	Needs:        []spec.Library{Zlib, Zstd, OpenSSL},
	Tools:        []string{"cmake"},
	// The wrapper for C++ is not built, but CMake looks for its compiler. config.h says 0
	// where the sources ask whether it says anything.
	Build: `
cmake -B build -DRDKAFKA_BUILD_STATIC=ON -DRDKAFKA_BUILD_EXAMPLES=OFF -DRDKAFKA_BUILD_TESTS=OFF \
	-DWITH_ZLIB=ON -DWITH_ZSTD=ON -DWITH_SSL=ON -DWITH_SASL=OFF -DWITH_CURL=OFF -DWITH_PLUGINS=OFF \
	-DENABLE_LZ4_EXT=OFF -DCMAKE_CXX_COMPILER_FORCED=ON
sed -i '/define WITH_OAUTHBEARER_OIDC 0/d' build/generated/config.h
make -C build rdkafka
cmake --install build/src
cd "$DESTDIR/usr/lib/pkgconfig"
sed -e 's|\${libdir}/librdkafka.a|-lrdkafka|' -e 's|^Requires.private:.*|Requires: libssl libcrypto libzstd zlib|' \
	rdkafka-static.pc >rdkafka.pc
cp rdkafka.pc rdkafka-static.pc
`,
}
