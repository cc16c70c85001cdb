package template

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
)

// New says what project is made, and where.
type New struct {
	Dir     string // is made; may be there and empty
	Project Project
	Version string // of the library that it requires, v1.2.3
	// Checkout is a folder with this library, for a version that is published nowhere;
	// empty: there is none.
	Checkout string
	Log      io.Writer
}

// Make makes the project: its files, go.sum, and where git is there a first commit.
func (n New) Make(ctx context.Context) (err error) {
	if err := checkFolder(n.Dir); err != nil {
		return err
	}
	if n.Project, err = n.Project.fill(); err != nil {
		return err
	}
	if n.Project.Whole {
		return n.whole(ctx)
	}
	rendered, err := n.Project.Render(n.Version)
	if err != nil {
		return err
	}
	if err := write(n.Dir, rendered); err != nil {
		return err
	}
	if err := n.requireLibrary(ctx); err != nil {
		return err
	}
	return n.finish(ctx, len(rendered)+1) // and go.sum
}

// requireLibrary completes go.mod. Where the library's version can be had nowhere, the
// project is given the checkout.
func (n New) requireLibrary(ctx context.Context) error {
	_, missing := command(ctx, n.Dir, "go", "mod", "download", Library+"@"+n.Version)
	if missing != nil && ctx.Err() == nil {
		if n.Checkout == "" {
			return fetching(missing, nextProxy)
		}
		checkout, err := filepath.Abs(n.Checkout)
		if err != nil {
			return err
		}
		fmt.Fprintf(n.Log, "%s is not published: go.mod replaces it by %s\n", n.Version, checkout)
		if _, err := command(ctx, n.Dir, "go", "mod", "edit", "-replace", Library+"="+checkout); err != nil {
			return err
		}
	}
	_, err := command(ctx, n.Dir, "go", "mod", "tidy")
	return fetching(err, nextProxy)
}

const nextProxy = "see that GOPROXY (go env GOPROXY) can be reached"

// fetching marks the error of a command as one of a download.
func fetching(err error, next string) error {
	var e *Error
	if errors.As(err, &e) {
		e.Fetch = true
	}
	return withNext(err, next)
}

func withNext(err error, next string) error {
	var e *Error
	if errors.As(err, &e) && e.Next == "" {
		e.Next = next
	}
	return err
}

// finish makes the first commit, and says how to go on.
func (n New) finish(ctx context.Context, count int) error {
	if err := n.commit(ctx); err != nil {
		return err
	}
	fmt.Fprintf(n.Log, "%s: %d files; yours to think about are build/ and cmd/%s/\n"+
		"next: cd %s && go tool mage static\n",
		n.Project.Name, count, n.Project.Name, n.Dir)
	return nil
}

// commit makes a repository, unless the folder is in one, and its first commit, unless git
// knows no author.
func (n New) commit(ctx context.Context) error {
	if _, err := exec.LookPath("git"); err != nil {
		fmt.Fprintln(n.Log, "git is not installed: nothing is committed")
		return nil
	}
	if _, err := command(ctx, n.Dir, "git", "rev-parse", "--git-dir"); err == nil {
		fmt.Fprintln(n.Log, "the folder is in a git repository: nothing is committed")
		return nil
	}
	if _, err := command(ctx, n.Dir, "git", "init", "-q", "-b", "main"); err != nil {
		return err
	}
	if _, err := command(ctx, n.Dir, "git", "add", "-A"); err != nil {
		return err
	}
	if _, err := command(ctx, n.Dir, "git", "var", "GIT_AUTHOR_IDENT"); err != nil {
		fmt.Fprintln(n.Log, "git knows no user.name and user.email: nothing is committed; a release needs a commit")
		return nil
	}
	_, err := command(ctx, n.Dir, "git", "commit", "-q", "-m", "Begin "+n.Project.Name)
	return err
}

// RenderTo writes the files of a recorded project, as this version of the template has
// them, to a folder: what an update compares.
func RenderTo(dir string, r Record) error {
	if err := checkFolder(dir); err != nil {
		return err
	}
	rendered, err := r.Render(r.Version)
	if err != nil {
		return err
	}
	return errors.Join(os.MkdirAll(dir, 0o755), write(dir, rendered))
}

// Unreleased stands for the version of a checkout whose commit is not known.
const Unreleased = "v0.0.0-00010101000000-000000000000"
