package config

import (
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// values are the flags of the tests.
type values struct {
	hold    time.Duration
	max     int
	quiet   bool
	gt      []string
	config  string
	origins map[string]string
}

func fill(t testing.TB, args, environ []string, file string) (*values, error) {
	t.Helper()
	if file != "" {
		name := filepath.Join(t.TempDir(), "c.yaml")
		if err := os.WriteFile(name, []byte(file), 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, "-config", name)
	}
	v := &values{}
	f := flag.NewFlagSet("test", flag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.DurationVar(&v.hold, "hold", 2*time.Second, "")
	f.IntVar(&v.max, "max-dialogues", 5, "")
	f.BoolVar(&v.quiet, "quiet", false, "")
	f.Func("gt", "", func(s string) error { v.gt = append(v.gt, s); return nil })
	f.StringVar(&v.config, FileFlag, "", "")
	if err := f.Parse(args); err != nil {
		t.Fatal(err)
	}
	known := []string{"hold", "max-dialogues", "quiet", "gt", "port", "other", FileFlag}
	s := Source{Prefix: "X_", Environ: environ, Known: known}
	var err error
	v.origins, err = s.Fill(f)
	return v, err
}

func TestPrecedence(t *testing.T) {
	file := "# all of it\nhold: 3s\nmax-dialogues: 30\nquiet: true\ngt: [1, '02']\nother: of another command\n"
	v, err := fill(t, []string{"-hold", "1s"}, []string{"X_HOLD=9s", "X_MAX_DIALOGUES=20", "HOLD=1m", "X=y"}, file)
	if err != nil {
		t.Fatal(err)
	}
	if v.hold != time.Second || v.max != 20 || !v.quiet || strings.Join(v.gt, " ") != "1 02" {
		t.Errorf("%+v", v)
	}
	if v.origins["max-dialogues"] != "X_MAX_DIALOGUES" || !strings.HasSuffix(v.origins["quiet"], "c.yaml:4") ||
		v.origins["hold"] != "" {
		t.Errorf("origins %v", v.origins)
	}
}

// TestFileFromEnvironment has the variable name the file.
func TestFileFromEnvironment(t *testing.T) {
	name := filepath.Join(t.TempDir(), "c.yaml")
	if err := os.WriteFile(name, []byte("hold: 7s"), 0o600); err != nil {
		t.Fatal(err)
	}
	v, err := fill(t, nil, []string{"X_CONFIG=" + name}, "")
	if err != nil || v.hold != 7*time.Second {
		t.Errorf("%+v, %v", v, err)
	}
}

func TestRefused(t *testing.T) {
	for file, want := range map[string]string{
		"hold: 1s\nhodl: 2s":         `c.yaml:2: unknown key "hodl": is it "hold"?`,
		"zzzzzz: 2s":                 "c.yaml:1: unknown key \"zzzzzz\": `tcapflow-client config`",
		"\nhold: soon":               `c.yaml:2: hold: "soon": parse error`,
		"hold:":                      "c.yaml:1: hold: want a value",
		"hold: {a: b}":               "c.yaml:1: hold: want a value",
		"hold: 1s\nhold: 2s":         "c.yaml:2: hold: stands there twice, first at",
		"config: x.yaml":             `c.yaml:1: unknown key "config"`,
		"- hold":                     "c.yaml:1: want lines",
		"hold: 'x":                   "c.yaml: ",
		"hold: &a 1s\nother: *a":     "c.yaml:2: other: want a value",
		strings.Repeat("#", 1<<19):   "larger than",
		"? [a, b]\n: 1":              "unknown key",
		"quiet: !!binary x\nhold: 1": "quiet",
	} {
		_, err := fill(t, nil, nil, file)
		if !errors.Is(err, ErrValue) || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%.20q: %v, want %s", file, err, want)
		}
	}
	if _, err := fill(t, []string{"-config", filepath.Join(t.TempDir(), "none")}, nil, ""); !os.IsNotExist(err) {
		t.Errorf("no file: %v", err)
	}
	if _, err := fill(t, nil, []string{"X_HODL=1s"}, ""); err == nil ||
		!strings.Contains(err.Error(), `environment: unknown key "X_HODL": is it "X_HOLD"?`) {
		t.Errorf("unknown variable: %v", err)
	}
	if _, err := fill(t, nil, []string{"X_HOLD=soon"}, ""); err == nil || !strings.Contains(err.Error(), "X_HOLD") {
		t.Errorf("wrong value: %v", err)
	}
}

// TestServiceLinks has what Kubernetes gives a pod beside a service called "x".
func TestServiceLinks(t *testing.T) {
	_, err := fill(t, nil, []string{"X_SERVICE_HOST=10.0.0.1", "X_SERVICE_PORT=9145", "X_SERVICE_PORT_METRICS=9145",
		"X_PORT=tcp://10.0.0.1:9145", "X_PORT_9145_TCP=tcp://10.0.0.1:9145", "X_PORT_9145_TCP_ADDR=10.0.0.1"}, "")
	if err != nil {
		t.Error(err)
	}
}

func TestEmptyFile(t *testing.T) {
	for _, file := range []string{"# nothing\n", "---\n", "~"} {
		if _, err := fill(t, nil, nil, file); err != nil {
			t.Errorf("%q: %v", file, err)
		}
	}
}

// FuzzParse has no file crash the program, or give a setting without a value's type.
func FuzzParse(f *testing.F) {
	f.Add([]byte("hold: 1s\ngt: [1, 2]\n"))
	f.Add([]byte("a: &a [*a]"))
	f.Add([]byte("? {x: y}\n: z"))
	f.Fuzz(func(t *testing.T, content []byte) {
		s := Source{Known: []string{"hold", "gt"}}
		settings, err := s.parse("f", content)
		if err != nil && !errors.Is(err, ErrValue) {
			t.Errorf("%v", err)
		}
		for _, one := range settings {
			if one.name != "hold" && one.name != "gt" {
				t.Errorf("%+v", one)
			}
		}
	})
}
