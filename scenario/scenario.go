// Package scenario has what users do with any program: ask for its version, run it on
// files, read what it prints. A project lists them in spec.Project.Scenarios, beside its
// own.
package scenario

import (
	"context"
	"fmt"
	"io/fs"
	"strings"

	"github.com/tcapflow/tcapflow/spec"
)

// Version runs the program with the arguments and wants its first line to end with the
// version of the package.
func Version(args ...string) spec.Scenario {
	return spec.Scenario{Name: "version", Run: func(ctx context.Context, place spec.Place) error {
		o, err := place.Exec(ctx, spec.Command{Args: args})
		if err != nil {
			return err
		}
		line, _, _ := strings.Cut(o.Stdout, "\n")
		if words := strings.Fields(line); o.Code != 0 || len(words) == 0 || words[len(words)-1] != place.Version() {
			return Failed(o, fmt.Sprintf("want a line that ends with %q", place.Version()))
		}
		return nil
	}}
}

// Prints runs the program with the arguments and wants its standard output to be the text.
func Prints(name, want string, args ...string) spec.Scenario {
	return spec.Scenario{Name: name, Run: func(ctx context.Context, place spec.Place) error {
		o, err := place.Exec(ctx, spec.Command{Args: args})
		if err != nil {
			return err
		}
		if o.Code != 0 {
			return Failed(o, "want exit status 0")
		}
		return differs(o.Stdout, want)
	}}
}

// Golden runs the program in a folder with the files, and wants its standard output to be,
// to the byte, what the file of that name has.
func Golden(name string, files fs.FS, want string, args ...string) spec.Scenario {
	return spec.Scenario{Name: name, Run: func(ctx context.Context, place spec.Place) error {
		text, err := fs.ReadFile(files, want)
		if err != nil {
			return err
		}
		if err := place.Put(ctx, name, files); err != nil {
			return err
		}
		o, err := place.Exec(ctx, spec.Command{Args: args, Dir: name})
		if err != nil {
			return err
		}
		if o.Code != 0 {
			return Failed(o, "want exit status 0")
		}
		return differs(o.Stdout, string(text))
	}}
}

func differs(got, want string) error {
	if got == want {
		return nil
	}
	gotLines, wantLines := strings.SplitAfter(got, "\n"), strings.SplitAfter(want, "\n")
	for i := range min(len(gotLines), len(wantLines)) {
		if gotLines[i] != wantLines[i] {
			return fmt.Errorf("line %d differs\ngot:  %s\nwant: %s",
				i+1, strings.TrimSpace(gotLines[i]), strings.TrimSpace(wantLines[i]))
		}
	}
	return fmt.Errorf("%d lines, want %d", len(gotLines)-1, len(wantLines)-1)
}

// Protected wants the program's tables of addresses to be read-only while it reads its
// standard input, of which it is given more than a pipe holds.
func Protected(stdin func() ([]byte, error), args ...string) spec.Scenario {
	return spec.Scenario{Name: "relro", Run: func(ctx context.Context, place spec.Place) error {
		input, err := stdin()
		if err != nil {
			return err
		}
		return place.Protected(ctx, spec.Command{Args: args, Stdin: input})
	}}
}

// Failed says how a run differs from what was wanted.
func Failed(o spec.Outcome, want string) error {
	return fmt.Errorf("%s, got exit status %d\nstdout: %s\nstderr: %s",
		want, o.Code, lastLines(o.Stdout, 3), lastLines(o.Stderr, 5))
}

func lastLines(text string, n int) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
