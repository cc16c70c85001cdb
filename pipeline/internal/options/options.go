// Package options turns arguments and environment into one struct. It is the only room
// of the pipeline that reads the environment.
package options

import (
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

	AlpineMirrors  []string // of Alpine, likewise; a branch stands below
	RegistryPrefix string   // before image references
}

// Args are the options of a mage target; nil means not given.
type Args struct {
	Targets, Base       *string
	Locked, Debug, JSON *bool
}

// Read fills Options from arguments, then from the environment. What is the project's own
// has its namespace before it: TCAPFLOW_CACHE.
func Read(project spec.Project, a Args) (Options, error) {
	own := project.Namespace.Variable
	root, err := os.Getwd()
	if err != nil {
		return Options{}, err
	}
	o := Options{
		Root: root, Out: filepath.Join(root, "out"), Dist: filepath.Join(root, "dist"),
		Base: "auto", RegistryPrefix: os.Getenv(own("REGISTRY")),
	}
	if o.Cache = os.Getenv(own("CACHE")); o.Cache == "" {
		folder, err := os.UserCacheDir()
		if err != nil {
			return Options{}, fault.New(fault.Usage, "set "+own("CACHE")+" to a folder", "no cache folder: %w", err)
		}
		o.Cache = filepath.Join(folder, string(project.Namespace))
	}
	if base := os.Getenv(own("BASE")); base != "" {
		o.Base = base
	}
	set(&o.Base, a.Base)
	set(&o.Locked, a.Locked)
	set(&o.Debug, a.Debug)
	set(&o.JSON, a.JSON)
	switch o.Base {
	case "auto", "alpine", "debian":
	default:
		return Options{}, fault.New(fault.Usage, "name one of them with -base or "+own("BASE"),
			"unknown base %q; known: auto, alpine, debian", o.Base)
	}
	names := ""
	set(&names, a.Targets)
	if o.Targets, err = project.Targets.Select(names); err != nil {
		return Options{}, fault.New(fault.Usage, "`mage targets` lists them", "%w", err)
	}
	if o.Natives, err = natives(own("NATIVES"), project.Targets.Built); err != nil {
		return Options{}, err
	}
	if file := os.Getenv("SSL_CERT_FILE"); file != "" {
		if _, err := os.ReadFile(file); err != nil { // crypto/x509 would pass it over without a word
			return Options{}, fault.New(fault.Usage, "correct SSL_CERT_FILE, or unset it", "SSL_CERT_FILE: %w", err)
		}
	}
	if o.Keep, err = size(own("ENGINE_CACHE"), "10GB"); err != nil {
		return Options{}, err
	}
	if err := o.readMirrors(project.Debian); err != nil {
		return Options{}, err
	}
	if err := o.readAlpineMirrors(project.Alpine); err != nil {
		return Options{}, err
	}
	o.Live = os.Getenv("CI") == "" && os.Getenv("TERM") != "dumb"
	o.Colour = os.Getenv("NO_COLOR") == "" && o.Live && term.IsTerminal(int(os.Stdout.Fd()))
	return o, nil
}

// natives reads a variable with a list of GOARCHs, separated by commas.
func natives(variable string, targets []spec.Target) ([]string, error) {
	list := os.Getenv(variable)
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
func size(name, unset string) (int64, error) {
	text := os.Getenv(name)
	if text == "" {
		text = unset
	}
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
