package pipeline

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// readsEnvironment are the rooms that do, each with the reason.
var readsEnvironment = map[string]string{
	"internal/options":         "turns what a user sets into a struct",
	"internal/host":            "hands the environment on to programs of this machine",
	"internal/engine":          "reads the variables of the docker command as that does, and shields testcontainers from its own",
	"internal/release/handoff": "is a program of its own, which GoReleaser starts",
}

var environment = regexp.MustCompile(`\bos\.(Getenv|LookupEnv|Environ|Setenv|Unsetenv|ExpandEnv)\b`)

// TestEnvironment finds the rooms that read or change the environment.
func TestEnvironment(t *testing.T) {
	var rooms []string
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() && d.Name() == "testdata" {
			return errorsOrSkip(err)
		}
		if filepath.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		text, err := os.ReadFile(name)
		if err != nil || !environment.Match(text) {
			return err
		}
		room := filepath.ToSlash(filepath.Dir(name))
		if rooms = append(rooms, room); readsEnvironment[room] == "" {
			t.Errorf("%s: only package options reads the environment; a job is handed what it needs", name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for room := range readsEnvironment {
		if !slices.Contains(rooms, room) {
			t.Errorf("%s reads no environment any more", room)
		}
	}
}

func errorsOrSkip(err error) error {
	if err != nil {
		return err
	}
	return filepath.SkipDir
}
