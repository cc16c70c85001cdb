//go:build linux

package pipeline_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/tcapflow/tcapflow/build"
	"github.com/tcapflow/tcapflow/pipeline/internal/engine"
	"github.com/tcapflow/tcapflow/pipeline/internal/options"
)

// Scripts of testdata/script run the compiled magefile as a user does, and see how each
// fault ends. Those that begin with "[!engine] skip" need a container engine and run with
// TCAPFLOW_TEST_ENGINE=1; a builder of the Debian base is made first if there is none.
//
// Beside testscript's own commands they have:
//
//	checkout DIR         clones this repository
//	mage CODE ARGS…      runs mage; a fault (1–4) must end as faults have to (promise)
//	start NAME CMD…      runs a command in the background, in a process group of its own;
//	                     "mage" is the compiled magefile
//	await NAME REGEXP    waits until its standard error matches
//	signal NAME SIG      sends a signal to it; with "group" to its process group
//	finish NAME CODE     waits for its end, at most 30 s
//	mirror MODE [PART]   serves a Debian archive on loopback and sets DEBIAN_MIRROR
//	also MODE [PART]     serves another mirror of it, to be asked after that
//	snapshot             serves Debian's snapshot archive and sets DEBIAN_SNAPSHOT
//	alpine [broken]      serves an Alpine archive on loopback and sets ALPINE_MIRROR
//	forget SET NAME      removes a locked package from TCAPFLOW_CACHE
//	relay MODE           stands between DOCKER_HOST and the engine
//	hold, release        the lock of the checkout, as another run holds it
//	tiny DIR SIZE|FILE   mounts a tmpfs, with room for a file and half of it (root only)
//	same FILE FILE…      files are byte for byte the same
//	passing              removes the image of the running builder when the script is over
//	nothing              no container of this checkout is in the engine
//	dwarf FILE           a binary has debug information and symbols
func TestScript(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup:               setup,
		Condition:           condition,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"checkout": checkout, "mage": mage, "start": start, "await": await, "signal": sendSignal, "finish": finish,
			"alpine": alpineArchive, "mirror": mirror, "also": also, "snapshot": snapshot, "forget": forget, "passing": passing, "relay": relay, "hold": hold, "release": release, "tiny": tiny, "same": same, "dwarf": dwarf, "nothing": nothing,
		},
	})
}

// compiledDir holds the compiled magefile.
var compiledDir string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "mage-")
	if err == nil {
		err = os.Chmod(dir, 0o755) // a script runs it as another user
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	compiledDir = dir
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// compiled makes the magefile a program, once and only when a script runs it.
var compiled = sync.OnceValues(func() (string, error) {
	program := filepath.Join(compiledDir, "mage")
	cmd := exec.Command("go", "tool", "mage", "-compile", program)
	cmd.Dir = ".."
	if text, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go tool mage -compile: %w\n%s", err, text)
	}
	return program, nil
})

// warm sees that the engine has a builder, and the host's cache what it was made of and the
// compiled C library, so that each script can take a part of that away.
var warm = sync.OnceValue(func() error {
	program, err := compiled()
	if err != nil {
		return err
	}
	o, err := options.Read(build.Project, options.Args{})
	if err != nil {
		return err
	}
	for _, folder := range []string{"downloads", "libraries"} {
		if err := os.MkdirAll(filepath.Join(o.Cache, folder), 0o755); err != nil {
			return err
		}
	}
	src := filepath.Join(compiledDir, "src")
	if text, err := exec.Command("git", "clone", "-q", "--local", "..", src).CombinedOutput(); err != nil {
		return fmt.Errorf("git clone: %w\n%s", err, text)
	}
	// Locked: what a mirror's indexes hold today must not count.
	cmd := exec.Command(program, "static", "-base=debian", "-targets=linux/amd64", "-locked")
	cmd.Dir = src
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("mage static: %w\n%s", err, text)
	}
	return nil
})

// withEngine is the variable that lets scripts use a container engine.
const withEngine = "TCAPFLOW_TEST_ENGINE"

func condition(name string) (bool, error) {
	switch name {
	case "engine":
		if os.Getenv(withEngine) != "1" {
			return false, nil
		}
		return true, warm()
	case "git":
		_, err := os.Stat("../.git")
		return err == nil, nil
	case "root":
		return os.Geteuid() == 0, nil
	case "socket":
		return socketGroup() != "", nil
	}
	return false, fmt.Errorf("unknown condition %q", name)
}

// socketGroup is the number of the group that may use the local engine.
func socketGroup() string {
	info, err := os.Stat("/var/run/docker.sock")
	if err != nil || os.Getenv("DOCKER_HOST") != "" || info.Mode()&0o060 != 0o060 {
		return ""
	}
	return strconv.Itoa(int(info.Sys().(*syscall.Stat_t).Gid))
}

// passed are variables of the user that a build may need; a script has no others.
var passed = []string{"SSL_CERT_FILE", "SSL_CERT_DIR", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "DOCKER_HOST", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH"}

func setup(env *testscript.Env) error {
	program, err := compiled()
	if err != nil {
		return err
	}
	for dir := env.WorkDir; dir != os.TempDir() && dir != "/"; dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil { // a script runs mage as another user
			return err
		}
	}
	for _, name := range passed {
		if v, ok := os.LookupEnv(name); ok {
			env.Setenv(name, v)
		}
	}
	for _, name := range []string{"GOMODCACHE", "GOCACHE", "GOPROXY", "GOSUMDB", "GOTOOLCHAIN"} {
		text, err := exec.Command("go", "env", name).Output()
		if err != nil {
			return fmt.Errorf("go env %s: %w", name, err)
		}
		env.Setenv(name, strings.TrimSpace(string(text)))
	}
	o, err := options.Read(build.Project, options.Args{})
	if err != nil {
		return err
	}
	env.Setenv("MAGE", program)
	env.Setenv("SOCKET_GROUP", socketGroup())
	env.Setenv("WARM", o.Cache)
	env.Setenv("TCAPFLOW_CACHE", filepath.Join(env.WorkDir, "cache"))
	env.Setenv("TCAPFLOW_BASE", "debian")
	env.Setenv("DEBIAN_SNAPSHOT", "off") // a script names the servers that it asks
	env.Setenv("CI", "1")
	env.Setenv("HOME", env.WorkDir)
	env.Setenv("GIT_AUTHOR_NAME", "script")
	env.Setenv("GIT_AUTHOR_EMAIL", "script@localhost")
	env.Setenv("GIT_COMMITTER_NAME", "script")
	env.Setenv("GIT_COMMITTER_EMAIL", "script@localhost")
	env.Values[backgroundKey{}] = map[string]*background{}
	return nil
}

// checkout clones this repository as it was committed.
func checkout(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, !neg && len(args) == 1, "checkout DIR")
	root, err := filepath.Abs("..")
	ts.Check(err)
	dir := ts.MkAbs(args[0])
	ts.Check(ts.Exec("git", "clone", "-q", "--local", root, dir))
	ts.Defer(func() { sweep(dir) })
}

// sweep removes what a script that failed half-way left in the engine.
func sweep(dir string) {
	if os.Getenv(withEngine) != "1" {
		return
	}
	if e, err := engine.Connect(context.Background(), dir, build.Project.Namespace); err == nil {
		defer e.Close()
		_, _ = e.Sweep(context.Background())
	}
}

// same compares files byte by byte.
func same(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, len(args) >= 2, "[!] same FILE FILE…")
	equal := !slices.ContainsFunc(args[1:], func(name string) bool { return ts.ReadFile(name) != ts.ReadFile(args[0]) })
	if equal == neg {
		ts.Fatalf("%s: equal is %v", strings.Join(args, " "), equal)
	}
}

func usage(ts *testscript.TestScript, ok bool, text string) {
	if !ok {
		ts.Fatalf("usage: %s", text)
	}
}
