package release

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tcapflow/tcapflow/pipeline/internal/fault"
	"github.com/tcapflow/tcapflow/spec"
)

// goreleaser is a compiled GoReleaser with all that it is called with.
type goreleaser struct {
	*stage
	program string
	config  []byte
	env     []string
}

// goreleaser waits for GoReleaser and compiles the hand-off program.
func (s *stage) goreleaser(ctx context.Context, binaries []Binary) (g *goreleaser, err error) {
	g = &goreleaser{stage: s, env: slices.Concat(s.Env, s.environment())}
	err = s.step("GoReleaser (compiled beside the build)", func() (err error) {
		if g.program, err = s.Tool.Path(ctx); err != nil {
			return err
		}
		// By its path, not its folder: in a project of its own this package lies in the module cache.
		program := reflect.TypeFor[Order]().PkgPath() + "/handoff"
		build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", s.path("handoff"), program)
		_, err = goOutput(ctx, build, s.Root, s.Env, fault.Failed)
		return err
	})
	if err != nil {
		return nil, err
	}
	if s.Tool.onPath {
		s.Log.Note("GoReleaser is that of PATH: %s", g.program)
	}
	if g.config, err = s.config(); err != nil {
		return nil, fmt.Errorf(".goreleaser.yaml: %w", err)
	}
	if err := s.writeScripts(); err != nil {
		return nil, err
	}
	order, err := json.Marshal(Order{Out: s.Out, Binaries: binaries})
	if err != nil {
		return nil, err
	}
	return g, os.WriteFile(s.path("order.json"), order, 0o644)
}

// environment is what .goreleaser.yaml's templates and the hand-off program read.
func (s *stage) environment() []string {
	return []string{
		"RELEASE_HANDOFF=" + s.path("handoff"),
		"RELEASE_ORDER=" + s.path("order.json"),
		"RELEASE_VERSION=" + s.Source.Version,
		"RELEASE_DATE=" + s.time.Format(time.RFC3339),
		"RELEASE_TIMESTAMP=" + strconv.FormatInt(s.time.Unix(), 10),
		"RELEASE_SUMMARY=" + s.Project.Summary,
		"RELEASE_HOMEPAGE=" + s.homepage(),
		"RELEASE_SCRIPTS=" + s.path(scriptsDir),
		"RELEASE_IMAGES=" + stageName + "/" + digestsName, // a glob, which is relative
	}
}

func (s *stage) homepage() string { return "https://" + s.Module }

// platform is GoReleaser's name of a target: linux_arm_7.
func platform(t spec.Target) string { return strings.TrimSuffix("linux_"+t.GOARCH+"_"+t.GOARM, "_") }

// run packs, or packs and uploads.
func (g *goreleaser) run(ctx context.Context, publish bool) error {
	args := []string{"release", "--clean", "--config=-"}
	env := g.env
	if g.Source.Release() {
		env = append(env, "GORELEASER_CURRENT_TAG=v"+g.Source.Version)
	} else {
		args = append(args, "--snapshot")
	}
	if !publish {
		args = append(args, "--skip=publish")
		env = append(env, g.remote(ctx)...)
	}
	cmd := exec.CommandContext(ctx, g.program, args...)
	// A cancelled GoReleaser is killed: at an interrupt it first finishes what it packs, for
	// longer than the five seconds that mage gives.
	cmd.WaitDelay = time.Second
	cmd.Dir, cmd.Env, cmd.Stdin = g.Root, env, bytes.NewReader(g.config)
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	err := cmd.Run()
	if ctx.Err() != nil && publish {
		return halfPublished(g.Source.Version, ctx.Err())
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		err = fmt.Errorf("goreleaser %s: %w", strings.Join(args, " "), err)
		return &fault.Error{Code: fault.Failed, Err: err, Log: fault.Tail(output.String(), fault.TailLines)}
	}
	return nil
}

// halfPublished is the error of an upload that was interrupted: what has arrived stays there.
func halfPublished(version string, cause error) error {
	const next = "look at the place of the release; remove what is there, or publish the same tag again"
	return fault.New(fault.Interrupted, next,
		"interrupted while %s was uploaded: a part of it may be published (%w)", version, cause)
}

// remote names a remote where the checkout has none: GoReleaser asks for one even when
// it uploads nothing (git-config(1), GIT_CONFIG_COUNT).
func (g *goreleaser) remote(ctx context.Context) []string {
	cmd := exec.CommandContext(ctx, "git", "ls-remote", "--get-url")
	cmd.Dir = g.Root
	if cmd.Run() == nil {
		return nil
	}
	return []string{
		"GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=remote.origin.url", "GIT_CONFIG_VALUE_0=" + g.homepage(),
	}
}

// tidy takes GoReleaser's working files away, which have paths and the time of this run.
// In artifacts.json it puts the entries, whose order is that in which they were done,
// into the order of their paths, which no longer name the stage.
func (s *stage) tidy() error {
	for _, name := range []string{"config.yaml", "metadata.json"} {
		if err := os.Remove(s.path("dist", name)); err != nil {
			return err
		}
	}
	text, err := os.ReadFile(s.path("dist", artifactsName))
	if err != nil {
		return err
	}
	var list []map[string]any // with all that GoReleaser says of each
	if err := json.Unmarshal(text, &list); err != nil {
		return err
	}
	list = slices.DeleteFunc(list, func(a map[string]any) bool { return a["type"] == "Metadata" })
	slices.SortFunc(list, func(a, b map[string]any) int {
		return strings.Compare(fmt.Sprint(a["path"]), fmt.Sprint(b["path"]))
	})
	if text, err = json.MarshalIndent(list, "", " "); err != nil {
		return err
	}
	dist, err := filepath.Rel(s.Root, s.Dist)
	if err != nil {
		return err
	}
	text = bytes.ReplaceAll(text, []byte(`"`+stageName+`/dist/`), []byte(`"`+filepath.ToSlash(dist)+`/`))
	return os.WriteFile(s.path("dist", artifactsName), append(text, '\n'), 0o644)
}
