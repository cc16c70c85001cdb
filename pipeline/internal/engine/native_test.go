package engine

import (
	"bytes"
	"debug/elf"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/moby/moby/client"

	"github.com/tcapflow/tcapflow/pipeline/internal/fault"
)

func TestProbeIsELF(t *testing.T) {
	for _, candidates := range probes {
		for _, p := range candidates {
			program, err := p.program()
			if err != nil {
				t.Fatal(err)
			}
			f, err := elf.NewFile(bytes.NewReader(program))
			if err != nil {
				t.Fatalf("%s: %v", p.arch, err)
			}
			text := f.Progs[0]
			start := f.Entry - text.Vaddr
			if f.Machine != p.machine || f.Type != elf.ET_EXEC || text.Filesz != uint64(len(program)) {
				t.Errorf("%s: %+v, %+v", p.arch, f.FileHeader, text.ProgHeader)
			}
			stack := f.Progs[1]
			if text.Flags&elf.PF_W != 0 || stack.Type != elf.PT_GNU_STACK || stack.Flags&elf.PF_X != 0 {
				t.Errorf("%s: memory that is writable and executable", p.arch)
			}
			if !bytes.Equal(program[start:], p.code) {
				t.Errorf("%s: starts at %#x, where the code is not", p.arch, start)
			}
		}
	}
}

// The oracle for headers is readelf, for code the kernel of this host and QEMU.
func TestProbeRuns(t *testing.T) {
	qemu := map[string]struct {
		program string
		letter  byte
	}{
		"amd64": {"qemu-x86_64", '8'}, "386": {"qemu-i386", '6'},
		"arm64": {"qemu-aarch64", 'a'}, "arm": {"qemu-arm", 'r'},
	}
	for host, candidates := range probes {
		for _, p := range candidates {
			t.Run(p.arch, func(t *testing.T) {
				file := writeProbe(t, p)
				readelf(t, file)
				if host == runtime.GOARCH && runtime.GOOS == "linux" {
					err := exec.Command(file).Run()
					if errors.Is(err, syscall.ENOEXEC) && p.arch != host {
						t.Logf("this kernel runs no %s programs", p.arch)
					} else if code(err) != int(p.native) {
						t.Errorf("run by the kernel: %v, want exit status %d", err, p.native)
					}
				}
				emulator := qemu[p.arch]
				if _, err := exec.LookPath(emulator.program); err != nil {
					t.Skipf("run without an emulator alone: %s is not installed", emulator.program)
				}
				if err := exec.Command(emulator.program, file).Run(); code(err) != int(emulator.letter) {
					t.Errorf("run by %s: %v, want exit status %d", emulator.program, err, emulator.letter)
				}
			})
		}
	}
}

func writeProbe(t *testing.T, p probe) string {
	program, err := p.program()
	file := filepath.Join(t.TempDir(), p.arch)
	if err == nil {
		err = os.WriteFile(file, program, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	return file
}

func readelf(t *testing.T, file string) {
	if _, err := exec.LookPath("readelf"); err != nil {
		t.Log("not read by readelf, which is not installed")
		return
	}
	text, err := exec.Command("readelf", "-hlW", file).CombinedOutput()
	if err != nil || bytes.Contains(text, []byte("Warning")) || bytes.Contains(text, []byte("Error")) {
		t.Errorf("readelf: %v\n%s", err, text)
	}
}

// code is the exit status that an error stands for; -1: there was none.
func code(err error) int {
	if ended := (*exec.ExitError)(nil); errors.As(err, &ended) {
		return ended.ExitCode()
	}
	return -1
}

// What a probe's end means, in the words of the runtimes.
func TestProbeVerdict(t *testing.T) {
	p := probes["amd64"][1]
	for _, test := range []struct {
		name   string
		code   int
		text   string
		err    error
		native bool
		fails  string // in the error; empty: none
	}{
		{name: "run by the kernel", code: '8', native: true},
		{name: "run by an emulator that the host has registered", code: '6'},
		{name: "runc 1.1", code: 1, text: "exec /386: exec format error\n"},
		{name: "runc 1.0", code: 1, text: "standard_init_linux.go:228: exec user process caused: exec format error\n"},
		{name: "crun", text: "crun: exec `/386`: Exec format error: OCI runtime error", err: errors.New("start")},
		{name: "docker exec", code: 126, text: "OCI runtime exec failed: exec failed: exec format error: unknown"},
		{name: "killed by a seccomp profile", code: 159},
		{name: "no room", err: errors.New("no space left on device"), fails: "probe of 386: no space left"},
		{name: "crashed", code: 139, fails: "exit status 139"},
		{name: "ended too well", code: 0, fails: "exit status 0"},
		{name: "not executable", code: 126, text: "exec /386: permission denied", fails: "permission denied"},
	} {
		native, err := p.verdict("TCAPFLOW_NATIVES", test.code, test.text, test.err)
		fits := err == nil && test.fails == "" || err != nil && test.fails != "" && strings.Contains(err.Error(), test.fails)
		if native != test.native || !fits {
			t.Errorf("%s: %v, %v; want %v, error %q", test.name, native, err, test.native, test.fails)
		}
		var known *fault.Error
		if errors.As(err, &known) && !strings.Contains(known.Next, "TCAPFLOW_NATIVES=386") {
			t.Errorf("%s: next step %q", test.name, known.Next)
		}
	}
}

// An engine runs its own architecture, and the answer for the other is that of execve(2)
// where the engine's kernel is this one.
func TestNatives(t *testing.T) {
	e, _ := realEngine(t)
	natives, err := e.Natives(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("the engine's kernel runs %v", natives)
	if !slices.Contains(natives, e.Arch) {
		t.Errorf("%v does not hold the engine's own architecture, %s", natives, e.Arch)
	}
	filter := make(client.Filters).Add("reference", e.Tag("native", e.checkout))
	list, err := e.ImageList(t.Context(), client.ImageListOptions{Filters: filter})
	if n, sweepErr := e.Sweep(t.Context()); n != 0 || sweepErr != nil || err != nil || len(list.Items) != 0 {
		t.Errorf("left: %d containers, images %v (%v, %v)", n, list.Items, sweepErr, err)
	}
	if os.Getenv("DOCKER_HOST") != "" || runtime.GOARCH != e.Arch || len(probes[e.Arch]) == 0 {
		return // perhaps another machine
	}
	other := probes[e.Arch][1]
	ran := code(exec.Command(writeProbe(t, other)).Run()) == int(other.native)
	if ran != slices.Contains(natives, other.arch) {
		t.Errorf("%s: the engine says %v, this kernel runs it: %v", other.arch, natives, ran)
	}
}
