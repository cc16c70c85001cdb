package template

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// merge is a three-way merge onto a branch: what changed from one tree to another is applied
// to the project's own. git does it as a cherry-pick of the new tree's commit, whose parent
// is the old one's, so that conflicts look, and are resolved, as git's always are.
type merge struct {
	dir      string // the project's checkout, which is clean
	branch   string // is made
	message  string
	old, now string // folders
}

// run reports a conflict as an error that names the files.
func (m merge) run(ctx context.Context) error {
	base, err := m.commit(ctx, m.old, "the template that the project was made of")
	if err != nil {
		return err
	}
	next, err := m.commit(ctx, m.now, m.message, "-p", base)
	if err != nil {
		return err
	}
	if _, err := command(ctx, m.dir, "git", "switch", "-q", "-c", m.branch); err != nil {
		return withNext(err, "merge or delete the branch "+m.branch)
	}
	_, failed := command(ctx, m.dir, "git", "cherry-pick", "--keep-redundant-commits", next)
	if failed == nil || ctx.Err() != nil {
		return failed
	}
	list, err := command(ctx, m.dir, "git", "diff", "--name-only", "--diff-filter=U")
	if err != nil || list == "" {
		return failed
	}
	return &Error{
		Err: fmt.Errorf("the newer template and your changes meet in %s",
			strings.Join(strings.Fields(list), ", ")),
		Next: "resolve them, `git add` them, `git cherry-pick --continue`; " +
			"then `mage template:update` again, which goes on",
	}
}

// commit puts a folder into the project's repository as a commit that no branch has.
func (m merge) commit(ctx context.Context, folder, message string, options ...string) (string, error) {
	gitDir, err := command(ctx, m.dir, "git", "rev-parse", "--absolute-git-dir")
	if err != nil {
		return "", err
	}
	index, err := os.MkdirTemp("", "template-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(index)
	env := []string{"GIT_DIR=" + gitDir, "GIT_WORK_TREE=" + folder,
		"GIT_INDEX_FILE=" + filepath.Join(index, "index")}
	if _, err := commandWith(ctx, folder, env, "git", "add", "-A", "-f", "."); err != nil {
		return "", err
	}
	tree, err := commandWith(ctx, folder, env, "git", "write-tree")
	if err != nil {
		return "", err
	}
	words := append([]string{"git", "commit-tree", "-m", message}, options...)
	return command(ctx, m.dir, append(words, tree)...)
}

// leaveOut takes from both folders what is the project's own affair: go.mod, which the go
// command merges; the program; and files that the project has thrown away.
func leaveOut(dir, old, now string) error {
	for _, name := range []string{"go.mod", "go.sum", "cmd"} {
		for _, folder := range []string{old, now} {
			if err := os.RemoveAll(filepath.Join(folder, name)); err != nil {
				return err
			}
		}
	}
	return thrownAway(dir, old, now)
}

// thrownAway removes from both folders the files of the old one that the project lacks.
func thrownAway(dir, old, now string) error {
	return filepath.WalkDir(old, func(name string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(old, name)
		if err != nil {
			return err
		}
		if _, err := os.Lstat(filepath.Join(dir, rel)); !os.IsNotExist(err) {
			return err
		}
		if err := os.Remove(name); err != nil {
			return err
		}
		if err := os.Remove(filepath.Join(now, rel)); !os.IsNotExist(err) {
			return err
		}
		return nil
	})
}
