package build

import "github.com/tcapflow/tcapflow/spec"

// checks are what this repository wants of itself beyond what every project has.
var checks = []spec.Check{
	{Step: spec.Lint, Name: "fences (depguard)",
		Args: []string{"go", "tool", "-modfile=tools/go.mod", "depguard", "./..."}},
	{Step: spec.Lint, Name: "fences bite, other hosts (go test)", Env: withTools,
		Args: []string{"go", "test", "-count=1", "-run=^(TestFences|TestHosts)$", "./pipeline"}},
	// What GoReleaser packs is looked into once it is compiled.
	{Step: spec.Release, Name: "go test (GoReleaser)", Env: withTools,
		Args: []string{"go", "test", "-count=1", "-run=^Test(Pack|Tool)", "./pipeline/internal/release"}},

	// By name alone, and not part of `mage test`.
	{Step: "podman", Name: "go test (podman)", Env: []string{"TCAPFLOW_TEST_PODMAN=1"},
		Args: []string{"go", "test", "-count=1", "-timeout=30m", "-v", "-run=^TestPodman$", "./pipeline"}},
	{Step: "torture", Name: "go test (torture)", Env: []string{"TCAPFLOW_TEST_ENGINE=1"},
		Args: []string{"go", "test", "-v", "-count=1", "-timeout=24h", "-run=^TestTorture$", "./pipeline"}},
	{Step: "libraries", Name: "go test (libraries)", Env: []string{"TCAPFLOW_TEST_ENGINE=1"},
		Args: []string{"go", "test", "-v", "-count=1", "-timeout=3h", "-run=^Test(Libraries|Prebuilt)$", "./pipeline"}},
	{Step: "forks", Name: "go test (forks)", Env: []string{"TCAPFLOW_TEST_ENGINE=1", "TCAPFLOW_TEST_FORKS=all"},
		Args: []string{"go", "test", "-v", "-count=1", "-timeout=2h", "-run=^Test(Forks|Whole|UpdateOf)", "./template"}},
}

// withTools lets tests use the tools of tools/go.mod.
var withTools = []string{"TCAPFLOW_TEST_TOOLS=1"}
