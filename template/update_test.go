package template

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// repository makes a folder with files a git repository with one commit.
func repository(t *testing.T, files map[string]string) string {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("skipped: git is not installed")
	}
	for _, who := range []string{"AUTHOR", "COMMITTER"} {
		t.Setenv("GIT_"+who+"_NAME", "somebody")
		t.Setenv("GIT_"+who+"_EMAIL", "somebody@localhost")
	}
	dir := t.TempDir()
	say(t, dir, "git", "init", "-q", "-b", "main")
	put(t, dir, files)
	commitAll(t, dir)
	return dir
}

func put(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		must(t, write(dir, map[string][]byte{name: []byte(text)}))
	}
}

func commitAll(t *testing.T, dir string) {
	t.Helper()
	say(t, dir, "git", "add", "-A")
	say(t, dir, "git", "commit", "-q", "-m", "some files")
}

func read(t *testing.T, dir, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, name))
	must(t, err)
	return string(text)
}

const lines = "one\ntwo\nthree\nfour\nfive\nsix\nseven\neight\nnine\n"

// What the template changed and what the project changed are both there afterwards; what
// the project threw away does not come back, and its program is not looked at.
func TestMerge(t *testing.T) {
	dir := repository(t, map[string]string{"README.md": lines, "ci.yaml": "old\n", "gone.yaml": "old\n",
		"cmd/x/main.go": "mine\n", "go.mod": "module mine\n"})
	put(t, dir, map[string]string{"README.md": strings.Replace(lines, "nine", "NINE", 1)})
	must(t, os.Remove(filepath.Join(dir, "gone.yaml")))
	commitAll(t, dir)
	old, now := t.TempDir(), t.TempDir()
	put(t, old, map[string]string{"README.md": lines, "ci.yaml": "old\n", "gone.yaml": "old\n",
		"cmd/x/main.go": "a\n", "go.mod": "module x\n"})
	put(t, now, map[string]string{"README.md": strings.Replace(lines, "one", "ONE", 1),
		"ci.yaml": "new\n", "gone.yaml": "new\n", "more.yaml": "new\n",
		"cmd/x/main.go": "b\n", "go.mod": "module y\n"})
	must(t, leaveOut(dir, old, now))
	must(t, merge{dir: dir, branch: "newer", message: "Take it", old: old, now: now}.run(t.Context()))
	for name, want := range map[string]string{
		"README.md": strings.NewReplacer("one", "ONE", "nine", "NINE").Replace(lines),
		"ci.yaml":   "new\n", "more.yaml": "new\n", "cmd/x/main.go": "mine\n", "go.mod": "module mine\n",
	} {
		if got := read(t, dir, name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "gone.yaml")); err == nil {
		t.Error("a file that was thrown away is there again")
	}
	if got := say(t, dir, "git", "log", "--format=%D %s", "-1"); got != "HEAD -> newer Take it" {
		t.Errorf("at %s", got)
	}
	if got := say(t, dir, "git", "status", "--porcelain"); got != "" {
		t.Errorf("status: %s", got)
	}
}

// A conflict is git's own, names the file, and can be resolved as any.
func TestConflict(t *testing.T) {
	dir := repository(t, map[string]string{"README.md": "mine\n"})
	old, now := t.TempDir(), t.TempDir()
	put(t, old, map[string]string{"README.md": "old\n"})
	put(t, now, map[string]string{"README.md": "new\n"})
	m := merge{dir: dir, branch: "newer", message: "Take it", old: old, now: now}
	var e *Error
	if err := m.run(t.Context()); !errors.As(err, &e) || !strings.Contains(err.Error(), "README.md") ||
		!strings.Contains(e.Next, "--continue") {
		t.Fatalf("got %v", err)
	}
	put(t, dir, map[string]string{"README.md": "both\n"})
	say(t, dir, "git", "add", "README.md")
	say(t, dir, "git", "-c", "core.editor=true", "cherry-pick", "--continue")
	if got := say(t, dir, "git", "status", "--porcelain"); got != "" || read(t, dir,
		"README.md") != "both\n" {
		t.Errorf("status %q", got)
	}
	if err := m.run(t.Context()); !errors.As(err, &e) || !strings.Contains(e.Next, "newer") {
		t.Errorf("the branch is there: %v", err)
	}
}

func TestUpdateRefuses(t *testing.T) {
	record := `{"version": "v1.5.0", "name": "yourtool", "module": "example.org/you/yourtool", ` +
		`"clib": "none"}`
	dir := repository(t, map[string]string{RecordName: record, "go.mod": "module example.org/you/yourtool\n"})
	u := Update{Dir: dir, To: "v1.4.0", Log: io.Discard}
	var e *Error
	if err := u.Run(t.Context()); !errors.As(err, &e) || !e.Usage || !strings.Contains(err.Error(), "older") {
		t.Errorf("an older template: %v", err)
	}
	put(t, dir, map[string]string{"new.txt": ""})
	if err := u.Run(t.Context()); !errors.As(err, &e) || !e.Usage || !strings.Contains(e.Next, "commit") {
		t.Errorf("changes that are not committed: %v", err)
	}
	must(t, os.Remove(filepath.Join(dir, "new.txt")))
	put(t, dir, map[string]string{RecordName: strings.Replace(record, `"none"`, `"none", "whole": true`, 1)})
	commitAll(t, dir)
	if err := u.Run(t.Context()); !errors.As(err, &e) || !strings.Contains(e.Next, "-from") {
		t.Errorf("a whole copy that does not say of what: %v", err)
	}
	must(t, os.Remove(filepath.Join(dir, RecordName)))
	commitAll(t, dir)
	if err := u.Run(t.Context()); !errors.As(err, &e) || !strings.Contains(err.Error(), RecordName) {
		t.Errorf("no record: %v", err)
	}
}
