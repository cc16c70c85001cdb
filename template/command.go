package template

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// command runs a program in a folder and returns what it prints. Settings of the user's
// shell that would change what it answers are not handed on; those that say where modules
// come from are.
func command(ctx context.Context, dir string, words ...string) (string, error) {
	return commandWith(ctx, dir, nil, words...)
}

// ofShell are variables that mean another build, or another repository.
var ofShell = []string{"GOFLAGS", "GOWORK", "GOOS", "GOARCH", "GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"}

func commandWith(ctx context.Context, dir string, env []string, words ...string) (string, error) {
	cmd := exec.CommandContext(ctx, words[0], words[1:]...)
	cmd.Dir = dir
	for _, v := range os.Environ() {
		if name, _, _ := strings.Cut(v, "="); !slices.Contains(ofShell, name) {
			cmd.Env = append(cmd.Env, v)
		}
	}
	cmd.Env = append(cmd.Env, "GOWORK=off", "LC_ALL=C", "GIT_TERMINAL_PROMPT=0")
	cmd.Env = append(cmd.Env, env...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	switch {
	case ctx.Err() != nil:
		return "", ctx.Err()
	case err != nil:
		return "", &Error{Err: fmt.Errorf("%s: %w", strings.Join(words, " "), err),
			Log: stderr.String() + stdout.String()}
	}
	return strings.TrimSpace(stdout.String()), nil
}
