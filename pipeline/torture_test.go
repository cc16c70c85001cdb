package pipeline

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	bd "github.com/tcapflow/tcapflow/build/debian"
	"github.com/tcapflow/tcapflow/build/defaults"

	"github.com/tcapflow/tcapflow/build"
	"github.com/tcapflow/tcapflow/elfcheck"
	"github.com/tcapflow/tcapflow/pipeline/internal/builder"
	"github.com/tcapflow/tcapflow/pipeline/internal/distro"
	"github.com/tcapflow/tcapflow/pipeline/internal/engine"
	"github.com/tcapflow/tcapflow/pipeline/internal/image"
	"github.com/tcapflow/tcapflow/pipeline/internal/options"
	"github.com/tcapflow/tcapflow/pipeline/internal/plan"
	"github.com/tcapflow/tcapflow/pipeline/internal/progress"
	"github.com/tcapflow/tcapflow/pipeline/internal/source"
	"github.com/tcapflow/tcapflow/spec"
)

// The programs of testdata/torture: "static" means that it runs. They link none of the
// project's libraries, but with those they share Go's caches with `mage static`.
var tortures = []spec.Project{
	{Name: "torture", Main: ".", Tags: []string{"netgo", "osusergo"}, Libraries: build.Project.Libraries},
	{Name: "plain", Main: "./plain", Tags: []string{"netgo", "osusergo"}, Libraries: build.Project.Libraries},
}

// coldByDefault are the targets whose second build is cold in each run of the engine's
// tests; `mage test:torture` takes all. linux/386 is the one that once differed.
const coldByDefault = "linux/386,linux/amd64"

// TestTorture builds the programs for every target, twice: once with the engine's caches
// of Go, once from nothing. Both builds are the same to the byte, pass the gate, and run,
// natively or under qemu-user, TORTURE_RUNS times without a failure.
func TestTorture(t *testing.T) {
	if os.Getenv("TCAPFLOW_TEST_ENGINE") != "1" {
		t.Skip("no container engine: set TCAPFLOW_TEST_ENGINE=1")
	}
	w := newTorture(t, build.Project, "torture", os.Getenv("TORTURE_TARGETS"))
	for _, p := range tortures {
		t.Run(p.Name, func(t *testing.T) { w.program(t, p) })
	}
}

// torture is what the programs have in common.
type torture struct {
	module  string // its name, and its folder below testdata
	o       options.Options
	runs    int
	cold    []spec.Target
	tree    source.Tree
	modules []source.Module
	engine  *engine.Engine
	natives []string // GOARCHs that the engine's kernel runs itself
	bases   bases
	builder image.Builder
	log     *progress.Log
}

// newTorture reads the module of programs, and sees that the engine has a builder for the
// targets and the project's libraries.
func newTorture(t *testing.T, p spec.Project, module, targets string) *torture {
	t.Helper()
	cold := targets
	w := &torture{module: module, runs: 3, log: progress.New(testWriter{t}, false)}
	if runs := os.Getenv("TORTURE_RUNS"); runs != "" {
		var err error
		if w.runs, err = strconv.Atoi(runs); err != nil || w.runs < 1 {
			t.Fatalf("%s runs: say how often with -runs=1000", runs)
		}
	} else {
		cold = coldByDefault
	}
	var err error
	check := func(failed error) {
		t.Helper()
		if failed != nil {
			t.Fatal(failed)
		}
	}
	w.o, err = options.Read(build.Project, options.Args{Targets: &targets})
	check(err)
	w.o.Base = "debian"
	w.cold, err = defaults.Targets.Select(cold)
	check(err)
	src := t.TempDir() // outside of the checkout: a folder without git
	check(os.CopyFS(src, os.DirFS(filepath.Join("testdata", module))))
	w.tree, err = source.Read(t.Context(), src)
	check(err)
	goVersion, _, err := goMod(src)
	check(err)
	w.bases, err = newBases(defaults.Fill(p), w.o, goVersion, w.log)
	check(err)
	w.engine, err = engine.Connect(t.Context(), src, build.Project.Namespace)
	check(err)
	t.Cleanup(func() { w.engine.Close() })
	w.natives, err = w.engine.Natives(t.Context())
	check(err)
	w.builder, err = w.bases.ensure(t.Context(), w.engine, w.o.Targets)
	check(err)
	return w
}

type testWriter struct{ *testing.T }

func (w testWriter) Write(p []byte) (int, error) {
	w.Log(strings.TrimRight(string(p), "\n"))
	return len(p), nil
}

func (w *torture) program(t *testing.T, p spec.Project) {
	warm := w.build(t, p, w.o.Targets, false)
	for target, file := range w.build(t, p, w.cold, true) {
		if !same(t, file, warm[target]) {
			t.Errorf("%s: two builds with caches of their own differ: %s %s", target, file, warm[target])
		}
	}
	for _, target := range w.o.Targets {
		t.Run(target.Name, func(t *testing.T) {
			t.Parallel()
			w.run(t, target, warm[target.Name])
		})
	}
}

// build returns the files by target's name, each of which has passed the gate.
func (w *torture) build(t *testing.T, p spec.Project, targets []spec.Target, cold bool) map[string]string {
	t.Helper()
	dir := t.TempDir()
	files := map[string]string{}
	job := builder.Job{Image: w.builder, Tree: w.tree, Modules: w.modules, Log: w.log, Cold: cold,
		Libraries: &builder.Libraries{Fetch: w.bases.debian.Mirror.Cache, Dir: filepath.Join(w.o.Cache, "libraries"), Mirror: w.bases.debian.Mirror, Log: w.log}}
	for _, target := range targets {
		job.Plans = append(job.Plans, plan.For(p, target, plan.Options{GoVersion: w.builder.Go, Module: w.module}))
		files[target.Name] = filepath.Join(dir, target.Dir())
	}
	job.Done = func(p plan.Build, _ json.RawMessage, binary io.Reader) error {
		file := files[p.Target.Name]
		text, err := io.ReadAll(binary)
		if err == nil {
			err = os.WriteFile(file, text, 0o755)
		}
		if err != nil {
			return err
		}
		_, findings, err := elfcheck.File(file, p.Want)
		if err == nil && len(findings) > 0 {
			err = fmt.Errorf("the gate refuses it: %v", findings)
		}
		return err
	}
	if err := job.Run(t.Context(), w.engine); err != nil {
		t.Fatal(err)
	}
	return files
}

func same(t *testing.T, a, b string) bool {
	t.Helper()
	one, errOne := os.ReadFile(a)
	other, errOther := os.ReadFile(b)
	if errOne != nil || errOther != nil {
		t.Fatal(errOne, errOther)
	}
	return bytes.Equal(one, other)
}

// run runs a program many times in a container without a network, whose resolver asks
// the program itself.
func (w *torture) run(t *testing.T, target spec.Target, file string) {
	c, err := w.engine.Start(t.Context(), engine.Spec{Image: w.builder.Ref, Cmd: []string{"sleep", "86400"}, User: "0:0", Dir: "/"})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Remove(context.Background())
	program := map[string]string{"program": file}
	command := "/tmp/program"
	if !slices.Contains(w.natives, target.GOARCH) {
		program["qemu"], err = distro.Emulator(t.Context(), bd.Base.QEMU, target, w.engine.Arch, w.bases.debian.Mirror, w.bases.debian.Lock, w.o.Cache)
		if err != nil {
			t.Fatal(err)
		}
		command = "/tmp/qemu /tmp/program"
	}
	if err := c.Put(t.Context(), engine.Copy{Dir: "/tmp", Write: tarFiles(t, program)}); err != nil {
		t.Fatal(err)
	}
	script := fmt.Sprintf(`echo nameserver 127.0.0.1 > /etc/resolv.conf
i=0
while [ $i -lt %d ]; do
	got=$(%s 2>&1)
	if [ $? != 0 ] || [ "$got" != ok ]; then
		echo "run $i: $got"
		exit 1
	fi
	i=$((i + 1))
done`, w.runs, command)
	var output bytes.Buffer
	code, err := c.Exec(t.Context(), engine.Command{Args: []string{"sh", "-c", script}, Stdout: &output, Stderr: &output})
	if err != nil || code != 0 {
		t.Fatalf("exit status %d (%v)\n%s", code, err, &output)
	}
	t.Logf("%d runs (%s)", w.runs, command)
}

// tarFiles is a tar stream of programs by name.
func tarFiles(t *testing.T, files map[string]string) func(io.Writer) error {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for name, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o755, Size: int64(len(text))}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(text); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return func(to io.Writer) error {
		_, err := out.WriteTo(to)
		return err
	}
}
