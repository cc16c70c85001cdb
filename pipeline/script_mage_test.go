//go:build linux

package pipeline_test

import (
	"context"
	"debug/elf"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"github.com/moby/moby/client"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/tcapflow/tcapflow/build"
	"github.com/tcapflow/tcapflow/pipeline/internal/artifact"
	"github.com/tcapflow/tcapflow/pipeline/internal/engine"
)

// mage runs the compiled magefile, or what MAGE says, as the user AS_USER of the group
// AS_GROUP when that is set.
func mage(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, !neg && len(args) >= 2, "mage CODE ARGS…")
	words := append(strings.Fields(ts.Getenv("MAGE")), args[1:]...)
	if user := ts.Getenv("AS_USER"); user != "" {
		group := ts.Getenv("AS_GROUP")
		if group == "" {
			group = user
		}
		words = append([]string{"setpriv", "--reuid=" + user, "--regid=" + group, "--clear-groups"}, words...)
	}
	code := exitCode(ts, ts.Exec(words[0], words[1:]...))
	if got := strconv.Itoa(code); got != args[0] {
		ts.Fatalf("mage %s: exit code %s, want %s", strings.Join(args[1:], " "), got, args[0])
	}
	promise(ts, code, ts.ReadFile("stderr"))
	if os.Getenv(withEngine) == "1" {
		nothing(ts, false, nil)
	}
}

func exitCode(ts *testscript.TestScript, err error) int {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode()
	}
	ts.Check(err)
	return 0
}

// promise is what holds at the end of each run: a fault has one error line and says what
// to do, or shows the log of what failed; out/ has what its manifest names and no more.
func promise(ts *testscript.TestScript, code int, stderr string) {
	if strings.Contains(stderr, "panic:") || strings.Contains(stderr, "goroutine ") {
		ts.Fatalf("a panic")
	}
	if code >= 1 && code <= 4 {
		if n := len(regexp.MustCompile(`(?m)^Error: `).FindAllString(stderr, -1)); n != 1 {
			ts.Fatalf("%d error lines, want one", n)
		}
		_, after, _ := strings.Cut(stderr, "\nError: ")
		if strings.HasPrefix(stderr, "Error: ") {
			after = stderr
		}
		_, rest, _ := strings.Cut(after, "\n")
		next := strings.HasPrefix(rest, "  next: ")
		if !next && (code != 1 || strings.TrimSpace(rest) == "") {
			ts.Fatalf("no next step after the error line")
		}
	}
	whole(ts)
}

// whole sees that out/ holds the lock, the manifest, and the artifacts that it names.
func whole(ts *testscript.TestScript) {
	out := ts.MkAbs("out")
	m, err := artifact.Load(out)
	if err != nil {
		return // a script that breaks the manifest looks for itself
	}
	known := map[string]bool{".lock": true, "manifest.json": true}
	for _, a := range m.Artifacts {
		known[a.Path] = true
		if !a.Intact(out) {
			ts.Fatalf("out/%s is not what the manifest says", a.Path)
		}
	}
	err = filepath.WalkDir(out, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if rel, _ := filepath.Rel(out, name); !known[filepath.ToSlash(rel)] {
			ts.Fatalf("out/%s was left", rel)
		}
		return nil
	})
	if !errors.Is(err, fs.ErrNotExist) {
		ts.Check(err)
	}
}

// testEngine is the engine itself, whatever a script has in DOCKER_HOST.
var testEngine = sync.OnceValues(func() (*engine.Engine, error) {
	return engine.Connect(context.Background(), "", build.Project.Namespace)
})

// nothing sees that a run in this folder left no container. It makes no network, and a
// volume for Go's build cache is meant to stay.
func nothing(ts *testscript.TestScript, neg bool, args []string) {
	e, err := testEngine()
	ts.Check(err)
	list, err := e.ContainerList(context.Background(), client.ContainerListOptions{All: true,
		Filters: make(client.Filters).Add("label", build.Project.Namespace.Label("checkout")+"="+engine.CheckoutID(ts.MkAbs(".")))})
	ts.Check(err)
	if left := len(list.Items); left > 0 != neg {
		ts.Fatalf("%d containers of this checkout are left", left)
	}
}

// passing removes, when the script is over, the image of the builder that runs for this
// checkout now: no other run will ever want it.
func passing(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, !neg && len(args) == 0, "passing")
	e, err := testEngine()
	ts.Check(err)
	list, err := e.ContainerList(context.Background(), client.ContainerListOptions{
		Filters: make(client.Filters).Add("label", build.Project.Namespace.Label("checkout")+"="+engine.CheckoutID(ts.MkAbs(".")))})
	ts.Check(err)
	for _, c := range list.Items {
		ts.Defer(func() { e.ImageRemove(context.Background(), c.ImageID, client.ImageRemoveOptions{PruneChildren: true}) })
	}
	if len(list.Items) == 0 {
		ts.Fatalf("no builder runs")
	}
}

func hold(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, !neg && len(args) == 0, "hold")
	unlock, err := artifact.Lock(context.Background(), ts.MkAbs("out"), func(string) {})
	ts.Check(err)
	held.Store(ts.MkAbs("out"), unlock)
}

var held sync.Map // func() by folder

func release(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, !neg && len(args) == 0, "release")
	unlock, _ := held.LoadAndDelete(ts.MkAbs("out"))
	unlock.(func())()
}

// tiny mounts a file system that is full soon: of a size, or with room for one and a half
// times a file.
func tiny(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, !neg && len(args) == 2, "tiny DIR SIZE|FILE")
	dir, size := ts.MkAbs(args[0]), args[1]
	if info, err := os.Stat(ts.MkAbs(size)); err == nil {
		size = strconv.FormatInt(info.Size()*3/2, 10)
	}
	ts.Check(os.MkdirAll(dir, 0o755))
	ts.Check(syscall.Mount("tmpfs", dir, "tmpfs", 0, "size="+size))
	ts.Defer(func() { syscall.Unmount(dir, syscall.MNT_DETACH) })
}

func dwarf(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, len(args) == 1, "[!] dwarf FILE")
	f, err := elf.Open(ts.MkAbs(args[0]))
	ts.Check(err)
	defer f.Close()
	lines := false
	if data, err := f.DWARF(); err == nil {
		if entry, err := data.Reader().Next(); err == nil && entry != nil {
			reader, err := data.LineReader(entry)
			lines = err == nil && reader != nil
		}
	}
	_, err = f.Symbols()
	if has := lines && err == nil; has == neg {
		ts.Fatalf("%s: debug information and symbols: %v", args[0], has)
	}
}
