package plan

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"

	"github.com/tcapflow/tcapflow/spec"
)

// The scripts of the pipeline in the builder.
const (
	Linker         = "/job/extld"           // what Go's linker calls to link
	PkgConfig      = "/job/pkg-config"      // what the go command and build scripts call
	CMakeToolchain = "/job/toolchain.cmake" // what CMake reads where a build script calls it
)

// linkerScript is clang, told of a target by its arguments, with what Go and lld get wrong
// between them put right.
//
//go:embed startup/extld.sh
var linkerScript string

//go:embed startup/pkg-config.sh
var pkgConfigScript string

//go:embed startup/toolchain.cmake
var cmakeToolchain string

func files() []File {
	return []File{{Linker, linkerScript}, {PkgConfig, pkgConfigScript}, {CMakeToolchain, cmakeToolchain}}
}

//go:embed startup/relro.c
var relro string

//go:embed startup/atomic.c
var atomic string

//go:embed startup/compat.c
var compat string

// own are the libraries that come with the pipeline.
func own(t spec.Target, o Options) []Library {
	return []Library{
		{Library: startup(), Source: relro, Env: libraryEnv(t, o)},
		{Library: archive("libatomic", atomic), Source: atomic, Env: libraryEnv(t, o)},
		{Library: archive("libcompat", compat), Source: compat, Env: libraryEnv(t, o)},
	}
}

// ownArchives are linked where something is missing of them, and into nothing else.
var ownArchives = []string{
	"-latomic", // atomic accesses that a CPU has no instruction for
	"-lcompat", // what libgcc wants of a C library
}

// archive is a library of one source file.
func archive(name, source string) spec.Library {
	sum := sha256.Sum256([]byte(source))
	return spec.Library{Name: name, SHA256: hex.EncodeToString(sum[:]), Build: `
$CC $CFLAGS -c -o ` + name + ".o " + name + `.c
mkdir -p "$DESTDIR/usr/lib"
$AR $ARFLAGS "$DESTDIR/usr/lib/` + name + `.a" ` + name + `.o
`}
}

// startup is the object that every binary begins with. It is compiled and kept as a C
// library is, and comes with the pipeline.
func startup() spec.Library {
	sum := sha256.Sum256([]byte(relro))
	return spec.Library{Name: "startup", SHA256: hex.EncodeToString(sum[:]), Build: `
$CC $CFLAGS -c -o startup.o startup.c
mkdir -p "$DESTDIR/usr/lib"
cp startup.o "$DESTDIR/usr/lib/"
`}
}

// startupObject is where startup lies in a target's sysroot.
func startupObject(t spec.Target) string { return "/sysroot/" + t.Triple + "/usr/lib/startup.o" }
