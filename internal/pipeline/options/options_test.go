package options

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tcapflow/tcapflow/build"
	bd "github.com/tcapflow/tcapflow/build/debian"
	"github.com/tcapflow/tcapflow/internal/pipeline/fault"
)

const firm = "https://mirror.firm.example/debian"

func TestMirror(t *testing.T) {
	for name, c := range map[string]struct {
		files map[string]string // below /etc/apt
		want  string
	}{
		"none":               {nil, bd.Mirror},
		"one line":           {map[string]string{"sources.list": "deb " + firm + "/ trixie main contrib\n"}, firm},
		"one line, options":  {map[string]string{"sources.list": "deb [arch=amd64 signed-by=/usr/share/keyrings/x.gpg] " + firm + " stable main\n"}, firm},
		"one line, [ x ]":    {map[string]string{"sources.list": "deb [ arch=amd64 ] " + firm + " sid contrib main # here\n"}, firm},
		"no newline":         {map[string]string{"sources.list": "deb " + firm + " trixie main"}, firm},
		"deb822":             {map[string]string{"sources.list.d/debian.sources": "Types: deb\nURIs: " + firm + "\nSuites: trixie trixie-updates\nComponents: main\nSigned-By: /x\n"}, firm},
		"deb822, last field": {map[string]string{"sources.list.d/debian.sources": "Components: main\nSuites: trixie\nURIs: " + firm + "\nTypes: deb"}, firm},
		"deb822, lower case": {map[string]string{"sources.list.d/debian.sources": "types: deb\nuris: " + firm + "\nsuites: trixie\ncomponents: main\n"}, firm},
		"deb822, two":        {map[string]string{"sources.list.d/debian.sources": "Types: deb\nURIs: http://x.example/debian-security " + firm + "\nSuites: bookworm\nComponents: main\n"}, firm},
		"deb822, comments":   {map[string]string{"sources.list.d/debian.sources": "# was: http://x.example/debian\nTypes: deb\n# URIs: http://x.example/debian\nURIs: " + firm + "\nSuites: trixie\nComponents: main\n"}, firm},
		"deb822, second stanza": {map[string]string{"sources.list.d/a.sources": "Types: deb\nURIs: https://vendor.example/debian\nSuites: stable\nComponents: vendor\n\n" +
			"Types: deb\nURIs: " + firm + "\nSuites: trixie\nComponents: main\n"}, firm},
		"main file first": {map[string]string{"sources.list": "deb " + firm + " trixie main\n", "sources.list.d/a.list": "deb http://x.example/debian trixie main\n"}, firm},

		"comment":           {map[string]string{"sources.list": "# deb " + firm + " trixie main\n#deb " + firm + " trixie main\n"}, bd.Mirror},
		"sources alone":     {map[string]string{"sources.list": "deb-src " + firm + " trixie main\n"}, bd.Mirror},
		"deb822 sources":    {map[string]string{"sources.list.d/a.sources": "Types: deb-src\nURIs: " + firm + "\nSuites: trixie\nComponents: main\n"}, bd.Mirror},
		"switched off":      {map[string]string{"sources.list.d/a.sources": "Enabled: no\nTypes: deb\nURIs: " + firm + "\nSuites: trixie\nComponents: main\n"}, bd.Mirror},
		"apt reads it not":  {map[string]string{"sources.list.d/a.list.save": "deb " + firm + " trixie main\n"}, bd.Mirror},
		"vendor, no main":   {map[string]string{"sources.list": "deb https://vendor.example/linux/debian bookworm stable\n"}, bd.Mirror},
		"vendor, own suite": {map[string]string{"sources.list": "deb https://vendor.example/debian nodistro main\ndeb https://vendor.example/debian/ any-version main\n"}, bd.Mirror},
		"vendor, deb822":    {map[string]string{"sources.list.d/v.sources": "Types: deb\nURIs: https://vendor.example/debian\nSuites: vendor-stable\nComponents: main\n"}, bd.Mirror},
		"other path":        {map[string]string{"sources.list": "deb https://vendor.example/apt bookworm main\ndeb http://x.example/debian-security trixie main\n"}, bd.Mirror},
		"stanza is over": {map[string]string{"sources.list.d/a.sources": "Types: deb\nURIs: " + firm + "\nSuites: vendor\nComponents: main\n\n" +
			"Suites: trixie\n"}, bd.Mirror},
		"cdrom":     {map[string]string{"sources.list": "deb cdrom:[Debian GNU/Linux]/ trixie main\ndeb\ndeb [\n"}, bd.Mirror},
		"a file":    {map[string]string{"sources.list": "deb file:///srv/debian trixie main\n"}, bd.Mirror},
		"ubuntu":    {map[string]string{"sources.list": "deb http://archive.example/ubuntu noble main\n"}, bd.Mirror},
		"no values": {map[string]string{"sources.list.d/a.sources": "Types:\nURIs:\nSuites:\nComponents:\n"}, bd.Mirror},
	} {
		t.Run(name, func(t *testing.T) {
			apt := t.TempDir()
			for file, text := range c.files {
				file = filepath.Join(apt, file)
				if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte(text), 0o644)); err != nil {
					t.Fatal(err)
				}
			}
			if got := mirror("", apt); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
			if got := mirror("http://mine.example/d/", apt); got != "http://mine.example/d" {
				t.Errorf("DEBIAN_MIRROR does not win: %s", got)
			}
		})
	}
}

// environment sets the variables that Read looks at, and empties the others of them.
func environment(t *testing.T, set map[string]string) {
	t.Helper()
	t.Chdir(t.TempDir())
	for _, name := range []string{"TCAPFLOW_CACHE", "TCAPFLOW_BASE", "TCAPFLOW_REGISTRY", "ALPINE_MIRROR", "DEBIAN_MIRROR", "CI", "TERM", "NO_COLOR", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy", "SSL_CERT_FILE", "XDG_CACHE_HOME"} {
		t.Setenv(name, set[name])
	}
	t.Setenv("HOME", "/home/user")
}

func TestReadDefaults(t *testing.T) {
	environment(t, nil)
	o, err := Read(Args{})
	if err != nil {
		t.Fatal(err)
	}
	root, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	if o.Root != root || o.Out != filepath.Join(root, "out") || o.Dist != filepath.Join(root, "dist") || o.Cache != "/home/user/.cache/tcapflow" {
		t.Errorf("folders: %+v", o)
	}
	if o.Base != "auto" || o.Locked || o.Debug || o.JSON || !o.Live || o.Colour || len(o.Proxy) > 0 || o.RegistryPrefix != "" || !slices.Equal(build.Names(o.Targets), build.Names(build.Targets)) {
		t.Errorf("settings: %+v", o)
	}
}

func TestReadEnvironment(t *testing.T) {
	environment(t, map[string]string{
		"TCAPFLOW_CACHE": "/cache", "TCAPFLOW_BASE": "alpine", "TCAPFLOW_REGISTRY": "registry.firm.example", "ALPINE_MIRROR": "http://alpine.example",
		"DEBIAN_MIRROR": firm + "/", "CI": "true", "HTTPS_PROXY": "http://proxy.example:3128",
	})
	o, err := Read(Args{})
	if err != nil {
		t.Fatal(err)
	}
	if o.Cache != "/cache" || o.Base != "alpine" || o.RegistryPrefix != "registry.firm.example" || o.AlpineMirror != "http://alpine.example" || o.Mirror != firm || o.Live {
		t.Errorf("got %+v", o)
	}
	if len(o.CA) > 0 || len(o.Proxy) != 1 || o.Proxy["HTTPS_PROXY"] != "http://proxy.example:3128" {
		t.Errorf("proxy %v", o.Proxy)
	}
	// Lower case is what curl and apt read; where both are set, upper case counts.
	t.Setenv("https_proxy", "http://other.example")
	t.Setenv("no_proxy", "localhost")
	bundle := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(bundle, []byte("PEM"), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SSL_CERT_FILE", bundle)
	if o, err = Read(Args{}); err != nil || o.Proxy["HTTPS_PROXY"] != "http://proxy.example:3128" || o.Proxy["NO_PROXY"] != "localhost" || string(o.CA) != "PEM" {
		t.Errorf("proxy %v, CA %q, %v", o.Proxy, o.CA, err)
	}
	base, yes := "debian", true
	if o, err = Read(Args{Base: &base, Locked: &yes, Debug: &yes, JSON: &yes}); err != nil || o.Base != "debian" || !o.Locked || !o.Debug || !o.JSON {
		t.Errorf("arguments do not win: %+v, %v", o, err)
	}
	t.Setenv("CI", "")
	t.Setenv("TERM", "dumb")
	if o, err = Read(Args{}); err != nil || o.Live {
		t.Errorf("a status line on a dumb terminal: %v", err)
	}
}

func TestReadTargets(t *testing.T) {
	environment(t, nil)
	for names, want := range map[string]string{
		"linux/arm64":                       "linux/arm64",
		"linux/arm/v7, linux/amd64":         "linux/amd64 linux/arm/v7", // in the table's order
		"linux/386,linux/386":               "linux/386",
		"":                                  strings.Join(build.Names(build.Targets), " "),
		"linux/amd64,linux/arm64,linux/vax": `unknown target "linux/vax"; known: ` + strings.Join(build.Names(build.Targets), ", "),
		"amd64":                             `unknown target "amd64"`,
		"linux/arm":                         `unknown target "linux/arm"`,
		"LINUX/AMD64":                       `unknown target "LINUX/AMD64"`,
		"linux/amd64,":                      `unknown target ""`,
		"linux/arm/v6":                      "target linux/arm/v6 is left out: " + build.LeftOut["linux/arm/v6"],
	} {
		t.Run(names, func(t *testing.T) {
			o, err := Read(Args{Targets: &names})
			if err == nil {
				if got := strings.Join(build.Names(o.Targets), " "); got != want {
					t.Errorf("got %s, want %s", got, want)
				}
				return
			}
			var f *fault.Error
			if !errors.As(err, &f) || f.Code != fault.Usage || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "mage targets") {
				t.Errorf("got %v, want %s", err, want)
			}
		})
	}
}

func TestReadRefuses(t *testing.T) {
	for name, c := range map[string]struct{ variable, value, says string }{
		"base":      {"TCAPFLOW_BASE", "arch", `"arch"; known: auto, alpine, debian`},
		"no home":   {"HOME", "", "TCAPFLOW_CACHE"},
		"mirror":    {"DEBIAN_MIRROR", "mirror.example/debian", `"mirror.example/debian"`},
		"no bundle": {"SSL_CERT_FILE", "/none/ca.pem", "/none/ca.pem"},
	} {
		t.Run(name, func(t *testing.T) {
			environment(t, nil)
			t.Setenv(c.variable, c.value)
			var f *fault.Error
			if _, err := Read(Args{}); !errors.As(err, &f) || f.Code != fault.Usage || f.Next == "" || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestList(t *testing.T) {
	some, none := "a,b", ""
	if got := List(&some); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("got %q", got)
	}
	if List(nil) != nil || List(&none) != nil {
		t.Error("an option that was not given is not empty")
	}
}

func TestEngineCache(t *testing.T) {
	for text, want := range map[string]int64{"": 10e9, "10GB": 10e9, "1.5GB": 15e8, "8GiB": 8 << 30, "512MiB": 512 << 20, "2000000000": 2e9, "20 g": 20e9} {
		t.Setenv("TCAPFLOW_ENGINE_CACHE", text)
		if o, err := Read(Args{}); err != nil || o.Keep != want {
			t.Errorf("%q is %d bytes, %v; want %d", text, o.Keep, err, want)
		}
	}
	for _, text := range []string{"much", "0", "-1GB", "10 gigabytes"} {
		t.Setenv("TCAPFLOW_ENGINE_CACHE", text)
		var got *fault.Error
		if _, err := Read(Args{}); !errors.As(err, &got) || got.Code != fault.Usage || !strings.Contains(err.Error(), "TCAPFLOW_ENGINE_CACHE") {
			t.Errorf("%q: %v", text, err)
		}
	}
}
