// Package house has the mage targets of this repository alone: tests of the library itself
// and the way to a new project.
package house

import (
	"context"
	_ "embed"
	"strconv"

	"github.com/magefile/mage/mg"

	"github.com/tcapflow/tcapflow/magefiles/targets"
	"github.com/tcapflow/tcapflow/pipeline"
)

// The comments of these targets are part of the manual.
var (
	//go:embed house.go
	source string
	//go:embed template.go
	templateSource string

	_ = targets.Document(source) + targets.Document(templateSource)
)

// Test holds tests that are no part of `mage test`.
type Test mg.Namespace

// Podman builds, verifies, runs and cleans with a podman service of its own, which it installs where it may.
//
//example:mage test:podman
//example:env TCAPFLOW_TEST_PODMAN_USER=builder mage test:podman   as root: a rootless service of that user, too
func (Test) Podman(ctx context.Context) error { return checks(ctx, "podman") }

// Torture runs programs that break where a static binary is laid out wrongly, many times.
//
//example:mage test:torture                             1,000 runs for each target
//example:mage test:torture -targets=linux/386 -runs=50
func (Test) Torture(ctx context.Context, targets *string, runs *int) error {
	env := []string{"TORTURE_RUNS=1000", "TORTURE_TARGETS="}
	if runs != nil {
		env[0] = "TORTURE_RUNS=" + strconv.Itoa(*runs)
	}
	if targets != nil {
		env[1] += *targets
	}
	return checks(ctx, "torture", env...)
}

// Libraries builds the libraries of the catalogue for each target, and runs a program with each.
//
//example:mage test:libraries
//example:mage test:libraries -only=zlib,openssl -targets=linux/arm64
func (Test) Libraries(ctx context.Context, targets, only *string) error {
	which := "all"
	if only != nil {
		which = *only
	}
	return checks(ctx, "libraries", "LIBRARIES="+which, "LIBRARIES_TARGETS="+given(targets))
}

// Forks makes a new project of each kind, builds, packs and runs it. `mage test` does two of them.
func (Test) Forks(ctx context.Context) error { return checks(ctx, "forks") }

// checks runs this repository's own checks of a step.
func checks(ctx context.Context, step string, env ...string) error {
	return do(ctx, func(p *pipeline.Pipeline, ctx context.Context) error { return p.Checks(ctx, step, env...) })
}
