package doctor

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// compileC makes a program with the host's C compiler, which must be one for amd64.
func compileC(t *testing.T, flags ...string) []byte {
	t.Helper()
	gcc, err := exec.LookPath("gcc")
	if err != nil || runtime.GOARCH != "amd64" || runtime.GOOS != "linux" {
		t.Skipf("skipped: no C compiler for linux/amd64 here (%v)", err)
	}
	dir := t.TempDir()
	source, program := filepath.Join(dir, "main.c"), filepath.Join(dir, "program")
	const text = "#include <math.h>\n#include <stdlib.h>\nint main(int c, char **v) { return (int)sqrt(atof(v[0])); }\n"
	if err := os.WriteFile(source, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	args := append([]string{"-O0", "-o", program, source}, flags...)
	if out, err := exec.Command(gcc, append(args, "-lm")...).CombinedOutput(); err != nil {
		t.Skipf("skipped: gcc %q: %v: %s", flags, err, out)
	}
	return read(t, program)
}

// compileGo makes a program with the host's go.
func compileGo(t *testing.T, text string, env ...string) []byte {
	t.Helper()
	dir := t.TempDir()
	for name, content := range map[string]string{"go.mod": "module example.org/m\n\ngo 1.26\n", "main.go": text} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", "program", ".")
	cmd.Dir = dir
	cmd.Env = slices.Concat(os.Environ(), []string{"GOFLAGS=", "GOWORK=off", "GOOS=linux", "GOARCH=amd64", "CGO_ENABLED=0"}, env)
	if out, err := cmd.CombinedOutput(); err != nil {
		if slices.Contains(env, "CGO_ENABLED=1") {
			t.Skipf("skipped: no cgo here: %v: %s", err, out)
		}
		t.Fatalf("%v: %s", err, out)
	}
	return read(t, filepath.Join(dir, "program"))
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

const hello = "package main\n\nfunc main() { println(1) }\n"

// root is a root file system of regular files with mode 0755, and of links, which begin
// with "-> ".
func root(files map[string]string) fs.ReadLinkFS {
	m := fstest.MapFS{}
	for name, text := range files {
		m[name] = &fstest.MapFile{Data: []byte(text), Mode: 0o755}
		if to, ok := strings.CutPrefix(text, "-> "); ok {
			m[name] = &fstest.MapFile{Data: []byte(to), Mode: fs.ModeSymlink | 0o777}
		}
	}
	return m
}

// expect looks for findings that begin with "STATUS what: " and hold a text; none more.
func expect(t *testing.T, found []Finding, err error, want ...string) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range found {
		got = append(got, fmt.Sprintf("%s %s: %s", f.Status, f.What, f.Says))
		if f.Next == "" {
			t.Errorf("%s: no next step", f.Says)
		}
	}
	if len(got) != len(want) {
		t.Fatalf("found %q\nwant %q", got, want)
	}
	for i := range want {
		begins, has, _ := strings.Cut(want[i], ": ")
		if !strings.HasPrefix(got[i], begins+": ") || !strings.Contains(got[i], has) {
			t.Errorf("found %q, want %q", got[i], want[i])
		}
	}
}

const glibc = "lib64/ld-linux-x86-64.so.2"

func TestProgram(t *testing.T) {
	dynamic, static := compileC(t), compileC(t, "-static")
	forMusl := compileC(t, "-Wl,--dynamic-linker=/lib/ld-musl-x86_64.so.1")
	pure := compileGo(t, hello)
	for name, c := range map[string]struct {
		files map[string]string
		want  []string
	}{
		"healthy Go in an empty root": {map[string]string{"app": string(pure)}, nil},
		"by a link":                   {map[string]string{"app": "-> opt/real", "opt/real": string(pure)}, nil},
		"through a linked folder":     {map[string]string{"app": "-> /bin/real", "bin": "-> usr/bin", "usr/bin/real": string(pure)}, nil},
		"dangling link":               {map[string]string{"app": "-> /usr/lib/app"}, []string{"FAIL link: is a link to /usr/lib/app, which is not there"}},
		"links in a circle":           {map[string]string{"app": "-> other", "other": "-> app"}, []string{"FAIL link: is a link to other"}},
		"nothing there":               {map[string]string{"other": ""}, []string{"FAIL file: does not exist"}},
		"script without its shell":    {map[string]string{"app": "#!/bin/bash\necho"}, []string{"FAIL script: script for /bin/bash, which is not there"}},
		"script with its shell":       {map[string]string{"app": "#!/bin/sh\necho", "bin/sh": "x"}, nil},
		"script of Windows":           {map[string]string{"app": "#!/bin/sh\r\necho", "bin/sh": "x"}, []string{"FAIL script: carriage return"}},
		"no program":                  {map[string]string{"app": "hello"}, []string{"FAIL file: exec format error"}},
		"cut short":                   {map[string]string{"app": string(pure[:300])}, []string{"FAIL file: damaged"}},
		"loader missing":              {map[string]string{"app": string(dynamic)}, []string{"FAIL interpreter: its loader /lib64/ld-linux-x86-64.so.2 is not in"}},
		"glibc on musl":               {map[string]string{"app": string(dynamic), "lib/ld-musl-x86_64.so.1": "x"}, []string{"FAIL interpreter: built for glibc"}},
		"musl on glibc":               {map[string]string{"app": string(forMusl), glibc: "x"}, []string{"FAIL interpreter: built for musl"}},
		"libraries missing": {map[string]string{"app": string(dynamic), glibc: "x", "lib/libc.so.6": "x"},
			[]string{"FAIL library: libm.so.6 is not in"}},
		"glibc too old": {map[string]string{"app": string(dynamic), glibc: "x", "usr/lib/x86_64-linux-gnu/libm.so.6": "x",
			"lib": "-> usr/lib", "usr/lib/x86_64-linux-gnu/libc.so.6": "GNU C Library (X 2.3-1) stable release version 2.3.\n"},
			[]string{"FAIL glibc: has 2.3: version `GLIBC_2."}},
		"glibc new enough": {map[string]string{"app": string(dynamic), glibc: "x", "lib64/libm.so.6": "x",
			"lib64/libc.so.6": "GNU C Library (X) stable release version 2.99.\n"}, nil},
		"glibc mixed into musl": {map[string]string{"app": string(forMusl), "lib/ld-musl-x86_64.so.1": "x", "lib/libm.so.6": "x", "lib/libc.so.6": "x"},
			[]string{"FAIL libc: both keep thread-local data at one place"}},
		"glibc linked in": {map[string]string{"app": string(static)}, []string{"warn libc: linked with glibc, statically"}},
	} {
		t.Run(name, func(t *testing.T) {
			found, err := Program(Place{Name: "the image", Root: root(c.files), GOARCH: []string{"amd64"}}, "/app", "")
			expect(t, found, err, c.want...)
		})
	}
}

func TestOtherMachine(t *testing.T) {
	files := root(map[string]string{"app": string(compileGo(t, hello, "GOARCH=arm64"))})
	found, err := Program(Place{Name: "the image", Root: files, GOARCH: []string{"amd64"}}, "app", "")
	expect(t, found, err, "FAIL machine: for arm64, and the image runs amd64 (exec format error)")
	found, err = Program(Place{Name: "the image", Root: files, GOARCH: []string{"arm64"}}, "app", "")
	expect(t, found, err)
}

// A build that was meant to do without C, and the packages that brought it in.
func TestCgo(t *testing.T) {
	program := compileGo(t, "package main\n\nimport (\n\"net\"\n\"os/user\"\n)\n\n"+
		"func main() { net.LookupHost(\"x\"); user.Current() }\n", "CGO_ENABLED=1")
	files := map[string]string{"app": string(program), glibc: "x", "lib64/libc.so.6": "x", "lib64/libresolv.so.2": "x", "lib64/libpthread.so.0": "x"}
	found, err := Program(Place{Name: "the image", Root: root(files)}, "app", "")
	expect(t, found, err, "warn cgo: came with net, os/user", "warn net: host names are looked up through the C library",
		"warn os/user: users are looked up")
}

func TestMode(t *testing.T) {
	files := fstest.MapFS{"app": {Data: compileGo(t, hello), Mode: 0o644}}
	noExec := func(name string) bool { return name == "app" }
	found, err := Program(Place{Name: "here", Root: files, NoExec: noExec}, "app", "")
	expect(t, found, err, "FAIL mode: has mode 0644", "FAIL mount: mounted noexec")
}

// What runs here has no findings: programs of this host, and this test itself.
func TestHost(t *testing.T) {
	place, err := Host()
	if err != nil {
		t.Skipf("skipped: %v", err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{self, "/bin/ls", "/usr/bin/git", "/usr/bin/python3"} {
		if _, err := os.Stat(name); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		found, err := Program(place, name, "")
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, f := range found {
			if f.Status == Fail {
				t.Errorf("%s runs here, and: %+v", name, f)
			}
		}
	}
}

// The built binaries, where there are some, run in an empty image without a finding.
func TestBuilt(t *testing.T) {
	built, err := filepath.Glob("../../../out/linux_amd64/*")
	if err != nil || len(built) == 0 {
		t.Skipf("skipped: nothing is built in out/ (%v)", err)
	}
	for _, name := range built {
		found, err := Program(Place{Name: "x", Root: root(map[string]string{"app": string(read(t, name))}), GOARCH: []string{"amd64"}}, "app", "")
		expect(t, found, err)
	}
}

func imageOf(t *testing.T, config v1.Config, files map[string]string) v1.Image {
	t.Helper()
	var content bytes.Buffer
	if err := tarOf(&content, root(files)); err != nil {
		t.Fatal(err)
	}
	l, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(content.Bytes())), nil })
	if err == nil {
		var img v1.Image
		if img, err = mutate.AppendLayers(empty.Image, l); err == nil {
			file, _ := img.ConfigFile()
			file = file.DeepCopy()
			file.OS, file.Architecture, file.Config = "linux", "amd64", config
			if img, err = mutate.ConfigFile(img, file); err == nil {
				return img
			}
		}
	}
	t.Fatal(err)
	return nil
}

func TestInImage(t *testing.T) {
	tls := string(compileGo(t, "package main\n\nimport (\n\"net/http\"\n\"time\"\n)\n\n"+
		"func main() { http.Get(\"https://x\"); time.LoadLocation(\"Europe/Paris\") }\n"))
	pure := string(compileGo(t, hello))
	for name, c := range map[string]struct {
		config  v1.Config
		files   map[string]string
		program string
		message string
		want    []string
	}{
		"healthy":         {v1.Config{Entrypoint: []string{"/app"}}, map[string]string{"app": pure}, "", "", nil},
		"by PATH":         {v1.Config{Cmd: []string{"app"}}, map[string]string{"usr/bin/app": pure}, "", "", nil},
		"by its folder":   {v1.Config{Cmd: []string{"./app"}, WorkingDir: "/srv"}, map[string]string{"srv/app": pure}, "", "", nil},
		"nothing started": {v1.Config{}, map[string]string{"app": pure}, "", "", []string{"FAIL entry point: starts nothing"}},
		"no certificates, no time zones": {v1.Config{Entrypoint: []string{"/app"}}, map[string]string{"app": tls}, "", "",
			[]string{"warn certificates: no CA certificates", "warn time zones: has none"}},
		"with them": {v1.Config{Entrypoint: []string{"/app"}}, map[string]string{"app": tls,
			"etc/ssl/certs/ca-certificates.crt": "x", "usr/share/zoneinfo/UTC": "x"}, "", "", nil},
		"a user who may not bind": {v1.Config{Entrypoint: []string{"/app"}, User: "65532:65532"}, map[string]string{"app": pure}, "",
			"listen tcp :80: bind: permission denied", []string{"warn message: port below 1024", "FAIL user: as user 65532:65532"}},
		"a user who may not capture": {v1.Config{Entrypoint: []string{"/app"}, User: "nobody"}, map[string]string{"app": pure}, "",
			"socket: operation not permitted", []string{"warn message: CAP_NET_RAW", "FAIL user: as user nobody"}},
		"another program": {v1.Config{Entrypoint: []string{"/app"}}, map[string]string{"app": pure, "bin/two": "-> /bin/none"}, "/bin/two", "",
			[]string{"FAIL link: is not there"}},
	} {
		t.Run(name, func(t *testing.T) {
			found, err := InImage(t.Context(), imageOf(t, c.config, c.files), c.program, c.message, t.TempDir())
			expect(t, found, err, c.want...)
		})
	}
}

func TestMessages(t *testing.T) {
	for message, want := range map[string]string{
		"exec /app: exec format error":                                                     "kind of program",
		"/lib/libc.so.6: version `GLIBC_2.38' not found":                                   "glibc there is older",
		"x: error while loading shared libraries: libpcap.so.1":                            "shared library is missing",
		"Error relocating /app: __vfprintf_chk: symbol not found":                          "program or library of glibc",
		"tls: failed to verify certificate: x509: certificate signed by unknown authority": "CA certificates",
		"unknown time zone Europe/Paris":                                                   "time zones",
	} {
		found := ofMessage(message)
		if len(found) != 1 || !strings.Contains(found[0].Says, want) {
			t.Errorf("%q: %+v, want %q", message, found, want)
		}
	}
	if found := ofMessage("hello"); found != nil {
		t.Errorf("found %v", found)
	}
}

func TestNewer(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{{"2.38", "2.36", true}, {"2.4", "2.36", false}, {"2.36", "2.36", false}, {"2.3.4", "2.3", true}, {"PRIVATE", "2.1", false}} {
		if newer(c.a, c.b) != c.want {
			t.Errorf("%s newer than %s is %v", c.a, c.b, !c.want)
		}
	}
}

// No tar stream of an image makes us write elsewhere, or fail in another way than by an error.
func FuzzReadTree(f *testing.F) {
	var content bytes.Buffer
	if err := tarOf(&content, root(map[string]string{"a/b": "text", "c": "-> /a", "d": "-> ../../etc"})); err != nil {
		f.Fatal(err)
	}
	f.Add(content.Bytes())
	f.Add([]byte("x"))
	f.Fuzz(func(t *testing.T, data []byte) {
		folder := t.TempDir()
		tree, err := ReadTree(bytes.NewReader(data), folder)
		if err != nil {
			return
		}
		for name := range tree.nodes {
			real, err := follow(tree, name)
			if err == nil {
				_, _ = Program(Place{Name: "x", Root: tree}, real, "")
			}
		}
		glob(tree, "*/*")
		if err := tree.Close(); err != nil {
			t.Error(err)
		}
		if left, _ := os.ReadDir(folder); len(left) > 0 {
			t.Errorf("%v was left", left)
		}
	})
}
