// Package options turns arguments and environment into one struct, which every job is
// handed. What users set for us is read here and nowhere else. Package host hands the
// environment on to programs of this machine, and engine reads the variables of the docker
// command as that does.
package options

import (
	"cmp"
	"crypto/x509"
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
	Security []string // mirrors of Debian's security updates, likewise
	Snapshot string   // Debian's snapshot archive, likewise; "": not asked

	AlpineMirrors  []string // of Alpine, likewise; a branch stands below
	RegistryPrefix string   // before image references
}

// Args are the options of a mage target; nil means not given.
type Args struct {
	Targets, Base       *string
	Locked, Debug, JSON *bool
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
	o.RegistryPrefix = own("REGISTRY")
	o.Base = cmp.Or(own("BASE"), "auto")
	set(&o.Base, a.Base)
	set(&o.Locked, a.Locked)
	set(&o.Debug, a.Debug)
	set(&o.JSON, a.JSON)
	o.Live = env.get("CI") == "" && env.get("TERM") != "dumb"
	o.Colour = env.get("NO_COLOR") == "" && o.Live && term.IsTerminal(int(os.Stdout.Fd()))
	for _, part := range []func(spec.Project, variables) error{
		o.checkBase, o.readCache, o.readNatives, o.readKeep, o.readMirrors, o.readAlpineMirrors, o.checkCA,
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

// checkCA refuses a bundle that crypto/x509 would pass over without a word.
func (o *Options) checkCA(_ spec.Project, env variables) error {
	file := env.get("SSL_CERT_FILE")
	if file == "" {
		return nil
	}
	const next = "correct SSL_CERT_FILE, or unset it"
	text, err := os.ReadFile(file)
	if err != nil {
		return fault.New(fault.Usage, next, "SSL_CERT_FILE: %w", err)
	}
	if !x509.NewCertPool().AppendCertsFromPEM(text) {
		return fault.New(fault.Usage, next, "SSL_CERT_FILE: %s has no certificate in PEM", file)
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
