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

	"github.com/tcapflow/tcapflow/build"
	bd "github.com/tcapflow/tcapflow/build/debian"
	"github.com/tcapflow/tcapflow/internal/pipeline/fault"
)

// Options are what a user can set.
type Options struct {
	Root    string // of the checkout
	Out     string
	Dist    string
	Cache   string // downloads and compiled C libraries
	Mirror  string // Debian's, without a trailing slash
	Base    string // auto, alpine or debian
	Locked  bool   // an input that is gone is an error
	Targets []build.Target
	Debug   bool
	JSON    bool
	Keep    int64 // bytes that images and caches of ours may hold in the engine
	Live    bool  // a moving status line is welcome
	Colour  bool

	RegistryPrefix string            // before image references
	AlpineMirror   string            // "": Alpine's own
	CA             []byte            // PEM of SSL_CERT_FILE: a TLS proxy's own, for the same builds
	Proxy          map[string]string // HTTP_PROXY and the like, for builds that need a network
}

// Args are the options of a mage target; nil means not given.
type Args struct {
	Targets, Base       *string
	Locked, Debug, JSON *bool
}

// Read fills Options from arguments, then from the environment.
func Read(a Args) (Options, error) {
	root, err := os.Getwd()
	if err != nil {
		return Options{}, err
	}
	o := Options{
		Root: root, Out: filepath.Join(root, "out"), Dist: filepath.Join(root, "dist"),
		Base: "auto", RegistryPrefix: os.Getenv("TCAPFLOW_REGISTRY"), AlpineMirror: os.Getenv("ALPINE_MIRROR"),
		Proxy: map[string]string{},
	}
	if o.Cache = os.Getenv("TCAPFLOW_CACHE"); o.Cache == "" {
		folder, err := os.UserCacheDir()
		if err != nil {
			return Options{}, fault.New(fault.Usage, "set TCAPFLOW_CACHE to a folder", "no cache folder: %w", err)
		}
		o.Cache = filepath.Join(folder, "tcapflow")
	}
	if base := os.Getenv("TCAPFLOW_BASE"); base != "" {
		o.Base = base
	}
	set(&o.Base, a.Base)
	set(&o.Locked, a.Locked)
	set(&o.Debug, a.Debug)
	set(&o.JSON, a.JSON)
	switch o.Base {
	case "auto", "alpine", "debian":
	default:
		return Options{}, fault.New(fault.Usage, "name one of them with -base or TCAPFLOW_BASE", "unknown base %q; known: auto, alpine, debian", o.Base)
	}
	names := ""
	set(&names, a.Targets)
	if o.Targets, err = build.Select(names); err != nil {
		return Options{}, fault.New(fault.Usage, "`mage targets` lists them", "%w", err)
	}
	if file := os.Getenv("SSL_CERT_FILE"); file != "" {
		if o.CA, err = os.ReadFile(file); err != nil {
			return Options{}, fault.New(fault.Usage, "correct SSL_CERT_FILE, or unset it", "SSL_CERT_FILE: %w", err)
		}
	}
	if o.Keep, err = size("TCAPFLOW_ENGINE_CACHE", "10GB"); err != nil {
		return Options{}, err
	}
	o.Mirror = mirror(os.Getenv("DEBIAN_MIRROR"), "/etc/apt")
	if !strings.HasPrefix(o.Mirror, "http://") && !strings.HasPrefix(o.Mirror, "https://") {
		return Options{}, fault.New(fault.Usage, "give it as http://HOST/debian or https://HOST/debian", "DEBIAN_MIRROR is %q, which is no address of a mirror", o.Mirror)
	}
	o.Live = os.Getenv("CI") == "" && os.Getenv("TERM") != "dumb"
	o.Colour = os.Getenv("NO_COLOR") == "" && o.Live && term.IsTerminal(int(os.Stdout.Fd()))
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"} {
		for _, spelling := range []string{strings.ToLower(name), name} {
			if v := os.Getenv(spelling); v != "" {
				o.Proxy[name] = v
			}
		}
	}
	return o, nil
}

func set[T any](to *T, from *T) {
	if from != nil {
		*to = *from
	}
}

// mirror names the Debian archive: what the user says, else what the host's apt uses
// (a firm's own mirror, often the only one that answers), else one of Debian's.
func mirror(user, apt string) string {
	if user != "" {
		return strings.TrimRight(user, "/")
	}
	files, _ := filepath.Glob(filepath.Join(apt, "sources.list.d", "*"))
	for _, file := range append([]string{filepath.Join(apt, "sources.list")}, files...) {
		if ext := filepath.Ext(file); ext != ".list" && ext != ".sources" {
			continue // apt does not read it either
		}
		if url := debianIn(file); url != "" {
			return url
		}
	}
	return bd.Mirror
}

// debianIn finds the first Debian archive in a file of sources.list(5), of either
// format. Other archives have addresses that end in /debian, too: one counts if it has
// a suite of Debian's with the component main.
func debianIn(file string) string {
	text, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	if filepath.Ext(file) == ".sources" {
		return debianInStanzas(string(text))
	}
	for line := range strings.Lines(string(text)) {
		words := strings.Fields(line)
		if len(words) == 0 || words[0] != "deb" {
			continue
		}
		for len(words) > 1 && !strings.HasPrefix(words[1], "http") {
			words = words[1:] // [arch=… signed-by=…]
		}
		if len(words) > 3 {
			if url := archive(words[1:2], words[2:3], words[3:]); url != "" {
				return url
			}
		}
	}
	return ""
}

// debianInStanzas reads the deb822 format, whose fields come in any order and case.
func debianInStanzas(text string) string {
	fields := map[string][]string{}
	for line := range strings.Lines(text + "\n\n") {
		name, values, _ := strings.Cut(strings.TrimSpace(line), ":")
		if name != "" {
			fields[strings.ToLower(name)] = strings.Fields(values)
			continue
		}
		if slices.Contains(fields["types"], "deb") && !slices.Contains(fields["enabled"], "no") {
			if url := archive(fields["uris"], fields["suites"], fields["components"]); url != "" {
				return url
			}
		}
		clear(fields)
	}
	return ""
}

var codenames = []string{"bullseye", "bookworm", "trixie", "forky", "sid", "stable", "oldstable", "testing", "unstable"}

func archive(urls, suites, components []string) string {
	if !slices.Contains(components, "main") || !slices.ContainsFunc(suites, func(s string) bool { return slices.Contains(codenames, s) }) {
		return ""
	}
	for _, url := range urls {
		if url = strings.TrimRight(url, "/"); strings.HasPrefix(url, "http") && strings.HasSuffix(url, "/debian") {
			return url
		}
	}
	return ""
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

// Flag is the value of an option that was perhaps not given.
func Flag(f *bool) bool { return f != nil && *f }

// List splits an option at its commas; an option that was not given is empty.
func List(s *string) []string {
	if s == nil || *s == "" {
		return nil
	}
	return strings.Split(*s, ",")
}

// Text is the value of an option that was perhaps not given.
func Text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
