package builder

import (
	"bytes"
	"context"
	"fmt"
	"path"
	"regexp"
	"strings"

	"github.com/tcapflow/tcapflow/pipeline/internal/engine"
	"github.com/tcapflow/tcapflow/pipeline/internal/fault"
)

// run runs a command whose failure is the user's to mend: the error has the line that
// matters first, then the compiler's own lines, with paths relative to the checkout.
func run(ctx context.Context, c *engine.Container, what string, cmd engine.Command) error {
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	code, err := c.Exec(ctx, cmd)
	if err != nil {
		return err
	}
	if code != 0 {
		return failure(what, path.Base(cmd.Args[0]), code, output.String())
	}
	return nil
}

// failure is the error of a command that ended with an exit status and this output.
func failure(what, command string, code int, output string) error {
	log := readable(output)
	err := fmt.Errorf("%s: %s failed (exit status %d)", what, command, code)
	if line := decisive(log); line != "" {
		err = fmt.Errorf("%s: %s", what, line)
	}
	return &fault.Error{Code: fault.Failed, Err: err, Next: nextStep(log), Log: fault.Tail(log, fault.TailLines)}
}

// noise is what says nothing that the line after it does not say: each module that the go
// command unpacks, how Go's linker calls the linker (2 KB), that clang has called it.
var noise = regexp.MustCompile(`(?m)^(go: downloading .*|/job/extld -.*|/usr/local/go/pkg/tool/\S+/link: running /job/extld failed: .*|` +
	`clang(\+\+)?: error: linker command failed .*|\s*)\n`)

// linkFolder is where Go's linker has its objects.
var linkFolder = regexp.MustCompile(`/tmp/go-link-\d+/`)

// readable is a log without noise, with paths that can be opened.
func readable(log string) string {
	log = noise.ReplaceAllString(strings.TrimRight(log, "\n")+"\n", "")
	return strings.ReplaceAll(linkFolder.ReplaceAllString(log, ""), "/src/", "")
}

// decisives are the forms of the line that matters, the surest first.
var decisives = []*regexp.Regexp{
	regexp.MustCompile(`(?m)^ld\.lld: error: .*$`),
	regexp.MustCompile(`(?m)^\S+: fatal error: .*$`),
	regexp.MustCompile(`(?m)^\S+:\d+:\d+: error: .*$`),
	regexp.MustCompile(`(?m)^Package .*(not found|No package).*$`),
	regexp.MustCompile(`(?m)^.*executable file not found.*$`),
	regexp.MustCompile(`(?m)^.*: not found$`),
	regexp.MustCompile(`(?m)^configure: error: .*$`),
	regexp.MustCompile(`(?m)^CMake Error.*\n.*$`),
	regexp.MustCompile(`(?m)^\S+\.go:\d+(:\d+)?: .*$`),
	regexp.MustCompile(`(?m)^make.*: \*\*\* .*$`),
}

// decisive finds the line of a log that says what went wrong; there may be none.
func decisive(log string) string {
	for _, form := range decisives {
		if line := form.FindString(log); line != "" {
			return strings.Join(strings.Fields(line), " ")
		}
	}
	return ""
}

// hints are next steps by what stands in the log.
var hints = []struct {
	found *regexp.Regexp
	next  string
}{
	{regexp.MustCompile(`no space left on device`),
		"free disk of the engine: `mage clean` drops what builds left there, `docker system df` shows the rest"},
	{regexp.MustCompile(`undefined symbol: (__\w+_chk\b|__isoc(23|99)_|gnu_get_libc|__libc_single_threaded|__res_\w+|\w+64\b|__errno_location@|__fdelt_|backtrace\b)`),
		"an archive was compiled for glibc. Modules that bring archives often have others for musl, behind the build tag `musl`: " +
			"add it to Tags in build/project.go; or compile the library from source as one of Libraries"},
	{regexp.MustCompile(`undefined symbol: (std::|operator (new|delete)|__cxa_|__gxx_|vtable for)|C\+\+ standard library|'(iostream|string|vector|memory|map|cstdint|cstddef|cstdlib|cstring|algorithm|utility|functional|stdexcept)' file not found`),
		"this is C++: add catalogue.Libcxx to Libraries in build/project.go; it is the standard library, compiled once for each target"},
	{regexp.MustCompile(`unable to find library -l|\.h' file not found|No package '.*' found|not found in the pkg-config search path`),
		"add the C library to Libraries in build/project.go, before what needs it; package catalogue has those that are ready to link"},
	{regexp.MustCompile(`(?m)(sh|make)(: line \d+)?: (\d+: )?(perl|cmake|ninja|python3): .*(not found|No such file)`),
		"name it in the library's Tools: those of build/debian/packages.go are perl, cmake, ninja and python3"},
	{regexp.MustCompile(`executable file not found|: not found$`),
		"the builder has no such program: build/debian/packages.go says which it has, and how another comes in"},
}

// nextStep is a hint at what mends it, where the cause is one of those that are known.
func nextStep(log string) string {
	for _, h := range hints {
		if h.found.MatchString(log) {
			return h.next
		}
	}
	return ""
}
