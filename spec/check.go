package spec

// Check is a command that must exit with 0. It runs in the checkout, with the user's
// environment.
type Check struct {
	Name  string // in reports: "fences (depguard)"
	Step  string // of `mage test` that it belongs to, or a word of its own
	Args  []string
	Env   []string // added to the environment: "NAME=value"
	Quiet bool     // what it prints is a finding, also when it exits with 0
}

// The steps of `mage test` that a project's own checks may belong to. Those of lint run after
// gofmt, vet and staticcheck; those of unit in the place of `go test ./...`; those of release
// when GoReleaser is compiled, before anything is packed.
const (
	Lint    = "lint"
	Unit    = "unit"
	Engine  = "engine"
	Release = "release"
)
