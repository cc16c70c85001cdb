package pipeline

import (
	"fmt"

	"golang.org/x/mod/semver"

	"github.com/tcapflow/tcapflow/pipeline/internal/source"
	"github.com/tcapflow/tcapflow/spec"
)

// wrongModule is a version of a Go module that is compiled without a word and does not work.
type wrongModule struct {
	target, path string
	before       string // the first version that is right
	why          string
}

var wrongModules = []wrongModule{
	// unix/asm_linux_ppc64x.s jumped to a function's global entry by R31; that entry computes
	// the TOC pointer from R12 (ELFv2 ABI §2.3.2.1). What uses a global afterwards finds another.
	{"linux/ppc64le", "golang.org/x/sys", "v0.50.0", "its system calls lose the TOC pointer in position independent code"},
}

// warnings says which of the modules do not work on a target.
func warnings(modules []source.Module, targets []spec.Target) (lines []string) {
	for _, t := range targets {
		for _, w := range wrongModules {
			for _, m := range modules {
				if w.target == t.Name && w.path == m.Path && semver.Compare(m.Version, w.before) < 0 {
					lines = append(lines, fmt.Sprintf("warning: %s: %s %s: %s; `go get %s@latest` mends it",
						t.Name, m.Path, m.Version, w.why, m.Path))
				}
			}
		}
	}
	return lines
}
