package pipeline

import (
	"os"
	"testing"

	"golang.org/x/tools/go/packages"
)

// fromSource loads types of packages and of what they import, without compiling any.
const fromSource = packages.NeedName | packages.NeedFiles | packages.NeedCompiledGoFiles |
	packages.NeedImports | packages.NeedDeps | packages.NeedTypes | packages.NeedTypesSizes | packages.NeedSyntax

// TestHosts checks the types of every package and test as they are on hosts other than
// this one. `GOOS=darwin go vet ./...` would do the same, and compile what we import for
// it: 173 s of CPU for each system where nothing is cached, on the slowest machine seen.
func TestHosts(t *testing.T) {
	if os.Getenv("TCAPFLOW_TEST_TOOLS") != "1" {
		t.Skip("skipped: may download modules of other systems: set TCAPFLOW_TEST_TOOLS=1")
	}
	for _, goos := range []string{"darwin", "windows"} {
		t.Run(goos, func(t *testing.T) {
			config := &packages.Config{
				Mode: fromSource, Dir: "..", Tests: true,
				Env: append(os.Environ(), "GOOS="+goos, "GOARCH=amd64", "CGO_ENABLED=0", "GOFLAGS=", "GOWORK=off"),
			}
			loaded, err := packages.Load(config, "./...")
			if err != nil {
				t.Fatal(err)
			}
			if len(loaded) == 0 {
				t.Fatal("no package is loaded")
			}
			for _, p := range loaded {
				for _, e := range p.Errors {
					t.Errorf("%s: %v", p.ID, e)
				}
			}
		})
	}
}
