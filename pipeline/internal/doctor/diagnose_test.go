//go:build linux

package doctor

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

const hello = "#include <stdio.h>\nint main(void) { puts(\"hello\"); return 0; }\n"

// one is a program with a library of its own.
const one = "int one(void);\nint main(void) { return one() - 1; }\n"

// goProgram does what needs files of the machine, and says what goes wrong.
const goProgram = `package main

import ("crypto/tls"; "fmt"; "net"; "net/http"; "net/http/httptest"; "os"; "os/user"; "time")

func main() {
	switch os.Args[0] {
	case "/zone":
		_, err := time.LoadLocation("Europe/Berlin")
		exit(err)
	case "/user":
		_, err := user.Lookup("postgres")
		exit(err)
	case "/bind":
		_, err := net.Listen("tcp", "127.0.0.1:80")
		exit(err)
	case "/tls":
		s := httptest.NewTLSServer(http.NotFoundHandler())
		_, err := (&http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{}}}).Get(s.URL)
		exit(err)
	}
}

func exit(err error) {
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}
`

func pureGo(t *testing.T) string {
	return golang(t, "pure", map[string]string{"main.go": goProgram}, "-ldflags=-s", "CGO_ENABLED=0")
}

// scene is a program in a root in which it does not run.
type scene struct {
	files  func(t *testing.T) tree
	start  string // the program; /program if empty
	config v1.Config
	uid    int // who runs it
	// about is the check that must name the cause, text is part of what it says.
	about, text string
	runs        string // why the program is not started here; empty: it is, and must fail
}

var scenes = map[string]scene{
	"loader missing": {about: "loader", text: "has no C library", files: func(t *testing.T) tree {
		return tree{"/program": {from: c(t, "hello", hello, "")}}
	}},
	"glibc on musl": {about: "loader", text: "fixture has musl", files: func(t *testing.T) tree {
		return tree{"/program": {from: c(t, "hello", hello, "")},
			"/lib/ld-musl-x86_64.so.1": {from: muslStub(t)}}
	}},
	"musl on glibc": {about: "loader", text: "fixture has glibc", files: func(t *testing.T) tree {
		return glibc(t).with(tree{"/program": {from: muslProgram(t)}})
	}},
	"newer glibc": {about: "glibc", text: "GLIBC_2.99", files: func(t *testing.T) tree {
		c(t, "newer/libc.so.6", "int newer(void) { return 1; }\n",
			"-shared -fPIC -nostdlib -Wl,-soname,libc.so.6 -Wl,--version-script="+versionScript(t,
				"GLIBC_2.99 { global: newer; };"))
		program := c(t, "newer/program", "int newer(void);\nvoid _start(void) { newer(); }\n",
			"-nostdlib @newer/libc.so.6")
		return glibc(t).with(tree{"/program": {from: program}})
	}},
	"library missing": {about: "libraries", text: "needs libone.so.1: it is in no folder",
		files: func(t *testing.T) tree {
			return glibc(t).with(tree{"/program": {from: withLibrary(t)}})
		}},
	"dangling library": {about: "libraries", text: "is a link to libone.so.1.2",
		files: func(t *testing.T) tree {
			return glibc(t).with(tree{"/program": {from: withLibrary(t)},
				"/usr/lib/libone.so.1": {link: "libone.so.1.2"}})
		}},
	"library for another machine": {about: "libraries", text: "another machine",
		files: func(t *testing.T) tree {
			other := golang(t, "foreign", map[string]string{"main.go": "package main\n\nfunc main() {}\n"}, "",
				"CGO_ENABLED=0 GOARCH=arm64")
			return glibc(t).with(tree{"/program": {from: withLibrary(t)}, "/usr/lib/libone.so.1": {from: other}})
		}},
	"dangling program": {about: "link", text: "is a link to /opt/program", files: func(*testing.T) tree {
		return tree{"/program": {link: "/opt/program"}}
	}},
	"program missing": {about: "file", text: "is not in", files: func(*testing.T) tree {
		return tree{"/other": {text: "x"}}
	}},
	"another machine": {about: "machine", text: "it is for arm64", files: func(t *testing.T) tree {
		return tree{"/program": {from: golang(t, "foreign",
			map[string]string{"main.go": "package main\n\nfunc main() {}\n"}, "",
			"CGO_ENABLED=0 GOARCH=arm64")}}
	}},
	"no #!": {about: "kind", text: `without "#!"`, files: func(*testing.T) tree {
		return tree{"/program": {text: "echo hello\n"}}
	}},
	"empty": {about: "kind", text: "empty", files: func(*testing.T) tree { return tree{"/program": {}} }},
	"Windows program": {about: "kind", text: "Windows", files: func(t *testing.T) tree {
		return tree{"/program": {from: golang(t, "windows",
			map[string]string{"main.go": "package main\n\nfunc main() {}\n"}, "",
			"CGO_ENABLED=0 GOOS=windows")}}
	}},
	"script without shell": {about: "script", text: "run by /bin/sh", files: func(*testing.T) tree {
		return tree{"/program": {text: "#!/bin/sh -e\necho hello\n"}}
	}},
	"script from Windows": {about: "script", text: "carriage return", files: func(*testing.T) tree {
		return tree{"/program": {text: "#!/bin/sh\r\necho hello\r\n"}, "/bin/sh": {text: "here"}}
	}},
	"lost x": {about: "mode", text: "mode 0644: nobody", files: func(t *testing.T) tree {
		return tree{"/program": {from: pureGo(t), mode: 0o644}}
	}},
	"x for the owner": {about: "mode", text: "user 65532 may not start", uid: 65532,
		config: v1.Config{User: "65532"}, files: func(t *testing.T) tree {
			return tree{"/program": {from: pureGo(t), mode: 0o700}}
		}},
	"two C libraries": {about: "two C libraries", text: "thread-local storage clashes",
		runs: "musl's library is a stub here: the real one is on Alpine", files: func(t *testing.T) tree {
			c(t, "two/libone.so.1", "int one(void) { return 1; }\n",
				"-shared -fPIC -nostdlib -Wl,--no-as-needed -Wl,-soname,libone.so.1 "+muslStub(t))
			program := c(t, "two/program", one, "@two/libone.so.1 -Wl,--allow-shlib-undefined")
			return glibc(t).with(tree{"/program": {from: program},
				"/usr/lib/libone.so.1":           {from: filepath.Join(built, "two/libone.so.1")},
				"/usr/lib/libc.musl-x86_64.so.1": {from: muslStub(t)}})
		}},
	"gcompat": {about: "symbols", text: "does not define",
		runs: "musl's library is a stub here: the real one is on Alpine", files: func(t *testing.T) tree {
			return tree{"/program": {from: c(t, "hello", hello, "")},
				"/lib/ld-musl-x86_64.so.1":    {from: muslStub(t)},
				"/lib64/ld-linux-x86-64.so.2": {link: "/lib/ld-musl-x86_64.so.1"},
				"/lib/libc.so.6":              {link: "ld-musl-x86_64.so.1"}}
		}},
	"cgo slipped in": {about: "cgo", text: "only for net", files: func(t *testing.T) tree {
		return tree{"/program": {from: golang(t, "slipped", map[string]string{"main.go": goProgram}, "",
			"CGO_ENABLED=1")}}
	}},
	"cgo of a package": {about: "cgo", text: "example.com/fixture/native", files: func(t *testing.T) tree {
		return tree{"/program": {from: golang(t, "native", map[string]string{
			"main.go":          "package main\n\nimport \"example.com/fixture/native\"\n\nfunc main() { println(native.One()) }\n",
			"native/native.go": "package native\n\n// static int one(void) { return 1; }\nimport \"C\"\n\nfunc One() int { return int(C.one()) }\n",
		}, "-ldflags=-s", "CGO_ENABLED=1")}}
	}},
	"pie without cgo": {about: "cgo", text: "-buildmode=pie makes", files: func(t *testing.T) tree {
		return tree{"/program": {from: golang(t, "pie",
			map[string]string{"main.go": "package main\n\nfunc main() {}\n"}, "-buildmode=pie",
			"CGO_ENABLED=0")}}
	}},
	"users by static glibc": {about: "look-ups", text: "users", files: func(t *testing.T) tree {
		const source = "#include <pwd.h>\n#include <stdio.h>\nint main(void) { if (getpwnam(\"postgres\")) return 0; puts(\"unknown user postgres\"); return 1; }\n"
		return tree{"/program": {from: c(t, "users", source, "-static")}}
	}},
	"hosts by static glibc": {about: "look-ups", text: "names of hosts", files: func(t *testing.T) tree {
		const source = "#include <netdb.h>\n#include <stdio.h>\nint main(void) { struct addrinfo *a; int e = getaddrinfo(\"db.example\", 0, 0, &a);\n" +
			"if (!e) return 0; puts(gai_strerror(e)); return 1; }\n"
		return tree{"/program": {from: c(t, "hosts", source, "-static")}}
	}},
	"no users": {about: "users", text: "no /etc/passwd", start: "/user", files: func(t *testing.T) tree {
		return tree{"/user": {from: pureGo(t)}}
	}},
	"no certificates": {about: "certificates", text: "none to trust", start: "/tls",
		files: func(t *testing.T) tree {
			return tree{"/tls": {from: pureGo(t)}}
		}},
	"no time zones": {about: "time zones", text: "by name", start: "/zone", files: func(t *testing.T) tree {
		return tree{"/zone": {from: pureGo(t)}}
	}},
	"low port": {about: "ports", text: "port 80, and user 65532", start: "/bind", uid: 65532,
		config: v1.Config{User: "65532", ExposedPorts: map[string]struct{}{"80/tcp": {}}},
		files:  func(t *testing.T) tree { return tree{"/bind": {from: pureGo(t)}} }},
	"capture": {about: "capture", text: "no CAP_NET_RAW", uid: 65532, config: v1.Config{User: "65532"},
		files: func(t *testing.T) tree {
			const source = "#include <sys/socket.h>\n#include <stdio.h>\nint pcap_activate(void) { return socket(AF_PACKET, SOCK_RAW, 0); }\n" +
				"int main(void) { if (pcap_activate() >= 0) return 0; perror(\"socket\"); return 1; }\n"
			return tree{"/program": {from: c(t, "capture", source, "-static")}}
		}},
	"not in PATH": {about: "file", text: "in no folder", start: "program", files: func(t *testing.T) tree {
		return tree{"/opt/program": {from: pureGo(t)}}
	}, runs: "the engine looks it up"},
}

// TestScenes makes each root an image for the doctor, and a folder in which the program is
// really started. The doctor finds the cause by itself, and with the message that was really
// printed it says that this is the one.
func TestScenes(t *testing.T) {
	for name, s := range scenes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if s.start == "" {
				s.start = "/program"
			}
			files := s.files(t)
			s.config.Entrypoint = []string{s.start}
			image := files.image(t, s.config)
			found := s.named(t, examine(image, ""))
			if s.about == "cgo" {
				return // what one sees is the loader's
			}
			message := found.Shows
			if s.runs == "" {
				said, ok := run(t, files.write(t), s.start, s.uid)
				if ok {
					t.Fatalf("it runs: %s", said)
				}
				message = said
			}
			if found = s.named(t, examine(image, message)); !found.Seen || found.State != Fail {
				t.Errorf("%q was seen, and %+v is not the answer", message, found)
			}
			if found.Next == "" {
				t.Errorf("no next step: %+v", found)
			}
		})
	}
}

// named is the check that names the cause.
func (s scene) named(t *testing.T, checks []Check) Check {
	t.Helper()
	for _, c := range checks {
		if c.About == s.about && c.State != OK && strings.Contains(c.Text, s.text) {
			return c
		}
	}
	t.Fatalf("no check %q with %q in %+v", s.about, s.text, checks)
	return Check{}
}

// examine does what the command does with an image.
func examine(image *Image, message string) []Check {
	name, err := image.Start()
	if err != nil {
		return Absent("the program", image.There(), err, message)
	}
	p, err := image.File(name)
	if err != nil {
		return Absent(name, image.There(), err, message)
	}
	return Diagnose(p, image.There(), message)
}

func versionScript(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "versions")
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return name
}

// muslStub has the name and a few symbols of musl's library.
func muslStub(t *testing.T) string {
	return c(t, "stub/libc.musl-x86_64.so.1", "int puts(const char *s) { return 0; }\n",
		"-shared -fPIC -nostdlib -Wl,-soname,libc.musl-x86_64.so.1")
}

// muslProgram is what Alpine's compiler makes: its loader and its library's name are musl's.
func muslProgram(t *testing.T) string {
	return c(t, "muslprogram", "int puts(const char *);\nvoid _start(void) { puts(\"hello\"); for (;;); }\n",
		"-nostdlib -Wl,--dynamic-linker=/lib/ld-musl-x86_64.so.1 "+muslStub(t))
}

func withLibrary(t *testing.T) string {
	c(t, "own/libone.so.1", "int one(void) { return 1; }\n", "-shared -fPIC -Wl,-soname,libone.so.1")
	return c(t, "own/program", one, "@own/libone.so.1")
}

// A program that runs is told nothing of failures, whatever it needs.
func TestHealthy(t *testing.T) {
	library := func(t *testing.T) file {
		withLibrary(t)
		return file{from: filepath.Join(built,
			"own/libone.so.1")}
	}
	for name, s := range map[string]scene{
		"static Go in scratch": {files: func(t *testing.T) tree { return tree{"/program": {from: pureGo(t)}} }},
		"dynamic":              {files: func(t *testing.T) tree { return glibc(t).with(tree{"/program": {from: c(t, "hello", hello, "")}}) }},
		"library by ld.so.conf": {files: func(t *testing.T) tree {
			return glibc(t).with(tree{"/program": {from: withLibrary(t)}, "/usr/lib/libone.so.1": library(t)})
		}},
		"library by RUNPATH": {files: func(t *testing.T) tree {
			withLibrary(t)
			program := c(t, "runpath", one, "@own/libone.so.1 -Wl,-rpath,/lib/own")
			return glibc(t).with(tree{"/bin/program": {from: program}, "/lib/own/libone.so.1": library(t)})
		}, start: "/bin/program"},
		"script": {files: func(t *testing.T) tree {
			return glibc(t).with(tree{"/program": {text: "#!/bin/hello\n"}, "/bin/hello": {from: c(t,
				"hello", hello, "")}})
		}},
		"link": {files: func(t *testing.T) tree {
			return tree{"/program": {link: "opt/../opt/p"},
				"/opt/p": {from: pureGo(t)}}
		}},
		"another user": {uid: 65532, config: v1.Config{User: "65532:65532"},
			files: func(t *testing.T) tree { return tree{"/program": {from: pureGo(t), mode: 0o555}} }},
		"owner's alone": {uid: 65532, config: v1.Config{User: "65532"},
			files: func(t *testing.T) tree {
				return tree{"/program": {from: pureGo(t), mode: 0o500,
					uid: 65532}}
			}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if s.start == "" {
				s.start = "/program"
			}
			files := s.files(t)
			s.config.Entrypoint = []string{s.start}
			if checks := examine(files.image(t, s.config), ""); Failed(checks) {
				t.Errorf("a failure: %+v", checks)
			}
			if said, ok := run(t, files.write(t), s.start, s.uid); !ok {
				t.Errorf("it does not run: %s", said)
			}
		})
	}
}

// What this machine has installed runs here: none of it gets a failure. Of 1,300 programs of a Debian 12 each
// was looked at once, in a minute; here it is one of ten.
func TestHealthyHost(t *testing.T) {
	there, looked := Host(), 0
	for _, dir := range []string{"/usr/bin", "/usr/sbin"} {
		for i, name := range (host{}).list(dir) {
			if i%10 != 0 {
				continue
			}
			p, err := Open(filepath.Join(dir, name))
			if err != nil || !p.entry.mode.IsRegular() || p.entry.mode.Perm()&0o111 == 0 {
				continue // a link to what is not installed
			}
			looked++
			for _, c := range Diagnose(p, there, "") {
				if c.State == Fail {
					t.Errorf("%s/%s: %s: %s", dir, name, c.About, c.Text)
				}
			}
		}
	}
	if looked < 10 {
		t.Skipf("skipped: only %d programs are installed here", looked)
	}
	t.Logf("%d programs", looked)
}

// By name: glibc's version decides, and the loader.
func TestSystems(t *testing.T) {
	hello := c(t, "hello", hello, "")
	p, err := Open(hello)
	if err != nil {
		t.Fatal(err)
	}
	wants := newest(p.needs.Versions["libc.so.6"])
	for _, s := range systems {
		there, err := System(s.name, "")
		if err != nil {
			t.Fatal(err)
		}
		want := s.libc != "glibc" || older(s.version, wants)
		if got := Failed(Diagnose(p, there.For(p, ""), "")); got != want {
			t.Errorf("%s: a failure is %v; the program wants glibc %s", s.name, got, wants)
		}
		static, err := Open(pureGo(t))
		if err != nil {
			t.Fatal(err)
		}
		if checks := Diagnose(static, there.For(static, ""), ""); Failed(checks) {
			t.Errorf("%s: a static program fails: %+v", s.name, checks)
		}
	}
	if _, err := System("beos", ""); err == nil || !strings.Contains(err.Error(), "rhel8") {
		t.Errorf("an unknown system: %v", err)
	}
}

// Where nothing of a message shows in the file, that is said, with what the message means.
func TestMessageOfAnother(t *testing.T) {
	p, err := Open(pureGo(t))
	if err != nil {
		t.Fatal(err)
	}
	for message, want := range map[string]string{
		"exec /program: no such file or directory": "Nothing of that shows",
		"it is a nice day":                         "none of the messages",
	} {
		checks := Diagnose(p, Anywhere(""), message)
		if last := checks[len(checks)-1]; last.About != "message" || !strings.Contains(last.Text, want) ||
			last.Next == "" {
			t.Errorf("%q: %+v", message, last)
		}
	}
}

const noexecChild = "in-noexec"

// inNoexec mounts a file system that forbids to start programs, starts one, and asks the doctor.
func inNoexec(program string) int {
	return noexec(program)
}

// TestNoexec really mounts a file system noexec, in a mount namespace of its own.
func TestNoexec(t *testing.T) {
	cmd := exec.Command(os.Args[0], noexecChild, pureGo(t))
	cmd.SysProcAttr = ownMounts()
	out, err := cmd.CombinedOutput()
	if err != nil && strings.Contains(err.Error(), "operation not permitted") {
		t.Skipf("skipped: no mount namespace is given: %v", err)
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}
