package plan

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"

	"github.com/tcapflow/tcapflow/spec"
)

// Linker is where LinkerScript lies in the builder: what Go's linker calls to link.
const Linker = "/job/extld"

// LinkerScript is clang, told of a target by its arguments, with what Go and lld get wrong
// between them put right.
//
//go:embed startup/extld.sh
var LinkerScript string

//go:embed startup/relro.c
var relro string

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
