package pipeline

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/tcapflow/tcapflow/pipeline/internal/doctor"
	"github.com/tcapflow/tcapflow/pipeline/internal/engine"
	"github.com/tcapflow/tcapflow/pipeline/internal/fault"
	"github.com/tcapflow/tcapflow/pipeline/internal/source"
)

// answerWithin bounds each question to the network.
const answerWithin = 10 * time.Second

// machine looks at what a build needs of this machine.
func (p *Pipeline) machine(ctx context.Context) ([]doctor.Finding, error) {
	looks := []func(context.Context) []doctor.Finding{
		p.lookAtGo, p.lookAtGit, p.lookAtEngine, p.lookAtCache, p.lookAtMirrors, p.lookAtModules,
	}
	results := make([][]doctor.Finding, len(looks))
	var group sync.WaitGroup
	for i, look := range looks {
		group.Go(func() { results[i] = look(ctx) })
	}
	group.Wait()
	var all []doctor.Finding
	for _, r := range results {
		all = append(all, r...)
	}
	return all, ctx.Err()
}

func fine(what, format string, args ...any) doctor.Finding {
	return doctor.Finding{Status: doctor.OK, What: what, Says: fmt.Sprintf(format, args...)}
}

// bad is a finding out of an error, whose next step it takes over.
func bad(status doctor.Status, what string, err error, next string) doctor.Finding {
	var f *fault.Error
	if errors.As(err, &f) && f.Next != "" {
		next = f.Next
	}
	return doctor.Finding{Status: status, What: what, Says: firstLine(err), Next: next}
}

func (p *Pipeline) lookAtGo(ctx context.Context) []doctor.Finding {
	text, err := exec.CommandContext(ctx, "go", "version").Output()
	if err != nil {
		return []doctor.Finding{bad(doctor.Fail, "go", err, "install Go")}
	}
	found := []doctor.Finding{fine("go", "%s", strings.TrimSpace(string(text)))}
	version, _, err := goMod(p.o.Root)
	if err != nil {
		return append(found, bad(doctor.Fail, "go.mod", err, ""))
	}
	return append(found, fine("go.mod", "binaries are built by %s", version))
}

func (p *Pipeline) lookAtGit(ctx context.Context) []doctor.Finding {
	tree, err := source.Read(ctx, p.o.Root)
	if err != nil {
		return []doctor.Finding{bad(doctor.Fail, "git", err, "")}
	}
	if tree.Commit == "" {
		return []doctor.Finding{{Status: doctor.Warn, What: "git", Says: "not a git checkout, or no commit: binaries have no commit to name",
			Next: "git init, git add ., git commit"}}
	}
	return []doctor.Finding{fine("git", "commit %.12s, version %s%s", tree.Commit, tree.Version.Version, because(tree.Version.State))}
}

func (p *Pipeline) lookAtEngine(ctx context.Context) []doctor.Finding {
	unlock, err := p.lock(ctx, func(string, ...any) {})
	if err != nil {
		return []doctor.Finding{bad(doctor.Fail, "out/", err, "")}
	}
	defer unlock()
	e, err := p.connect(ctx)
	if err != nil {
		return []doctor.Finding{bad(doctor.Fail, "engine", err, "")}
	}
	defer e.Close()
	found := []doctor.Finding{fine("engine", "%s, %s, %d CPUs", e.DaemonHost(), e.Arch, e.CPUs)}
	natives, err := e.Natives(ctx)
	if err != nil {
		found = append(found, bad(doctor.Fail, "kernel", err, ""))
	} else {
		found = append(found, fine("kernel", "the engine's runs %s itself; tests run the rest under qemu-user", strings.Join(natives, " and ")))
	}
	return append(found, p.lookAtRoom(ctx, e)...)
}

// lookAtRoom tells how much is kept in the engine.
func (p *Pipeline) lookAtRoom(ctx context.Context, e *engine.Engine) []doctor.Finding {
	_, total, err := e.Holdings(ctx)
	if err != nil {
		return []doctor.Finding{bad(doctor.Warn, "engine's disk", err, "")}
	}
	return []doctor.Finding{fine("engine's disk", "builds keep %.1f GB there, at most %.1f (%s)",
		float64(total)/1e9, float64(p.o.Keep)/1e9, p.project.Namespace.Variable("ENGINE_CACHE"))}
}

// enough is what a build from nothing writes into the cache folder, bytes: packages,
// sources, and unpacked layers for a moment.
const enough = 3e9

func (p *Pipeline) lookAtCache(context.Context) []doctor.Finding {
	folder := p.o.Cache
	for {
		if _, err := os.Stat(folder); err == nil {
			break
		}
		folder = filepath.Dir(folder)
	}
	free, ok := doctor.Free(folder)
	switch {
	case !ok:
		return []doctor.Finding{fine("cache", "%s", p.o.Cache)}
	case free < enough:
		return []doctor.Finding{{Status: doctor.Warn, What: "cache", Says: fmt.Sprintf("%s has %.1f GB left; a build from nothing takes %.0f",
			p.o.Cache, float64(free)/1e9, enough/1e9), Next: "free space, or set " + p.project.Namespace.Variable("CACHE")}}
	}
	return []doctor.Finding{fine("cache", "%s, %.1f GB free", p.o.Cache, float64(free)/1e9)}
}

// lookAtMirrors asks each Debian mirror for the beginning of its signed index.
func (p *Pipeline) lookAtMirrors(ctx context.Context) []doctor.Finding {
	found := make([]doctor.Finding, len(p.o.Mirrors))
	var group sync.WaitGroup
	answers := false
	for i, mirror := range p.o.Mirrors {
		group.Go(func() { found[i] = ask(ctx, "mirror", mirror+"/dists/"+p.project.Debian.Suite+"/InRelease") })
	}
	group.Wait()
	for _, f := range found {
		answers = answers || f.Status == doctor.OK
	}
	for i := range found {
		if answers && found[i].Status == doctor.Fail {
			found[i].Status = doctor.Warn // another one does
		}
		found[i].Next = map[bool]string{true: "", false: "a build from the cache needs none; else name one with DEBIAN_MIRROR"}[found[i].Status == doctor.OK]
	}
	return found
}

// lookAtModules asks the first module proxy for the toolchain that go.mod names.
func (p *Pipeline) lookAtModules(ctx context.Context) []doctor.Finding {
	text, err := exec.CommandContext(ctx, "go", "env", "GOPROXY").Output()
	if err != nil {
		return []doctor.Finding{bad(doctor.Fail, "GOPROXY", err, "")}
	}
	proxy, _, _ := strings.Cut(strings.TrimSpace(string(text)), ",")
	proxy, _, _ = strings.Cut(proxy, "|")
	if !strings.HasPrefix(proxy, "http") {
		return []doctor.Finding{fine("GOPROXY", "%s", strings.TrimSpace(string(text)))}
	}
	version, _, err := goMod(p.o.Root)
	if err != nil {
		return nil // told already
	}
	url := strings.TrimRight(proxy, "/") + "/golang.org/toolchain/@v/v0.0.1-" + version + ".linux-" + runtime.GOARCH + ".info"
	f := ask(ctx, "GOPROXY", url)
	if f.Status != doctor.OK {
		f.Status, f.Next = doctor.Warn, "a build whose modules are in Go's cache needs none; else see `go env GOPROXY`"
	}
	return []doctor.Finding{f}
}

// ask sends one request, without retries: this is a look, not a download.
func ask(ctx context.Context, what, url string) doctor.Finding {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodHead, url, nil)
	if err != nil {
		return bad(doctor.Fail, what, err, "")
	}
	start := time.Now()
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return bad(doctor.Fail, what, err, "")
	}
	response.Body.Close()
	host := request.URL.Redacted()
	if response.StatusCode != http.StatusOK {
		return doctor.Finding{Status: doctor.Fail, What: what, Says: fmt.Sprintf("%s: %s", host, response.Status)}
	}
	return fine(what, "%s answers in %d ms", host, time.Since(start).Milliseconds())
}
