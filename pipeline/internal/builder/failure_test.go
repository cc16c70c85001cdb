package builder

import (
	"errors"
	"strings"
	"testing"

	"github.com/tcapflow/tcapflow/pipeline/internal/fault"
)

// linking is what Go and clang say around a linker's error.
const linking = `go: downloading example.com/m v1.0.0
# example.com/x
/usr/local/go/pkg/tool/linux_amd64/link: running /job/extld failed: exit status 1
/job/extld -m64 -s -Wl,-z,relro -pie -o $WORK/b001/exe/a.out -rdynamic /tmp/go-link-3353689848/go.o -O2
`

// The first line says what went wrong, whatever stands around it, and what mends it.
func TestFailure(t *testing.T) {
	for name, test := range map[string]struct{ output, line, next string }{
		"a symbol": {linking + `ld.lld: error: undefined symbol: missing
>>> referenced by main.cgo2.c
>>>               /tmp/go-link-3353689848/000001.o:(_cgo_5592ac0ea065_Cfunc_missing)
clang: error: linker command failed with exit code 1 (use -v to see invocation)

`, "ld.lld: error: undefined symbol: missing", ""},
		"a library": {linking + "ld.lld: error: unable to find library -lz\n", "ld.lld: error: unable to find library -lz", "add the C library to Libraries"},
		"glibc": {linking + "ld.lld: error: undefined symbol: __memcpy_chk\n>>> referenced by x.o in archive librdkafka_glibc.a\n",
			"ld.lld: error: undefined symbol: __memcpy_chk", "behind the build tag `musl`"},
		"C++":              {linking + "ld.lld: error: undefined symbol: std::terminate()\n", "ld.lld: error: undefined symbol: std::terminate()", "catalogue.Libcxx"},
		"a header":         {"# example.com/x\n/src/x.go:3:11: fatal error: 'zlib.h' file not found\n    3 | #include\n", "x.go:3:11: fatal error: 'zlib.h' file not found", "add the C library"},
		"a header of C++":  {"a.cc:1:10: fatal error: 'vector' file not found\n", "a.cc:1:10: fatal error: 'vector' file not found", "this is C++"},
		"a package":        {"# pkg-config --cflags -- foo\nPackage foo was not found in the pkg-config search path.\nPerhaps you should\n", "Package foo was not found in the pkg-config search path.", "add the C library"},
		"Go":               {"# cmd/x\n/src/cmd/x/main.go:3:1: syntax error\n", "cmd/x/main.go:3:1: syntax error", ""},
		"C":                {"conf.c:9:4: error: use of undeclared identifier 'x'\n1 error generated.\nmake: *** [conf.o] Error 1\n", "conf.c:9:4: error: use of undeclared identifier 'x'", ""},
		"a tool":           {"sh: perl: not found\n", "sh: perl: not found", "name it in the library's Tools"},
		"make":             {"make: *** No rule to make target 'all'.  Stop.\n", "make: *** No rule to make target 'all'. Stop.", ""},
		"a disk":           {"write: no space left on device\n", "sh failed (exit status 2)", "free disk of the engine"},
		"nothing at all":   {"", "sh failed (exit status 2)", ""},
		"lines upon lines": {strings.Repeat("line\n", 1000), "sh failed (exit status 2)", ""},
	} {
		var got *fault.Error
		if err := failure("linux/386", "sh", 2, test.output); !errors.As(err, &got) || got.Code != fault.Failed {
			t.Fatalf("%s: %v", name, err)
		}
		if got.Err.Error() != "linux/386: "+test.line {
			t.Errorf("%s: first line %q", name, got.Err)
		}
		if !strings.Contains(got.Next, test.next) || (test.next == "") != (got.Next == "") {
			t.Errorf("%s: next step %q, want %q", name, got.Next, test.next)
		}
		for _, unwanted := range []string{"/src/", "extld", "go-link", "downloading", "linker command failed"} {
			if strings.Contains(got.Log, unwanted) {
				t.Errorf("%s: %s stands in the log:\n%s", name, unwanted, got.Log)
			}
		}
		if n := strings.Count(got.Log, "\n") + 1; n > fault.TailLines {
			t.Errorf("%s: %d lines", name, n)
		}
	}
}
