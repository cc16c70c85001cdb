package elfcheck

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
)

const cgoSource = `package main

// static int one(void) { return 1; }
import "C"
import ("fmt"; "net"; "time")

func main() {
	fmt.Println(C.one())
	fmt.Println(net.LookupHost("localhost"))
	fmt.Println(time.LoadLocation("UTC"))
}
`

func needs(t *testing.T, path string, calls ...string) Needs {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	n, err := InspectNeeds(bytes.NewReader(b), int64(len(b)), calls...)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// A stripped cgo program tells which packages call C, what it wants of glibc, and what it calls.
func TestNeedsOfCgo(t *testing.T) {
	if _, err := exec.LookPath("gcc"); err != nil {
		t.Skip("skipped: gcc is not installed")
	}
	dir := t.TempDir()
	out := filepath.Join(dir, "program")
	for name, text := range map[string]string{"go.mod": "module example.com/cgo.v2\n\ngo 1.26\n", "main.go": cgoSource} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("go", "build", "-ldflags=-s -w", "-o", out, ".")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=1", "GOFLAGS=", "GOWORK=off", "GOOS=", "GOARCH=", "CC=gcc")
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	n := needs(t, out, "time.LoadLocation", "time.NoSuchFunction")
	if !slices.Equal(n.Cgo, []string{"main", "net"}) {
		t.Errorf("packages with C: %q", n.Cgo)
	}
	if !slices.Equal(n.Calls, []string{"time.LoadLocation"}) {
		t.Errorf("calls %q", n.Calls)
	}
	if !slices.Contains(n.Imports, "getaddrinfo") || len(n.Versions["libc.so.6"]) == 0 {
		t.Errorf("imports %q, versions %q", n.Imports, n.Versions)
	}
}

// A program without C has no such package, and wants nothing.
func TestNeedsOfGo(t *testing.T) {
	n := needs(t, goPIE.path(t), "time.LoadLocation")
	if len(n.Cgo)+len(n.Calls)+len(n.Versions)+len(n.Imports) > 0 {
		t.Errorf("got %+v", n)
	}
}

// A library says its name, the versions that it defines, and that its thread-local variables are static.
func TestNeedsOfLibrary(t *testing.T) {
	script := filepath.Join(t.TempDir(), "versions")
	if err := os.WriteFile(script, []byte("FIX_1.0 { global: one; };\nFIX_2.0 { global: two; } FIX_1.0;\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	library := cFixture{name: "versioned", args: "-shared -fPIC -ftls-model=initial-exec -Wl,-soname,libfix.so.1 -Wl,--version-script=" + script,
		source: "static __thread int x;\nint one(void) { return x++; }\nint two(void) { return x; }\n"}
	n := needs(t, library.path(t))
	if n.Soname != "libfix.so.1" || !slices.Contains(n.Provides, "FIX_2.0") || !n.StaticTLS {
		t.Errorf("got %+v", n)
	}
}

// FuzzNeeds: whatever the bytes, no panic, and an answer or an error.
func FuzzNeeds(f *testing.F) {
	f.Add(tiny64.bytes())
	f.Add(tiny32.bytes())
	f.Fuzz(func(t *testing.T, b []byte) {
		n, err := InspectNeeds(bytes.NewReader(b), int64(len(b)), "time.LoadLocation")
		if err != nil && (n.Soname != "" || n.Imports != nil || n.Cgo != nil) {
			t.Errorf("an error, and an answer: %+v", n)
		}
	})
}
