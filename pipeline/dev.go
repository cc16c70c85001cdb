package pipeline

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/tcapflow/tcapflow/pipeline/internal/fault"
	"github.com/tcapflow/tcapflow/pipeline/internal/source"
)

// devEvery is how often the checkout is looked at: git lists the files, in some 20 ms, and
// their sizes and times are compared.
const devEvery = 300 * time.Millisecond

// Dev builds for this machine with the host's go, as often as a file changes, until it is
// interrupted. What it builds is for trying out: out/dev/NAME, linked as the host links.
func (p *Pipeline) Dev(ctx context.Context) error {
	_, module, err := goMod(p.o.Root)
	if err != nil {
		return err
	}
	out := filepath.Join(p.o.Out, "dev", p.project.Name)
	fmt.Fprintf(p.stderr, "builds %s of %s into %s when a file changes; Ctrl-C ends it\n", p.project.Main,
		module, out)
	seen := ""
	tick := time.NewTicker(devEvery)
	defer tick.Stop()
	for {
		now, err := p.stamp(ctx)
		if err != nil {
			return err
		}
		if now != seen {
			seen = now
			p.buildHere(ctx, out)
		}
		select {
		case <-ctx.Done():
			fmt.Fprintln(p.stderr, "ended")
			return nil
		case <-tick.C:
		}
	}
}

// buildHere builds once, and says how long it took or what does not compile.
func (p *Pipeline) buildHere(ctx context.Context, out string) {
	start := time.Now()
	cmd := exec.CommandContext(ctx, "go", "build", "-tags="+strings.Join(p.project.Tags, ","), "-o", out,
		p.project.Main)
	cmd.Dir = p.o.Root
	text, err := cmd.CombinedOutput()
	at, took := time.Now().Format(time.TimeOnly), time.Since(start).Round(10*time.Millisecond)
	switch {
	case ctx.Err() != nil:
	case err == nil:
		fmt.Fprintf(p.stdout, "%s  built in %s\n", at, took)
	default:
		fmt.Fprintf(p.stdout, "%s  does not build (%s)\n%s", at, took, text)
		if next := headerMissing(string(text), p.project.Libraries != nil); next != "" {
			fmt.Fprintf(p.stdout, "next: %s\n", next)
		}
	}
}

// headerMissing is the next step where the host lacks a C library's files.
func headerMissing(log string, libraries bool) string {
	if libraries && (strings.Contains(log, "No such file or directory") || strings.Contains(log,
		"cannot find -l") ||
		strings.Contains(log, "pkg-config")) {
		return "install the C library's headers on this machine (Debian: its -dev package), " +
			"or build in the container: `mage static -targets=linux/ARCH`"
	}
	return ""
}

// stamp tells by names, sizes and times whether a file of the checkout is another.
func (p *Pipeline) stamp(ctx context.Context) (string, error) {
	files, err := source.Names(ctx, p.o.Root)
	if err != nil {
		if ctx.Err() != nil {
			return "", nil
		}
		return "", fault.New(fault.Usage, "", "%w", err)
	}
	var b strings.Builder
	for _, name := range files {
		info, err := os.Lstat(filepath.Join(p.o.Root, filepath.FromSlash(name)))
		if err == nil {
			fmt.Fprintln(&b, name, info.Size(), info.ModTime().UnixNano())
		}
	}
	return b.String(), nil
}
