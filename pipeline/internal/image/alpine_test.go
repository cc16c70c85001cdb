package image

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/tcapflow/tcapflow/build"
	"github.com/tcapflow/tcapflow/build/defaults"

	"github.com/tcapflow/tcapflow/build/alpine"
	"github.com/tcapflow/tcapflow/pipeline/internal/engine"
	"github.com/tcapflow/tcapflow/pipeline/internal/fault"
	"github.com/tcapflow/tcapflow/spec"
)

var update = flag.Bool("update", false, "write golden files")

func alpineBase(t *testing.T) AlpineBase {
	t.Helper()
	lock, err := ParseAlpineLock(alpine.Base.Lock)
	if err != nil {
		t.Fatal(err)
	}
	return AlpineBase{Spec: alpine.Base, Lock: lock, Toolchain: Toolchain{Version: "go1.26.8"}}
}

func TestAlpineLock(t *testing.T) {
	lock := alpineBase(t).Lock
	if !strings.HasPrefix(lock.Image, "alpine:") {
		t.Errorf("lock.json names %q, want a tag of alpine", lock.Image)
	}
	lock.Digest = "sha256:00"
	if want := lock.Image + "@sha256:00"; lock.image() != want {
		t.Errorf("image with a digest is %q, want %q", lock.image(), want)
	}
}

// A key changes with what a binary can see, and with nothing else.
func TestAlpineKeys(t *testing.T) {
	amd64 := func(t *testing.T, a AlpineBase, arch string, targets []spec.Target) string {
		t.Helper()
		b, err := a.Builder(arch, targets)
		if err != nil {
			t.Fatal(err)
		}
		if len(b.Keys) != len(targets) || b.Base != "alpine" || b.Arch != arch {
			t.Fatalf("Builder is %+v", b)
		}
		return b.Keys["linux/amd64"]
	}
	base := amd64(t, alpineBase(t), "amd64", defaults.Targets.Built)
	for _, test := range []struct {
		name    string
		edit    func(*AlpineBase)
		arch    string
		targets []spec.Target
		same    bool
	}{
		{name: "nothing", same: true},
		{name: "fewer targets", targets: defaults.Targets.Built[:1], same: true},
		{name: "mirror", edit: func(a *AlpineBase) { a.Mirror = "https://mirror.example/alpine" }, same: true},
		{name: "registry", edit: func(a *AlpineBase) { a.RegistryPrefix = "registry.example" }, same: true},
		{name: "proxy", edit: func(a *AlpineBase) { a.Proxy, a.CA = map[string]string{"HTTPS_PROXY": "x"}, []byte("x") }, same: true},
		{name: "go", edit: func(a *AlpineBase) { a.Toolchain.Version = "go1.26.9" }},
		{name: "image", edit: func(a *AlpineBase) { a.Lock.Image = "alpine:edge" }},
		{name: "digest", edit: func(a *AlpineBase) { a.Lock.Digest = "sha256:00" }},
		{name: "engine's architecture", arch: "arm64"},
	} {
		t.Run(test.name, func(t *testing.T) {
			a, arch, targets := alpineBase(t), "amd64", defaults.Targets.Built
			if test.edit != nil {
				test.edit(&a)
			}
			if test.arch != "" {
				arch = test.arch
			}
			if test.targets != nil {
				targets = test.targets
			}
			if got := amd64(t, a, arch, targets); (got == base) != test.same {
				t.Errorf("key %s, before %s: want same %v", got, base, test.same)
			}
		})
	}
}

func TestAlpineArguments(t *testing.T) {
	a := alpineBase(t)
	a.RegistryPrefix, a.Mirror = "registry.example", "https://mirror.example/alpine"
	a.Proxy = map[string]string{"HTTPS_PROXY": "http://proxy.example:3128"}
	targets, err := defaults.Targets.Select("linux/amd64,linux/arm/v7")
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for name, value := range a.arguments(targets) {
		got[name] = *value
	}
	want := map[string]string{
		"REGISTRY_PREFIX": "registry.example/library/",
		"ALPINE_IMAGE":    a.Lock.Image,
		"ALPINE_MIRROR":   "https://mirror.example/alpine",
		"TARGETS":         "linux/amd64:x86_64-linux-musl:x86_64 linux/arm/v7:arm-linux-musleabihf:armv7",
		"HTTPS_PROXY":     "http://proxy.example:3128",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
}

func TestReason(t *testing.T) {
	for text, want := range map[string]string{
		`Get "https://registry-1.docker.io/v2/": dial tcp: lookup registry-1.docker.io on 192.0.2.1:53: no such host`:                           "no such host",
		"pull access denied for x, repository does not exist or may require 'docker login': denied: requested access to the resource is denied": "requested access to the resource is denied",
		"unexpected EOF\n": "unexpected EOF",
	} {
		if got := reason(errors.New(text)); got != want {
			t.Errorf("%s\n\tgot %q, want %q", text, got, want)
		}
	}
	if got := reason(context.DeadlineExceeded); got != "no answer within 15s" {
		t.Errorf("timeout: %q", got)
	}
}

func TestFollow(t *testing.T) {
	const docker = `{"errorDetail":{"code":%,"message":"x"},"error":"The command '/bin/sh -c sh /builder/install.sh' returned a non-zero code: %"}`
	for _, test := range []struct {
		name, messages string
		code           fault.Code
		log            string
	}{
		{name: "built", messages: `{"stream":"Step 1/2 : FROM x\n"}{"aux":{"ID":"sha256:00"}}`},
		{name: "mirror", messages: `{"stream":"Step 1/2 : FROM x\n"}{"stream":"Step 2/2 : RUN x\n"}{"stream":"\u001b[91mWARNING: DNS lookup error\n\u001b[0m"}` + strings.ReplaceAll(docker, "%", "4"), code: fault.Fetch, log: "Step 2/2 : RUN x\nWARNING: DNS lookup error"},
		{name: "mirror, podman", messages: `{"error":"building at STEP \"RUN x\": while running runtime: exit status 4"}`, code: fault.Fetch},
		{name: "script", messages: strings.ReplaceAll(docker, "%", "1"), code: fault.Failed},
		{name: "status 14", messages: strings.ReplaceAll(docker, "%", "14"), code: fault.Failed},
		{name: "broken off", messages: `{"stream":"Step`, code: fault.Engine},
		{name: "long log", messages: strings.Repeat(`{"stream":"line\n"}`, 100) + strings.ReplaceAll(docker, "%", "1"), code: fault.Failed, log: strings.TrimSpace(strings.Repeat("line\n", logTail))},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := follow(strings.NewReader(test.messages))
			var failed *fault.Error
			switch errors.As(err, &failed); {
			case test.code == 0 && err != nil:
				t.Fatal(err)
			case test.code != 0 && (failed == nil || failed.Code != test.code || failed.Log != test.log):
				t.Errorf("got %#v\nwant code %d, log %q", failed, test.code, test.log)
			}
		})
	}
}

// eachShell runs a test with the scripts' two shells: busybox with nothing but its own
// programs, as in Alpine, and the host's.
func eachShell(t *testing.T, test func(t *testing.T, script func(args ...string) ([]byte, error))) {
	scripts := t.TempDir()
	if err := alpineBase(t).eachFile(func(name string, text []byte) error {
		return os.WriteFile(filepath.Join(scripts, name), text, 0o644)
	}); err != nil {
		t.Fatal(err)
	}
	run := func(sh, path string) func(args ...string) ([]byte, error) {
		return func(args ...string) ([]byte, error) {
			cmd := exec.Command(sh, args...)
			cmd.Dir, cmd.Env = scripts, []string{"PATH=" + path}
			var stderr strings.Builder
			cmd.Stderr = &stderr
			out, err := cmd.Output()
			if err != nil {
				err = errors.New(err.Error() + ": " + stderr.String())
			}
			return out, err
		}
	}
	t.Run("busybox", func(t *testing.T) {
		busybox, err := exec.LookPath("busybox")
		if err != nil {
			t.Skip("no busybox on this host (Debian: apt-get install busybox-static)")
		}
		path := t.TempDir()
		for _, applet := range []string{"sh", "awk", "sed", "sort", "tr", "cat", "cp", "mkdir"} {
			if err := os.Symlink(busybox, filepath.Join(path, applet)); err != nil {
				t.Fatal(err)
			}
		}
		test(t, run(filepath.Join(path, "sh"), path))
	})
	t.Run("host", func(t *testing.T) {
		sh, err := exec.LookPath("sh")
		if err != nil {
			t.Skip("no sh on this host")
		}
		test(t, run(sh, os.Getenv("PATH")))
	})
}

func TestInfoScript(t *testing.T) {
	testdata, err := filepath.Abs("testdata/alpine")
	if err != nil {
		t.Fatal(err)
	}
	golden := filepath.Join(testdata, "builder.json")
	eachShell(t, func(t *testing.T, script func(...string) ([]byte, error)) {
		got, err := script("info.sh", "3.24.1", filepath.Join(testdata, "go.json"),
			"tools="+filepath.Join(testdata, "tools.installed"), "linux/arm/v7="+filepath.Join(testdata, "armv7.installed"))
		if err != nil {
			t.Fatal(err)
		}
		if *update {
			if err := os.WriteFile(golden, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != string(want) {
			t.Errorf("got %s\nwant %s", got, want)
		}
		var info Info
		if err := json.Unmarshal(got, &info); err != nil {
			t.Fatal(err)
		}
		if info.Base != "alpine" || info.Libc != "musl 1.2.6" || info.Go.Version != "go1.26.8" {
			t.Errorf("got %+v", info)
		}
	})
}

func TestSysrootScript(t *testing.T) {
	const gcc = "usr/lib/gcc/armv7-alpine-linux-musleabihf/15.2.0/"
	whole := []string{
		"usr/include/stdio.h", "usr/include/linux/if_packet.h", "lib/ld-musl-armhf.so.1",
		"usr/lib/crt1.o", "usr/lib/rcrt1.o", "usr/lib/crti.o", "usr/lib/crtn.o", "usr/lib/libc.a", "usr/lib/libgomp.so.1", "usr/bin/gcc",
		gcc + "crtbeginS.o", gcc + "crtendS.o", gcc + "libgcc.a", gcc + "libgcc_eh.a", gcc + "liblto_plugin.so",
	}
	for _, test := range []struct{ name, without, problem string }{
		{name: "whole"},
		{name: "no musl-dev", without: "usr/lib/rcrt1.o", problem: "no lib/rcrt1.o"},
		{name: "no libgcc", without: gcc + "libgcc.a", problem: "not one libgcc.a"},
		{name: "no unwinder", without: gcc + "libgcc_eh.a", problem: "libgcc_eh.a"},
	} {
		t.Run(test.name, func(t *testing.T) {
			eachShell(t, func(t *testing.T, script func(...string) ([]byte, error)) {
				stage, sysroot := t.TempDir(), filepath.Join(t.TempDir(), "sysroot")
				for _, name := range whole {
					if name == test.without {
						continue
					}
					if err := os.MkdirAll(filepath.Join(stage, filepath.Dir(name)), 0o755); err != nil {
						t.Fatal(err)
					}
					if err := os.WriteFile(filepath.Join(stage, name), []byte(name), 0o644); err != nil {
						t.Fatal(err)
					}
				}
				if err := os.Symlink("../../lib/ld-musl-armhf.so.1", filepath.Join(stage, "usr/lib/libc.so")); err != nil {
					t.Fatal(err)
				}
				_, err := script("sysroot.sh", stage, sysroot, "arm-linux-musleabihf")
				if test.problem != "" {
					if err == nil || !strings.Contains(err.Error(), test.problem) {
						t.Fatalf("got %v, want an error with %q", err, test.problem)
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				want := []string{
					"usr/include/linux/if_packet.h", "usr/include/stdio.h",
					"usr/lib/crt1.o", "usr/lib/crti.o", "usr/lib/crtn.o",
					"usr/lib/gcc/arm-linux-musleabihf/15.2.0/crtbeginS.o", "usr/lib/gcc/arm-linux-musleabihf/15.2.0/crtendS.o",
					"usr/lib/gcc/arm-linux-musleabihf/15.2.0/libgcc.a", "usr/lib/gcc/arm-linux-musleabihf/15.2.0/libgcc_eh.a",
					"usr/lib/libc.a", "usr/lib/libc.so", "usr/lib/rcrt1.o",
				}
				if got := regularFiles(t, sysroot); !slices.Equal(got, want) {
					t.Errorf("got %q\nwant %q", got, want)
				}
			})
		})
	}
}

// regularFiles lists the regular files below a folder, in order.
func regularFiles(t *testing.T, root string) []string {
	t.Helper()
	var names []string
	if err := fs.WalkDir(os.DirFS(root), ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			names = append(names, name)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return names
}

// testEngine connects to an engine where tests may use one.
func testEngine(t *testing.T) *engine.Engine {
	t.Helper()
	if os.Getenv("TCAPFLOW_TEST_ENGINE") != "1" {
		t.Skip("uses a container engine: set TCAPFLOW_TEST_ENGINE=1")
	}
	e, err := engine.Connect(t.Context(), t.TempDir(), build.Project.Namespace)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestAlpineUnavailable(t *testing.T) {
	e := testEngine(t)
	a := alpineBase(t)
	a.RegistryPrefix = "127.0.0.1:1"
	ok, why := a.Available(t.Context(), e)
	if want := "127.0.0.1:1/library/" + a.Lock.image() + " cannot be pulled: "; ok || !strings.HasPrefix(why, want) || strings.Contains(why, "\n") {
		t.Errorf("got %v, %q; want one line that begins %q", ok, why, want)
	}
	_, err := a.Ensure(t.Context(), e, defaults.Targets.Built[:1], func() {})
	var failed *fault.Error
	if !errors.As(err, &failed) || failed.Code != fault.Fetch {
		t.Errorf("Ensure: got %v, want exit code %d", err, fault.Fetch)
	}
}

// The builder is built and links a static-PIE for each target.
func TestAlpineEnsure(t *testing.T) {
	e := testEngine(t)
	a := alpineBase(t)
	a.Temp = t.TempDir()
	if ok, why := a.Available(t.Context(), e); !ok {
		t.Skip(why)
	}
	b, err := a.Ensure(t.Context(), e, defaults.Targets.Built, func() { t.Log("building") })
	var failed *fault.Error
	if errors.As(err, &failed) && failed.Code == fault.Fetch {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	c, err := e.Start(t.Context(), engine.Spec{Image: b.Ref, Cmd: []string{"sleep", "600"}, Tmpfs: map[string]string{"/tmp": "exec"}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Remove(t.Context())
	for _, target := range defaults.Targets.Built {
		t.Run(target.Name, func(t *testing.T) {
			words := append([]string{"cc", "--target=" + target.Triple, "--sysroot=/sysroot/" + target.Triple, "-static-pie", "-fuse-ld=lld", "-rtlib=libgcc"}, target.CFlags...)
			if _, err := c.Output(t.Context(), "sh", "-c", "echo '#include <linux/if_packet.h>\nint main(void) { return 0; }' >/tmp/x.c && "+strings.Join(words, " ")+" -o /out/x /tmp/x.c"); err != nil {
				t.Error(err)
			}
		})
	}
	text, err := c.GetFile(t.Context(), "/etc/builder.json", 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	var info Info
	if err := json.Unmarshal(text, &info); err != nil || info.Base != "alpine" || info.Go.Version != a.Toolchain.Version {
		t.Errorf("builder.json: %v\n%s", err, text)
	}
}
