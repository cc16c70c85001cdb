package options

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tcapflow/tcapflow/build"
	"github.com/tcapflow/tcapflow/build/defaults"

	"github.com/tcapflow/tcapflow/pipeline/internal/fault"
	"github.com/tcapflow/tcapflow/spec"
)

// environment sets the variables that Read looks at, and empties the others of them.
func environment(t *testing.T, set map[string]string) {
	t.Helper()
	t.Chdir(t.TempDir())
	for _, name := range []string{"TCAPFLOW_CACHE", "TCAPFLOW_BASE", "TCAPFLOW_REGISTRY", "TCAPFLOW_NATIVES", "ALPINE_MIRROR", "DEBIAN_MIRROR", "DEBIAN_SNAPSHOT", "CI", "TERM", "NO_COLOR", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy", "SSL_CERT_FILE", "XDG_CACHE_HOME"} {
		t.Setenv(name, set[name])
	}
	t.Setenv("HOME", "/home/user")
}

func TestReadDefaults(t *testing.T) {
	environment(t, nil)
	o, err := Read(build.Project, Args{})
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
	if o.Base != "auto" || o.Locked || o.Debug || o.JSON || !o.Live || o.Colour || o.RegistryPrefix != "" || o.Natives != nil || !slices.Equal(spec.Names(o.Targets), spec.Names(defaults.Targets.Built)) {
		t.Errorf("settings: %+v", o)
	}
}

func TestReadEnvironment(t *testing.T) {
	environment(t, map[string]string{
		"TCAPFLOW_CACHE": "/cache", "TCAPFLOW_BASE": "alpine", "TCAPFLOW_REGISTRY": "registry.firm.example", "ALPINE_MIRROR": "http://alpine.example/", "TCAPFLOW_NATIVES": "amd64,386",
		"DEBIAN_MIRROR": firm + "/", "CI": "true",
	})
	o, err := Read(build.Project, Args{})
	if err != nil {
		t.Fatal(err)
	}
	if o.Cache != "/cache" || o.Base != "alpine" || o.RegistryPrefix != "registry.firm.example" || !slices.Equal(o.AlpineMirrors, []string{"http://alpine.example"}) || !slices.Equal(o.Mirrors, []string{firm}) || o.Live {
		t.Errorf("got %+v", o)
	}
	if !slices.Equal(o.Natives, []string{"amd64", "386"}) {
		t.Errorf("natives %q", o.Natives)
	}
	base, yes := "debian", true
	if o, err = Read(build.Project, Args{Base: &base, Locked: &yes, Debug: &yes, JSON: &yes}); err != nil || o.Base != "debian" || !o.Locked || !o.Debug || !o.JSON {
		t.Errorf("arguments do not win: %+v, %v", o, err)
	}
	t.Setenv("CI", "")
	t.Setenv("TERM", "dumb")
	if o, err = Read(build.Project, Args{}); err != nil || o.Live {
		t.Errorf("a status line on a dumb terminal: %v", err)
	}
}

func TestReadTargets(t *testing.T) {
	environment(t, nil)
	for names, want := range map[string]string{
		"linux/arm64":                       "linux/arm64",
		"linux/arm/v7, linux/amd64":         "linux/amd64 linux/arm/v7", // in the table's order
		"linux/386,linux/386":               "linux/386",
		"":                                  strings.Join(spec.Names(defaults.Targets.Built), " "),
		"linux/amd64,linux/arm64,linux/vax": `unknown target "linux/vax"; known: ` + strings.Join(spec.Names(defaults.Targets.Built), ", "),
		"amd64":                             `unknown target "amd64"`,
		"linux/arm":                         `unknown target "linux/arm"`,
		"LINUX/AMD64":                       `unknown target "LINUX/AMD64"`,
		"linux/amd64,":                      `unknown target ""`,
		"linux/arm/v6":                      "target linux/arm/v6 is left out: " + defaults.Targets.LeftOut["linux/arm/v6"],
	} {
		t.Run(names, func(t *testing.T) {
			o, err := Read(build.Project, Args{Targets: &names})
			if err == nil {
				if got := strings.Join(spec.Names(o.Targets), " "); got != want {
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
		"base":               {"TCAPFLOW_BASE", "arch", `"arch"; known: auto, alpine, debian`},
		"natives":            {"TCAPFLOW_NATIVES", "amd64,i386", `"i386"; known: amd64, 386, `},
		"no home":            {"HOME", "", "TCAPFLOW_CACHE"},
		"mirror":             {"DEBIAN_MIRROR", "mirror.example/debian", `"mirror.example/debian"`},
		"alpine mirror":      {"ALPINE_MIRROR", "mirror.example", `ALPINE_MIRROR is "mirror.example"`},
		"one of two mirrors": {"DEBIAN_MIRROR", firm + ", mirror.example", `"mirror.example"`},
		"snapshot":           {"DEBIAN_SNAPSHOT", "no", `DEBIAN_SNAPSHOT is "no"`},
		"no bundle":          {"SSL_CERT_FILE", "/none/ca.pem", "/none/ca.pem"},
	} {
		t.Run(name, func(t *testing.T) {
			environment(t, nil)
			t.Setenv(c.variable, c.value)
			var f *fault.Error
			if _, err := Read(build.Project, Args{}); !errors.As(err, &f) || f.Code != fault.Usage || f.Next == "" || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestEngineCache(t *testing.T) {
	for text, want := range map[string]int64{"": 10e9, "10GB": 10e9, "1.5GB": 15e8, "8GiB": 8 << 30, "512MiB": 512 << 20, "2000000000": 2e9, "20 g": 20e9} {
		t.Setenv("TCAPFLOW_ENGINE_CACHE", text)
		if o, err := Read(build.Project, Args{}); err != nil || o.Keep != want {
			t.Errorf("%q is %d bytes, %v; want %d", text, o.Keep, err, want)
		}
	}
	for _, text := range []string{"much", "0", "-1GB", "10 gigabytes"} {
		t.Setenv("TCAPFLOW_ENGINE_CACHE", text)
		var got *fault.Error
		if _, err := Read(build.Project, Args{}); !errors.As(err, &got) || got.Code != fault.Usage || !strings.Contains(err.Error(), "TCAPFLOW_ENGINE_CACHE") {
			t.Errorf("%q: %v", text, err)
		}
	}
}
