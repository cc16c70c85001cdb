// Package host runs programs of this machine: git, and the go command.
//
// In: a command, and what it is to see of the environment. Out: what it printed, or an error
// with the end of what it said. What a user's shell says of other builds and other
// repositories is not handed on; what says where things come from (GOPROXY, a proxy) is.
package host

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/tcapflow/tcapflow/pipeline/internal/fault"
)

// Environ is the environment of this process, as NAME=value.
func Environ() []string { return os.Environ() }

// ofAnotherBuild are settings of the go command that are for what the user builds else.
var ofAnotherBuild = []string{
	"GOFLAGS", "GOWORK", "GOOS", "GOARCH", "GO386", "GOAMD64", "GOARM", "GOARM64", "GOMIPS", "GOMIPS64",
	"GOPPC64", "GORISCV64", "GOWASM", "GOEXPERIMENT", "GODEBUG", "GO111MODULE", "CGO_ENABLED", "CC", "CXX",
	"CGO_CFLAGS", "CGO_CPPFLAGS", "CGO_CXXFLAGS", "CGO_LDFLAGS",
}

// OfRepository are the variables of `git rev-parse --local-env-vars` that name a
// repository. Those that configure git stay: CI sets safe.directory with them.
var OfRepository = []string{
	"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_OBJECT_DIRECTORY",
	"GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_PREFIX", "GIT_SHALLOW_FILE", "GIT_NAMESPACE",
}

// GoEnv is an environment for the go command, for this machine unless what is set last says
// otherwise. `go env -w` may have set the same in a file, which only a value goes before.
func GoEnv(environ []string, last ...string) []string {
	env := without(environ, ofAnotherBuild, OfRepository)
	env = append(env, "GOFLAGS=-buildvcs=false", "GOWORK=off", "GOOS="+runtime.GOOS, "GOARCH="+runtime.GOARCH)
	return append(env, last...)
}

// GitEnv is an environment for git: another repository that a hook or a rebase has in the
// environment is not meant.
func GitEnv(environ []string) []string {
	return append(without(environ, OfRepository), "LC_ALL=C", "TZ=UTC", "GIT_OPTIONAL_LOCKS=0")
}

// without leaves variables out.
func without(environ []string, names ...[]string) (env []string) {
	for _, v := range environ {
		name, _, _ := strings.Cut(v, "=")
		if !slices.ContainsFunc(names, func(list []string) bool { return slices.Contains(list, name) }) {
			env = append(env, v)
		}
	}
	return env
}

// Go runs the go command in a folder; env goes after GoEnv. What it printed is there also
// where it failed: the error is a *fault.Error with the whole of what it said.
func Go(ctx context.Context, dir string, env []string, args ...string) (stdout string, err error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir, cmd.Env = dir, GoEnv(Environ(), env...)
	return Output(ctx, cmd)
}

// Output runs a command and returns what it prints.
func Output(ctx context.Context, cmd *exec.Cmd) (stdout string, err error) {
	var out, said strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &said
	err = cmd.Run()
	if err != nil && ctx.Err() != nil {
		return "", ctx.Err()
	}
	if err != nil {
		err = fmt.Errorf("%s: %w", name(cmd), err)
		return out.String(), &fault.Error{Code: fault.Failed, Err: err, Log: strings.TrimSpace(said.String())}
	}
	return out.String(), nil
}

// name is a command as one would say it: go list, git status.
func name(cmd *exec.Cmd) string {
	words := cmd.Args
	if filepath.Base(words[0]) == "nice" && len(words) > 3 {
		words = words[3:] // nice -n 19
	}
	program := filepath.Base(words[0])
	if len(words) > 1 {
		return program + " " + words[1]
	}
	return program
}
