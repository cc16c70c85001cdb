package source

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"

	"github.com/tcapflow/tcapflow/pipeline/internal/fault"
	"github.com/tcapflow/tcapflow/pipeline/internal/host"
)

// Version is what git says of a tree.
type Version struct {
	Version string // 1.2.3 at a clean tag v1.2.3, else as name makes it; without a "v"
	Commit  string // full hash, or "unknown"
	Date    string // of the commit, RFC 3339 in UTC
	State   string // what keeps this from being a release, for a log line; empty at a clean tag
}

// Release reports whether the tree is exactly a tagged commit.
func (v Version) Release() bool { return v.State == "" }

// git runs git in a checkout.
type git struct{ root string }

// findGit returns nil where root is no checkout.
func findGit(ctx context.Context, root string) (*git, error) {
	if _, err := os.Lstat(filepath.Join(root, ".git")); err != nil {
		return nil, nil
	}
	g := &git{root}
	if _, err := g.run(ctx, "rev-parse", "--git-dir"); err != nil {
		next := "see what `git status` says in this folder"
		if errors.Is(err, exec.ErrNotFound) {
			next = "install git"
		}
		if strings.Contains(err.Error(), "dubious ownership") {
			next = fmt.Sprintf("the folder belongs to somebody else; if you trust it: "+
				"git config --global --add safe.directory %q", root)
			err = errors.New("git refuses a folder of dubious ownership")
		}
		return nil, &fault.Error{Code: fault.Usage, Err: fmt.Errorf("%s: %w", root, err), Next: next}
	}
	return g, nil
}

func (g *git) run(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir, cmd.Env = g.root, host.GitEnv(host.Environ())
	text, err := host.Output(ctx, cmd)
	var said *fault.Error
	if !errors.As(err, &said) {
		return text, err
	}
	if line, _, _ := strings.Cut(said.Log, "\n"); line != "" {
		return "", fmt.Errorf("%w: %s", said.Err, line)
	}
	return "", said.Err
}

// files lists what git tracks and what it does not ignore, with what submodules have that
// are checked out. passed names the folders of other repositories that are left out.
func (g *git) files(ctx context.Context) (files, passed []string, err error) {
	list, err := g.run(ctx, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	if err != nil {
		return nil, nil, err
	}
	for _, name := range strings.FieldsFunc(list, func(r rune) bool { return r == 0 }) {
		info, err := os.Lstat(filepath.Join(g.root, filepath.FromSlash(name)))
		if err != nil || !info.IsDir() {
			files = append(files, name) // one that is gone is found to be so when it is read
			continue
		}
		// A folder in the list is another repository: a submodule, or, with a slash at its
		// end, one that git does not track.
		if folder, untracked := strings.CutSuffix(name, "/"); untracked {
			passed = append(passed, folder+" is a git repository of its own, and is not built")
			continue
		}
		inner, left, err := g.submodule(ctx, name)
		if err != nil {
			return nil, nil, err
		}
		files, passed = append(files, inner...), append(passed, left...)
	}
	return files, passed, nil
}

// submodule lists the files of a submodule, with its name before theirs.
func (g *git) submodule(ctx context.Context, name string) (files, passed []string, err error) {
	inner := git{filepath.Join(g.root, filepath.FromSlash(name))}
	if _, err := os.Lstat(filepath.Join(inner.root, ".git")); err != nil {
		return nil, []string{name + " is a submodule that is not checked out: git submodule update --init"}, nil
	}
	files, passed, err = inner.files(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("submodule %s: %w", name, err)
	}
	for _, list := range [][]string{files, passed} {
		for i := range list {
			list[i] = name + "/" + list[i]
		}
	}
	return files, passed, nil
}

func (g *git) version(ctx context.Context) (Version, error) {
	status, err := g.run(ctx, "status", "--porcelain", "--untracked-files=normal", "--ignore-submodules=none")
	if err != nil {
		return Version{}, err
	}
	dirty := strings.TrimSpace(status) != ""
	last, err := g.run(ctx, "log", "-1", "--date=format-local:%Y-%m-%dT%H:%M:%SZ", "--format=%H %cd")
	if err != nil { // a repository without a commit
		return unversioned("nocommit", "no commit"), nil
	}
	v := Version{}
	v.Commit, v.Date, _ = strings.Cut(strings.TrimSpace(last), " ")
	at, err := time.Parse(time.RFC3339, v.Date)
	if err != nil {
		return Version{}, fmt.Errorf("time of commit %.12s: %w", v.Commit, err)
	}
	// A tag that moves, such as v1, names no version.
	describe, _ := g.run(ctx, "describe", "--tags", "--long", "--match", "v[0-9]*.[0-9]*.[0-9]*")
	v.Version, v.State = name(strings.TrimSpace(describe), v.Commit, at, dirty)
	return v, nil
}

// unversioned is the version of sources that git knows nothing of: the least of all.
func unversioned(what, state string) Version {
	at := time.Unix(0, 0).UTC()
	version, _ := name("", what, at, false)
	return Version{Version: version, Commit: "unknown", Date: at.Format(time.RFC3339), State: state}
}

// name makes a semantic version of what `git describe --long` prints: v1.2.3-5-gabc1234.
// Away from a tag it is a pseudo-version, as the go command makes them, without the "v"
// (https://go.dev/ref/mod#pseudo-versions): it sorts by the time of the commit, after the
// tag before it, and before any that can follow. Build metadata does not sort in semver,
// so it holds only what has no order: that there are uncommitted changes.
func name(describe, commit string, at time.Time, dirty bool) (version, state string) {
	tag, ahead := describedTag(describe)
	switch {
	case tag == "":
		version, state = pseudo("", commit, at), "no version tag"
	case ahead == "0":
		version = tag
	default:
		version, state = pseudo(tag, commit, at), ahead+" commits after "+tag
	}
	version = strings.TrimPrefix(version, "v")
	if dirty {
		separator := "+"
		if strings.Contains(version, "+") { // the tag has build metadata of its own
			separator = "."
		}
		version, state = version+separator+"dirty", "uncommitted changes"
	}
	return version, state
}

func pseudo(tag, commit string, at time.Time) string {
	return module.PseudoVersion("", tag, at, commit[:min(12, len(commit))])
}

// describedTag cuts "v1.2.3-rc.1-5-gabc1234" into "v1.2.3-rc.1" and "5"; no tag is "".
func describedTag(describe string) (tag, ahead string) {
	words := strings.Split(describe, "-")
	if len(words) < 3 {
		return "", ""
	}
	tag = strings.Join(words[:len(words)-2], "-")
	if !semver.IsValid(tag) {
		return "", ""
	}
	return tag, words[len(words)-2]
}
