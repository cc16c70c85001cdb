package pipeline

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	"github.com/docker/go-units"
	"golang.org/x/mod/semver"

	"github.com/tcapflow/tcapflow/pipeline/internal/cache"
	"github.com/tcapflow/tcapflow/pipeline/internal/doctor"
	"github.com/tcapflow/tcapflow/pipeline/internal/engine"
	"github.com/tcapflow/tcapflow/pipeline/internal/fault"
	"github.com/tcapflow/tcapflow/pipeline/internal/host"
	"github.com/tcapflow/tcapflow/pipeline/internal/options"
	"github.com/tcapflow/tcapflow/pipeline/internal/source"
)

// roomForBuild is what all targets take in the engine, and roomForCache in the cache folder,
// in bytes; `mage bench:build` measures the first.
const roomForBuild, roomForCache = 2e9, 5e8

// examineHost looks at what a build needs, all at once: most of it is waiting.
func (p *Pipeline) examineHost(ctx context.Context) (all []doctor.Check) {
	parts := []func(context.Context) []doctor.Check{
		p.examineGo, p.examineGit, p.examineEngine, p.examineDisk, p.examineTrust, p.examineNetwork,
	}
	found := make([][]doctor.Check, len(parts))
	var group sync.WaitGroup
	for i, part := range parts {
		group.Go(func() { found[i] = part(ctx) })
	}
	group.Wait()
	for _, checks := range found {
		all = append(all, checks...)
	}
	return all
}

func okay(about, format string, args ...any) doctor.Check {
	return doctor.Check{State: doctor.OK, About: about, Text: fmt.Sprintf(format, args...)}
}

// wrong is a failure, with the next step of the error where it has one.
func wrong(about string, err error, next string) doctor.Check {
	var known *fault.Error
	if errors.As(err, &known) {
		next = cmp.Or(known.Next, next)
	}
	return doctor.Check{State: doctor.Fail, About: about, Text: firstLine(err), Next: next}
}

// examineGo looks at the host's go command, which lists and fetches modules.
func (p *Pipeline) examineGo(ctx context.Context) []doctor.Check {
	text, err := host.Go(ctx, p.o.Root, nil, "env", "GOVERSION")
	if err != nil {
		return []doctor.Check{wrong("go", err, "install Go 1.26 or newer, and put it into PATH")}
	}
	version := strings.TrimSpace(text)
	wanted, module, err := goMod(p.o.Root)
	if err != nil {
		return []doctor.Check{okay("go", "%s on this machine", version), wrong("go.mod", err, "")}
	}
	checks := []doctor.Check{okay("go", "%s on this machine; binaries are built with %s, of go.mod",
		version, wanted),
		okay("go.mod", "module %s", module)}
	if older := semver.Compare("v"+strings.TrimPrefix(version, "go"), "v"+strings.TrimPrefix(wanted,
		"go")) < 0; older {
		checks[0].State, checks[0].Next = doctor.Warn,
			"with GOTOOLCHAIN=auto it fetches "+wanted+" itself; else install that"
	}
	return checks
}

func (p *Pipeline) examineGit(ctx context.Context) []doctor.Check {
	if _, err := exec.LookPath("git"); err != nil {
		return []doctor.Check{wrong("git", err, "install git")}
	}
	tree, err := source.Read(ctx, p.o.Root)
	if err != nil {
		return []doctor.Check{wrong("git", err, "")}
	}
	c := okay("git", "version %s, %d files%s", tree.Version.Version, len(tree.Files), because(tree.State))
	checks := []doctor.Check{c}
	for _, line := range tree.Passed {
		checks = append(checks, doctor.Check{State: doctor.Warn, About: "git", Text: line,
			Next: "what a build needs of it must lie in this repository"})
	}
	return checks
}

// examineEngine connects, asks what the engine is, and starts a container for what its kernel runs.
func (p *Pipeline) examineEngine(ctx context.Context) []doctor.Check {
	e, err := p.connect(ctx)
	if err != nil {
		return []doctor.Check{wrong("engine", err,
			"install Docker or podman, or name an engine with DOCKER_HOST")}
	}
	defer e.Close()
	about, err := e.About(ctx)
	if err != nil {
		return []doctor.Check{wrong("engine", err, "")}
	}
	kind := ""
	if about.Rootless {
		kind = ", rootless"
	}
	by := "found at a usual place or named by DOCKER_HOST"
	if about.Context != "" {
		by = fmt.Sprintf("Docker context %q", about.Context)
	}
	checks := []doctor.Check{
		okay("engine", "%s (API %s) at %s%s; %s", about.Version, about.API, about.Address, kind, by),
		okay("kernel", "%s on %s, %s, %d CPUs, %s of memory", about.Kernel, e.Arch, about.System, e.CPUs,
			units.BytesSize(float64(about.Memory))),
	}
	if about.Storage == "vfs" {
		checks = append(checks, doctor.Check{State: doctor.Warn, About: "storage",
			Text: "vfs, which copies all files for each container",
			Next: "set the engine's storage driver to overlay2 (rootless: fuse-overlayfs)"})
	} else {
		checks = append(checks, okay("storage", "%s", about.Storage))
	}
	if !about.Seccomp {
		checks = append(checks, okay("seccomp", "off: containers may call all of the kernel"))
	}
	return append(append(checks, p.examineKernel(ctx, e)...), p.examineHoldings(ctx, e, about))
}

// examineKernel tells which targets' binaries the engine runs itself in tests.
func (p *Pipeline) examineKernel(ctx context.Context, e *engine.Engine) []doctor.Check {
	natives, err := e.Natives(ctx)
	if err != nil {
		return []doctor.Check{wrong("containers", err, "")}
	}
	return []doctor.Check{okay("containers",
		"they start; the kernel runs %s itself, tests run the rest under qemu-user",
		strings.Join(natives, ", "))}
}

// examineHoldings tells what we have in the engine, and the room that is left where that is here.
func (p *Pipeline) examineHoldings(ctx context.Context, e *engine.Engine, about engine.About) doctor.Check {
	next := "`mage clean` drops what builds left there, `docker system df` shows the rest"
	if !strings.HasPrefix(about.Address, "unix:") {
		return okay("engine's disk", "on another machine: how much is free is not known")
	}
	c := doctor.Disk("engine's disk", about.Folder, roomForBuild, next)
	if _, total, err := e.Holdings(ctx); err == nil {
		c.Text += fmt.Sprintf("; builds hold %s there, and may hold %s", units.HumanSize(float64(total)),
			units.HumanSize(float64(p.o.Keep)))
	}
	return c
}

func (p *Pipeline) examineDisk(context.Context) []doctor.Check {
	own := p.project.Namespace.Variable("CACHE")
	checks := []doctor.Check{
		doctor.Disk("cache folder", p.o.Cache, roomForCache, "free some, or name another folder with "+own),
		doctor.Disk("checkout", p.o.Root, roomForCache, "free some: out/ and dist/ lie here"),
	}
	if _, _, err := cache.Existing(p.o.Cache); err != nil {
		checks[0] = wrong("cache folder", err, "name a folder of its own with "+own)
	}
	return checks
}

func (p *Pipeline) examineTrust(context.Context) (checks []doctor.Check) {
	for _, v := range options.Variables(p.project) {
		switch {
		case v.Set == "":
		case v.Name == "SSL_CERT_FILE":
			text, err := os.ReadFile(v.Set)
			if err != nil {
				checks = append(checks, wrong(v.Name, err, "correct it, or unset it"))
				continue
			}
			checks = append(checks, doctor.Certificates(v.Set, text, time.Now()))
		case v.Name == "HTTPS_PROXY", v.Name == "HTTP_PROXY":
			checks = append(checks, okay("proxy", "%s is set; what answers below answers through it", v.Name))
		}
	}
	return checks
}

// examineNetwork asks where inputs come from. One mirror is enough, and no registry is needed.
func (p *Pipeline) examineNetwork(ctx context.Context) []doctor.Check {
	pages := p.pages(ctx)
	checks := make([]doctor.Check, len(pages))
	var group sync.WaitGroup
	for i, page := range pages {
		group.Go(func() { checks[i] = page.Ask(ctx, http.DefaultClient) })
	}
	group.Wait()
	answered := false
	for _, c := range checks {
		answered = answered || c.About == aboutMirror && c.State == doctor.OK
	}
	if !answered {
		checks = append(checks, doctor.Check{State: doctor.Fail, About: aboutMirror,
			Text: "none answers: what is not in the cache cannot be fetched",
			Next: "name one with DEBIAN_MIRROR, or look at HTTPS_PROXY; what was built before needs no network"})
	}
	return checks
}

const aboutMirror = "Debian mirror"

func (p *Pipeline) pages(ctx context.Context) (pages []doctor.Page) {
	for _, url := range p.o.Mirrors {
		pages = append(pages, doctor.Page{About: aboutMirror, Needed: doctor.Warn,
			URL:  url + "/dists/" + p.project.Debian.Suite + "/InRelease",
			Next: "the next mirror is asked; DEBIAN_MIRROR names another"})
	}
	if p.o.Snapshot != "" {
		pages = append(pages, doctor.Page{About: "Debian snapshot", Needed: doctor.Warn,
			URL:  p.o.Snapshot + "/",
			Next: "it is asked only for packages that no mirror has any more; `mage images:lock` renews the lock", Codes: []int{302}})
	}
	for _, url := range p.o.AlpineMirrors {
		pages = append(pages, doctor.Page{About: "Alpine mirror", Needed: doctor.Warn,
			URL: url + "/", Next: "the Debian base does without; ALPINE_MIRROR names another"})
	}
	registry := cmp.Or(strings.TrimSuffix(p.o.RegistryPrefix, "/"), "registry-1.docker.io")
	host, _, _ := strings.Cut(registry, "/")
	pages = append(pages, doctor.Page{About: "registry", Needed: doctor.Warn,
		URL: "https://" + host + "/v2/", Codes: []int{401},
		Next: "builds need none; " + p.project.Namespace.Variable("REGISTRY") + " names another for `mage test:distros`"})
	return append(pages, p.goProxies(ctx)...)
}

// goProxies are where modules come from; with several, each is asked after the one before it.
func (p *Pipeline) goProxies(ctx context.Context) (pages []doctor.Page) {
	list := strings.FieldsFunc(p.goEnv(ctx, "GOPROXY"), func(r rune) bool { return r == ',' || r == '|' })
	for _, url := range list {
		if strings.HasPrefix(url, "http") {
			pages = append(pages, doctor.Page{About: "GOPROXY", Needed: doctor.Warn,
				URL:   strings.TrimSuffix(url, "/") + "/golang.org/x/mod/@v/list",
				Next:  "what is in the module cache is enough; `go env -w GOPROXY=…` names another",
				Codes: []int{405}})
		}
	}
	return pages
}

// goEnv is a setting of the host's go command; "" where that does not say.
func (p *Pipeline) goEnv(ctx context.Context, name string) string {
	text, _ := host.Go(ctx, p.o.Root, nil, "env", name) // an error: nothing is said
	return strings.TrimSpace(text)
}
