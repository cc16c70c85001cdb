package release

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/mod/modfile"

	"github.com/tcapflow/tcapflow/pipeline/internal/fault"
	"github.com/tcapflow/tcapflow/pipeline/internal/host"
)

// Tool is GoReleaser, while it is looked for or compiled, which takes minutes for the
// first time. That needs no binary of ours, so it goes on beside the build.
type Tool struct {
	stop   context.CancelFunc
	done   chan struct{} // closed once the rest is set
	path   string
	onPath bool // it is the user's own
	err    error
}

const toolModule = "github.com/goreleaser/goreleaser/v2"

// StartTool begins to provide GoReleaser of the version in tools/go.mod of the checkout
// root: what PATH has, if it is of exactly this version, else it is compiled, with the
// lowest priority. If locked, it is always compiled, from what go.sum names. An error is
// kept for who needs the tool. The caller calls Stop.
func StartTool(ctx context.Context, root string, env []string, locked bool) *Tool {
	ctx, stop := context.WithCancel(ctx)
	t := &Tool{stop: stop, done: make(chan struct{})}
	go func() {
		defer close(t.done)
		t.path, t.onPath, t.err = findTool(ctx, root, env, locked)
	}()
	return t
}

// Path waits for the program and returns where it is.
func (t *Tool) Path(ctx context.Context) (string, error) {
	select {
	case <-t.done:
		return t.path, t.err
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// Stop ends a compilation that nobody needs any more, and waits for its end.
func (t *Tool) Stop() {
	t.stop()
	<-t.done
}

func findTool(ctx context.Context, root string, env []string, locked bool) (
	path string, onPath bool, err error,
) {
	version, err := toolVersion(root)
	if err != nil {
		return "", false, err
	}
	if !locked {
		if path := toolOnPath(ctx, version); path != "" {
			return path, true, nil
		}
	}
	path, err = compileTool(ctx, root, env)
	return path, false, err
}

// compileTool compiles GoReleaser, or finds it in Go's build cache. A go command that is
// killed leaves its working folder behind, so that is a folder which we remove.
func compileTool(ctx context.Context, root string, env []string) (string, error) {
	work, err := os.MkdirTemp("", "goreleaser-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(work)
	env = append(slices.Clone(env), "GOTMPDIR="+work)
	// -n prints the path of the program, once it is compiled.
	cmd := background(ctx, "go", "tool", "-n", "-modfile=tools/go.mod", "goreleaser")
	return goOutput(ctx, cmd, root, env, fault.Fetch)
}

// toolVersion is GoReleaser's version in tools/go.mod, such as "2.16.0".
func toolVersion(root string) (string, error) {
	name := filepath.Join(root, "tools", "go.mod")
	text, err := os.ReadFile(name)
	if err != nil {
		return "", err
	}
	f, err := modfile.ParseLax(name, text, nil)
	if err != nil {
		return "", err
	}
	for _, r := range f.Require {
		if r.Mod.Path == toolModule {
			return strings.TrimPrefix(r.Mod.Version, "v"), nil
		}
	}
	next := "go get -tool -modfile=tools/go.mod " + toolModule
	return "", fault.New(fault.Usage, next, "%s: no %s", name, toolModule)
}

// askTimeout is what a program named goreleaser may take to say its version.
const askTimeout = 10 * time.Second

// toolOnPath is the goreleaser of PATH if it says that it is of this version, else "".
func toolOnPath(ctx context.Context, version string) string {
	path, err := exec.LookPath("goreleaser")
	if err != nil {
		return ""
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, "--version")
	cmd.WaitDelay = time.Second
	text, err := cmd.Output()
	if err != nil || !saysVersion(string(text), version) {
		return ""
	}
	return path
}

var gitVersion = regexp.MustCompile(`(?m)^GitVersion:[ \t]+v?(\S+)[ \t\r]*$`)

// saysVersion reads the output of `goreleaser --version`. Editions with a suffix, such as
// 2.16.0-pro, are others.
func saysVersion(text, version string) bool {
	said := gitVersion.FindAllStringSubmatch(text, -1)
	return len(said) == 1 && said[0][1] == version
}

// goOutput runs a go command in the checkout, for the host; it returns what go prints.
func goOutput(ctx context.Context, cmd *exec.Cmd, root string, env []string, code fault.Code) (
	string, error,
) {
	cmd.Dir, cmd.Env = root, host.GoEnv(env)
	text, err := host.Output(ctx, cmd)
	var said *fault.Error
	if errors.As(err, &said) {
		const next = "see what go says; modules come from GOPROXY (go env GOPROXY)"
		said.Code, said.Next, said.Log = code, next, fault.Tail(said.Log, fault.TailLines)
	}
	return strings.TrimSpace(text), err
}
