package builder

import (
	"archive/tar"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tcapflow/tcapflow/build"
	"github.com/tcapflow/tcapflow/elfcheck"
	"github.com/tcapflow/tcapflow/pipeline/internal/engine"
)

func testTime(day int) time.Time { return time.Date(2001, 1, day, 0, 0, 0, 0, time.UTC) }

// What the builder's own compiler makes with one wrong flag, the gate refuses, and
// names the flag's fault; with the plan's flags it passes.
func TestGateRefuses(t *testing.T) {
	if os.Getenv("TCAPFLOW_TEST_ENGINE") != "1" {
		t.Skip("no container engine: set TCAPFLOW_TEST_ENGINE=1")
	}
	e, err := engine.Connect(t.Context(), t.TempDir(), build.Project.Namespace)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	images, err := e.Images(t.Context(), engine.Labelled("builder", map[string]string{"musl-static.builder": "debian"}))
	if err != nil {
		t.Fatal(err)
	}
	var ref string
	for _, i := range images {
		if i.Labels["musl-static.builder.key.linux_amd64"] != "" {
			ref = i.ID
		}
	}
	if ref == "" {
		t.Skip("the engine has no builder for linux/amd64: run `mage static -base=debian` first")
	}
	c, err := e.Start(t.Context(), engine.Spec{Image: ref, Cmd: []string{"sleep", "600"}, Dir: "/tmp"})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Remove(context.Background())

	const compiler = "clang --target=x86_64-linux-musl --sysroot=/sysroot/x86_64-linux-musl -O2 -fPIC -fuse-ld=lld -rtlib=libgcc -static-libgcc"
	const static, hard, stack = "-static-pie", "-Wl,-z,relro,-z,now,-z,noexecstack", "-Wl,-z,stack-size=1048576"
	for _, test := range []struct {
		name, flags string
		rules       string // that must be among the findings; empty: there are none
	}{
		{"good", join(static, hard, stack), ""},
		{"musl-dynamic", join("-pie", hard, stack, "-Wl,--dynamic-linker=/lib/ld-musl-x86_64.so.1"), "interp needed"},
		{"non-pie", join("-static -no-pie", hard, stack), "pie"},
		{"no-relro", join(static, "-Wl,-z,norelro,-z,now,-z,noexecstack", stack), "relro"},
		{"lazy", join("-pie", "-Wl,-z,relro,-z,lazy,-z,noexecstack", stack, "-Wl,--dynamic-linker=/lib/ld-musl-x86_64.so.1"), "bind-now"},
		{"execstack", join(static, "-Wl,-z,relro,-z,now,-z,execstack", stack), "stack-exec"},
		{"small-stack", join(static, hard), "stack-size"},
		{"text-relocations", join(static, hard, stack, "-Wl,-z,notext -DTEXTREL"), "textrel"},
		{"runpath", join("-pie", hard, stack, "-Wl,-rpath,/opt/lib"), "rpath"},
		{"shared-object", join("-shared", hard, stack), "program"},
		{"writable-code", join("-static -no-pie", "-Wl,--omagic", stack), "wx"},
	} {
		t.Run(test.name, func(t *testing.T) {
			out := "/tmp/" + test.name
			script := "printf '%s' \"$SOURCE\" > prog.c && " + compiler + " " + test.flags + " -o " + out + " prog.c"
			code, err := c.Exec(t.Context(), engine.Command{Args: []string{"sh", "-c", script}, Env: []string{"SOURCE=" + program, "PATH=/usr/bin", "HOME=/tmp"}, Dir: "/tmp", Stderr: testLog{t}})
			if err != nil || code != 0 {
				t.Fatalf("the compiler: exit status %d, %v", code, err)
			}
			_, findings, err := elfcheck.File(copyOut(t, c, out), elfcheck.Want{})
			if err != nil {
				t.Fatal(err)
			}
			found := ""
			for _, f := range findings {
				found += f.Rule + " "
			}
			for _, rule := range strings.Fields(test.rules) {
				if !strings.Contains(" "+found, " "+rule+" ") {
					t.Errorf("the gate found [%s], want %s", found, rule)
				}
			}
			if test.rules == "" && found != "" {
				t.Errorf("the gate refuses it: %s", found)
			}
		})
	}
}

func join(flags ...string) string { return strings.Join(flags, " ") }

// program has, on demand, an address in its code that only the loader can fill in.
const program = `#include <stdio.h>
#ifdef TEXTREL
__asm__(".text\n.globl address\naddress: .quad puts\n");
#endif
int main(void) { return puts("") < 0; }
`

type testLog struct{ *testing.T }

func (t testLog) Write(p []byte) (int, error) {
	t.Log(strings.TrimRight(string(p), "\n"))
	return len(p), nil
}

// copyOut brings a file of the container to the host.
func copyOut(t *testing.T, c *engine.Container, name string) string {
	stream, err := c.Get(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	r := tar.NewReader(stream)
	if _, err := r.Next(); err != nil {
		t.Fatal(err)
	}
	local := filepath.Join(t.TempDir(), filepath.Base(name))
	f, err := os.Create(local)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := io.Copy(f, r); err != nil {
		t.Fatal(err)
	}
	return local
}
