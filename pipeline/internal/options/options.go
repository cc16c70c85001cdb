// Package options turns arguments and environment into one struct. It is the only room
// of the pipeline that reads the environment.
package options

import (
	"cmp"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/docker/go-units"
	"golang.org/x/term"

	"github.com/tcapflow/tcapflow/pipeline/internal/fault"
	"github.com/tcapflow/tcapflow/spec"
)

// Options are what a user can set.
type Options struct {
	Root    string // of the checkout
	Out     string
	Dist    string
	Cache   string // downloads and compiled C libraries
	Base    string // auto, alpine or debian
	Locked  bool   // an input that is gone is an error
	Targets []spec.Target
	Debug   bool
	JSON    bool
	Keep    int64 // bytes that images and caches of ours may hold in the engine
	Live    bool  // a moving status line is welcome
	Colour  bool

	Natives  []string // GOARCHs that the engine's kernel is said to run itself; none: it is asked
	Mirrors  []string // of Debian, in the order in which they are asked; without a trailing slash
	Snapshot string   // Debian's snapshot archive, likewise; "": not asked

	Files, Require     []string // of verify and test:distros
	Only               string
	Publish, Show, All bool
	File, Image, OS    string // of doctor
	Message, Command   string
	Args               Args // as they were given

	RegistryPrefix string            // before image references
	AlpineMirror   string            // "": Alpine's own
	CA             []byte            // PEM of SSL_CERT_FILE: a TLS proxy's own, for the same builds
	Proxy          map[string]string // HTTP_PROXY and the like, for builds that need a network
}

// keepDefault is how much builds may keep in the engine.
const keepDefault = "10GB"

// Read fills Options from arguments, then from the environment. What is the project's own
// has its namespace before it: TCAPFLOW_CACHE.
func Read(project spec.Project, a Args) (o Options, err error) {
	env := variables{Variables(project)}
	own := func(name string) string { return env.get(project.Namespace.Variable(name)) }
	if o.Root, err = os.Getwd(); err != nil {
		return Options{}, err
	}
	o.Out, o.Dist = filepath.Join(o.Root, "out"), filepath.Join(o.Root, "dist")
	o.RegistryPrefix, o.AlpineMirror = own("REGISTRY"), env.get("ALPINE_MIRROR")
	o.Base = cmp.Or(own("BASE"), "auto")
	set(&o.Base, a.Base)
	set(&o.Locked, a.Locked)
	set(&o.Debug, a.Debug)
	set(&o.JSON, a.JSON)
	o.take(a)
	o.Live = env.get("CI") == "" && env.get("TERM") != "dumb"
	o.Colour = env.get("NO_COLOR") == "" && o.Live && term.IsTerminal(int(os.Stdout.Fd()))
	for _, part := range []func(spec.Project, variables) error{
		o.checkBase, o.readCache, o.readNatives, o.readKeep, o.readMirrors, o.readProxy,
	} {
		if err := part(project, env); err != nil {
			return Options{}, err
		}
	}
	names := ""
	set(&names, a.Targets)
	if o.Targets, err = project.Targets.Select(names); err != nil {
		return Options{}, fault.New(fault.Usage, "`mage targets` lists them", "%w", err)
	}
	return o, nil
}

// take takes over what needs no look at anything else.
func (o *Options) take(a Args) {
	o.Args = a
	o.Files, o.Require, o.Only = list(a.Files), list(a.Require), given(a.Only)
	o.Publish, o.Show, o.All = given(a.Publish), given(a.Show), given(a.All)
	o.File, o.Image, o.OS = given(a.File), given(a.Image), given(a.OS)
	o.Message, o.Command = given(a.Message), given(a.Command)
}

// list splits an option at its commas; one that was not given is empty.
func list(s *string) []string {
	if s == nil || *s == "" {
		return nil
	}
	return strings.Split(*s, ",")
}

func (o *Options) checkBase(project spec.Project, _ variables) error {
	switch o.Base {
	case "auto", "alpine", "debian":
		return nil
	}
	return fault.New(fault.Usage, "name one of them with -base or "+project.Namespace.Variable("BASE"),
		"unknown base %q; known: auto, alpine, debian", o.Base)
}

func (o *Options) readCache(project spec.Project, env variables) error {
	variable := project.Namespace.Variable("CACHE")
	if o.Cache = env.get(variable); o.Cache != "" {
		return nil
	}
	folder, err := os.UserCacheDir()
	if err != nil {
		return fault.New(fault.Usage, "set "+variable+" to a folder", "no cache folder: %w", err)
	}
	o.Cache = filepath.Join(folder, string(project.Namespace))
	return nil
}

func (o *Options) readNatives(project spec.Project, env variables) (err error) {
	variable := project.Namespace.Variable("NATIVES")
	o.Natives, err = natives(variable, env.get(variable), project.Targets.Built)
	return err
}

func (o *Options) readKeep(project spec.Project, env variables) (err error) {
	variable := project.Namespace.Variable("ENGINE_CACHE")
	o.Keep, err = size(variable, cmp.Or(env.get(variable), keepDefault))
	return err
}

// readProxy reads what stands between us and the network.
func (o *Options) readProxy(_ spec.Project, env variables) (err error) {
	o.Proxy = map[string]string{}
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"} {
		if v := env.get(name); v != "" {
			o.Proxy[name] = v
		}
	}
	if file := env.get("SSL_CERT_FILE"); file != "" {
		if o.CA, err = os.ReadFile(file); err != nil {
			return fault.New(fault.Usage, "correct SSL_CERT_FILE, or unset it", "SSL_CERT_FILE: %w", err)
		}
	}
	return nil
}

// natives reads a variable with a list of GOARCHs, separated by commas.
func natives(variable, list string, targets []spec.Target) ([]string, error) {
	if list == "" {
		return nil, nil
	}
	var known []string
	for _, t := range targets {
		known = append(known, t.GOARCH)
	}
	names := strings.Split(list, ",")
	for _, name := range names {
		if !slices.Contains(known, name) {
			return nil, fault.New(fault.Usage, "correct it, or unset it: then the engine's kernel is asked",
				"%s: unknown architecture %q; known: %s", variable, name, strings.Join(known, ", "))
		}
	}
	return names, nil
}

func set[T any](to *T, from *T) {
	if from != nil {
		*to = *from
	}
}

// size reads a variable such as 10GB (10⁹ bytes to the GB) or 512MiB (2²⁰ to the MiB).
func size(name, text string) (int64, error) {
	parse := units.FromHumanSize
	if strings.ContainsAny(text, "iI") {
		parse = units.RAMInBytes
	}
	n, err := parse(text)
	if err != nil || n <= 0 {
		return 0, fault.New(fault.Usage, "give it as 10GB or 8GiB", "%s is %q, which is no size", name, text)
	}
	return n, nil
}
