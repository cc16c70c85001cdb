package template

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"
)

// Update says what project takes which template.
type Update struct {
	Dir string // the project's checkout
	To  string // version; empty: the newest
	// From is the git repository that a whole copy was made of. The copy itself does not
	// tell: it has no trace of the old name.
	From string
	// Own is the version of the library that runs this, v1.2.3: its template is at hand.
	Own string
	Log io.Writer
}

// Run merges the template onto a branch of its own, and brings the library in go.mod to the
// same version. What is done already is not done again, so that a run goes on where a
// conflict stopped the one before.
func (u Update) Run(ctx context.Context) error {
	record, err := ReadRecord(u.Dir)
	if err != nil {
		return err
	}
	status, err := command(ctx, u.Dir, "git", "status", "--porcelain")
	if err != nil {
		return withNext(err, "an update needs the project in git")
	}
	if status != "" {
		return &Error{Err: errors.New("the checkout has changes that are not committed"), Log: status,
			Next: "commit or stash them: an update is a merge", Usage: true}
	}
	if record.Whole {
		return u.whole(ctx, record)
	}
	if u.To == "" {
		if u.To, err = Newest(ctx, u.Dir); err != nil {
			return err
		}
	}
	if err := u.template(ctx, record); err != nil {
		return err
	}
	return u.library(ctx)
}

// Newest is the newest version of the library that GOPROXY has.
func Newest(ctx context.Context, dir string) (string, error) {
	version, err := command(ctx, dir, "go", "list", "-m", "-f", "{{.Version}}", Library+"@latest")
	return version, fetching(err, nextProxy)
}

// template merges the template, unless the project has it.
func (u Update) template(ctx context.Context, record Record) error {
	switch semver.Compare(u.To, record.Version) {
	case 0:
		fmt.Fprintf(u.Log, "the template is that of %s\n", u.To)
		return nil
	case -1:
		return wrongUse("give a newer one with -to, or none for the newest",
			"%s is older than the project's template, %s", u.To, record.Version)
	}
	return u.merge(ctx, record, u.To, func(old, now string) error {
		if err := u.render(ctx, old, record); err != nil {
			return err
		}
		record.Version = u.To
		if err := u.render(ctx, now, record); err != nil {
			return err
		}
		return leaveOut(u.Dir, old, now)
	})
}

// merge makes two folders, has them filled with the old and the new template, and merges.
func (u Update) merge(ctx context.Context, record Record, to string, fill func(old, now string) error) error {
	if record.Version == to {
		return nil
	}
	work, err := os.MkdirTemp("", "template-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	old, now := filepath.Join(work, "old"), filepath.Join(work, "now")
	if err := fill(old, now); err != nil {
		return err
	}
	m := merge{dir: u.Dir, branch: "template-" + to, old: old, now: now,
		message: fmt.Sprintf("Take the template of %s, from %s", to, record.Version)}
	if err := m.run(ctx); err != nil {
		return err
	}
	fmt.Fprintf(u.Log, "merged the template of %s onto the branch %s\n", to, m.branch)
	return nil
}

// render makes the project's files as a version of the template has them: this one, or
// another, which the go command fetches and runs.
func (u Update) render(ctx context.Context, dir string, record Record) error {
	if record.Version == u.Own {
		return RenderTo(dir, record)
	}
	text, err := record.bytes()
	if err != nil {
		return err
	}
	work, err := os.MkdirTemp("", "template-") // outside of any module
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	if err := write(work, map[string][]byte{RecordName: text}); err != nil {
		return err
	}
	program := Library + "/cmd/newtool@" + record.Version
	_, err = command(ctx, work, "go", "run", program, dir, "-record="+RecordName)
	return fetching(err, "see that GOPROXY (go env GOPROXY) has "+Library+" "+record.Version)
}

// library brings go.mod to the version, and its Go to that of the library, and commits.
func (u Update) library(ctx context.Context) error {
	mod, err := u.modFile()
	if err != nil {
		return err
	}
	for _, r := range mod.Replace {
		if r.Old.Path == Library {
			fmt.Fprintf(u.Log, "go.mod replaces the library by %s, and still does\n", r.New.Path)
			return nil
		}
	}
	if required(mod) == u.To {
		return nil
	}
	if _, err := command(ctx, u.Dir, "go", "get", Library+"@"+u.To); err != nil {
		return fetching(err, nextProxy)
	}
	if mod.Toolchain != nil {
		if err := u.toolchain(ctx, mod.Toolchain.Name); err != nil {
			return err
		}
	}
	for _, words := range [][]string{
		{"go", "mod", "tidy"},
		{"git", "add", "go.mod", "go.sum"},
		{"git", "commit", "-q", "-m", "go.mod: " + Library + " " + u.To},
	} {
		if _, err := command(ctx, u.Dir, words...); err != nil {
			return err
		}
	}
	fmt.Fprintf(u.Log, "go.mod requires %s %s\n", Library, u.To)
	return nil
}

// toolchain gives go.mod the toolchain of the library where that is newer.
func (u Update) toolchain(ctx context.Context, now string) error {
	file, err := command(ctx, u.Dir, "go", "list", "-m", "-f", "{{.GoMod}}", Library)
	if err != nil {
		return err
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	theirs, err := modfile.ParseLax(file, text, nil)
	if err != nil {
		return err
	}
	if theirs.Toolchain == nil || semver.Compare(semverOf(theirs.Toolchain.Name), semverOf(now)) <= 0 {
		// `go get` may have raised or dropped the line; which Go builds is the project's to say.
		_, err = command(ctx, u.Dir, "go", "mod", "edit", "-toolchain="+now)
		return err
	}
	_, err = command(ctx, u.Dir, "go", "mod", "edit", "-toolchain="+theirs.Toolchain.Name)
	return err
}

// semverOf makes go1.26.8 v1.26.8, which package semver compares.
func semverOf(toolchain string) string { return "v" + strings.TrimPrefix(toolchain, "go") }

func (u Update) modFile() (*modfile.File, error) {
	name := filepath.Join(u.Dir, "go.mod")
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	return modfile.Parse(name, text, nil)
}

// required is the version of the library that go.mod requires, or empty.
func required(mod *modfile.File) string {
	for _, r := range mod.Require {
		if r.Mod.Path == Library {
			return r.Mod.Version
		}
	}
	return ""
}

// whole merges a newer state of the repository that a whole copy was made of. Both states
// are renamed by this version's words, so that they differ by what upstream changed.
func (u Update) whole(ctx context.Context, record Record) error {
	if u.From == "" {
		return wrongUse("name it: -from=https://…",
			"this is a whole copy, which does not tell what repository it was made of")
	}
	clone, err := os.MkdirTemp("", "template-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(clone)
	if _, err := command(ctx, clone, "git", "clone", "-q", u.From, "whole"); err != nil {
		return fetching(err, "see that git can clone it")
	}
	upstream := filepath.Join(clone, "whole")
	if u.To == "" {
		if u.To, err = newestTag(ctx, upstream); err != nil {
			return err
		}
	}
	return u.merge(ctx, record, u.To, func(old, now string) error {
		if err := copyAt(ctx, upstream, old, record); err != nil {
			return err
		}
		record.Version = u.To
		if err := copyAt(ctx, upstream, now, record); err != nil {
			return err
		}
		return thrownAway(u.Dir, old, now)
	})
}

// copyAt makes a whole copy of the version that the record names.
func copyAt(ctx context.Context, upstream, dir string, record Record) error {
	revision := strings.TrimSuffix(record.Version, "+dirty")
	if module.IsPseudoVersion(revision) {
		var err error
		if revision, err = module.PseudoVersionRev(revision); err != nil {
			return err
		}
	}
	if _, err := command(ctx, upstream, "git", "checkout", "-q", "--detach", revision); err != nil {
		return withNext(err, "see that the repository has "+record.Version)
	}
	if _, err := renamedCopy(ctx, upstream, dir, record.Project); err != nil {
		return err
	}
	text, err := record.bytes()
	if err != nil {
		return err
	}
	return write(dir, map[string][]byte{RecordName: text})
}

// newestTag is the newest version that is tagged in a repository.
func newestTag(ctx context.Context, dir string) (string, error) {
	list, err := command(ctx, dir, "git", "tag", "-l", "v*")
	if err != nil {
		return "", err
	}
	newest := ""
	for tag := range strings.FieldsSeq(list) {
		if semver.Canonical(tag) == tag && (newest == "" || semver.Compare(tag, newest) > 0) {
			newest = tag
		}
	}
	if newest == "" {
		return "", wrongUse("name a version with -to", "the repository has no version tag")
	}
	return newest, nil
}
