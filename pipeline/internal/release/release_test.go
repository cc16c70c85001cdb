package release

import (
	"context"
	"crypto/sha256"
	"debug/elf"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tcapflow/tcapflow/build/defaults"

	"github.com/tcapflow/tcapflow/elfcheck"
	"github.com/tcapflow/tcapflow/pipeline/internal/artifact"
	"github.com/tcapflow/tcapflow/pipeline/internal/fault"
	"github.com/tcapflow/tcapflow/pipeline/internal/progress"
	"github.com/tcapflow/tcapflow/pipeline/internal/source"
	"github.com/tcapflow/tcapflow/spec"
)

const version = "1.2.4-0.20260102030405-abc123456789" // 4 commits after v1.2.3

// newTest is a stage whose out/ has one binary for linux/amd64 and one for linux/arm/v7;
// what is wanted of the latter is that it is an amd64 program, too.
func newTest(t *testing.T, program []byte) *stage {
	t.Helper()
	targets, err := defaults.Targets.Select("linux/amd64,linux/arm/v7")
	if err != nil {
		t.Fatal(err)
	}
	out := t.TempDir()
	commit(t, out, targets, program)
	s, err := newStage(Options{
		Root: t.TempDir(), Out: out, Module: "example.com/owner/name", Project: defaults.Fill(spec.Project{Name: "client", Summary: "Summary"}), Targets: targets,
		Source: source.Version{Version: version, Commit: "abc1234", Date: "2026-01-02T03:04:05Z", State: "4 commits after v1.2.3"},
		Want:   func(spec.Target) elfcheck.Want { return elfcheck.Want{Machine: elf.EM_X86_64} },
		Log:    progress.New(io.Discard, false),
	})
	if err != nil {
		t.Fatal(err)
	}
	s.Dist = filepath.Join(s.Root, "dist")
	must(t, os.WriteFile(filepath.Join(s.Root, licenceName), []byte("do as you like"), 0o644))
	return s
}

// commit fills out/ with the same program for each target.
func commit(t *testing.T, out string, targets []spec.Target, program []byte) {
	t.Helper()
	var staged []artifact.Staged
	for _, target := range targets {
		s, err := artifact.Stage(out, "client", target.Dir(), strings.NewReader(string(program)))
		if err != nil {
			t.Fatal(err)
		}
		s.Target, s.Version, s.Commit = target.Name, version, "abc1234"
		staged = append(staged, s)
	}
	if err := artifact.Commit(out, "client", staged, nil); err != nil {
		t.Fatal(err)
	}
}

// static is the least file that the gate takes: a 64-bit ET_DYN with DF_1_PIE and
// DF_1_NOW, a RELRO header and a stack of 1 MiB (elf(5)). It cannot be run.
func static(t *testing.T) []byte {
	t.Helper()
	const vaddr, headers, dynamic = 0x10000, 64 + 4*56, 8 * 16
	table := []elf.Dyn64{
		{Tag: int64(elf.DT_STRTAB), Val: vaddr + headers + dynamic}, {Tag: int64(elf.DT_STRSZ), Val: 1},
		{Tag: int64(elf.DT_FLAGS_1), Val: uint64(elf.DF_1_PIE | elf.DF_1_NOW)},
	}
	table = append(table, make([]elf.Dyn64, 8-len(table))...)
	size := uint64(headers + dynamic + 1)
	segment := func(kind elf.ProgType, flags elf.ProgFlag, off, size, mem uint64) elf.Prog64 {
		return elf.Prog64{Type: uint32(kind), Flags: uint32(flags), Off: off, Vaddr: vaddr + off, Paddr: vaddr + off, Filesz: size, Memsz: mem, Align: 8}
	}
	load := segment(elf.PT_LOAD, elf.PF_R|elf.PF_W, 0, size, size)
	load.Align = 0x1000
	progs := []elf.Prog64{load,
		segment(elf.PT_DYNAMIC, elf.PF_R|elf.PF_W, headers, dynamic, dynamic),
		segment(elf.PT_GNU_RELRO, elf.PF_R, headers, dynamic, dynamic),
		{Type: uint32(elf.PT_GNU_STACK), Flags: uint32(elf.PF_R | elf.PF_W), Memsz: elfcheck.DefaultMinStack}}
	header := elf.Header64{Type: uint16(elf.ET_DYN), Machine: uint16(elf.EM_X86_64), Version: 1, Phoff: 64, Ehsize: 64, Phentsize: 56, Phnum: 4, Entry: vaddr}
	copy(header.Ident[:], elf.ELFMAG+string([]byte{byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), byte(elf.EV_CURRENT)}))
	var file []byte
	for _, part := range []any{header, progs, table, byte(0)} {
		var err error
		if file, err = binary.Append(file, binary.LittleEndian, part); err != nil {
			t.Fatal(err)
		}
	}
	return file
}

// dynamic is a Go program that starts only where its loader is installed.
func dynamic(t *testing.T) []byte {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "main.go"), []byte("package main\n\nfunc main() {}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("go", "build", "-trimpath", "-buildmode=pie", "-o", "program", "main.go")
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=amd64", "GOFLAGS=", "GOWORK=off")
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", cmd, err, text)
	}
	text, err := os.ReadFile(filepath.Join(dir, "program"))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestTake(t *testing.T) {
	tests := []struct {
		name   string
		change func(*testing.T, *stage) // of out/, after the manifest was written
		want   []string                 // in the error; none: no error
	}{
		{"as committed", func(*testing.T, *stage) {}, nil},
		{"missing", func(t *testing.T, s *stage) { must(t, os.Remove(filepath.Join(s.Out, "linux_amd64/client"))) },
			[]string{"linux/amd64: ", "no such file", "mage static"}},
		{"changed", func(t *testing.T, s *stage) {
			must(t, os.WriteFile(filepath.Join(s.Out, "linux_amd64/client"), []byte("else"), 0o755))
		}, []string{"linux/amd64: ", "SHA-256 differs"}},
		{"dynamic, with the manifest forged", func(t *testing.T, s *stage) { commit(t, s.Out, s.Targets, dynamic(t)) },
			[]string{"linux/amd64: ", "interp: ", "ld-linux", "bind-now: "}},
		{"no ELF file, with the manifest forged", func(t *testing.T, s *stage) { commit(t, s.Out, s.Targets, []byte("#!/bin/sh\n")) },
			[]string{"linux/amd64: ", "cannot be checked: a script "}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newTest(t, static(t))
			tt.change(t, s)
			binaries, err := s.binaries()
			must(t, err)
			to := filepath.Join(t.TempDir(), "taken")
			err = binaries[0].Take(s.Out, to)
			wantError(t, err, tt.want...)
			info, statErr := os.Stat(to)
			if err != nil && !errors.Is(statErr, os.ErrNotExist) {
				t.Errorf("something lies at the path: %v", statErr)
			}
			if err == nil && info.Mode() != 0o755 {
				t.Errorf("mode %v, want 0755", info.Mode())
			}
		})
	}
}

func TestHandOff(t *testing.T) {
	s := newTest(t, static(t))
	binaries, err := s.binaries()
	must(t, err)
	order, err := json.Marshal(Order{Out: s.Out, Binaries: binaries})
	must(t, err)
	must(t, os.WriteFile(s.path("order.json"), order, 0o644))
	program := s.path("handoff")
	if text, err := exec.Command("go", "build", "-o", program, "./handoff").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	call := func(goarch, goarm string) (string, error) {
		cmd := exec.Command(program, "build", "-ldflags= ", "-o", s.path("packed-"+goarch), "./cmd/client")
		cmd.Env = append(os.Environ(), "GOOS=linux", "GOARCH="+goarch, "GOARM="+goarm, "RELEASE_ORDER="+s.path("order.json"))
		text, err := cmd.CombinedOutput()
		return string(text), err
	}
	if text, err := call("arm", "7"); err != nil {
		t.Errorf("linux/arm/v7: %v: %s", err, text)
	}
	if sum, want := sha256Of(t, s.path("packed-arm")), binaries[1].SHA256; sum != want {
		t.Errorf("handed over %s, want %s", sum, want)
	}
	if text, err := call("arm", "6"); err == nil || text != "linux/arm/v6: is not in this release\n" {
		t.Errorf("linux/arm/v6: %v: %q", err, text)
	}
	commit(t, s.Out, s.Targets, dynamic(t)) // after the order was written
	if text, err := call("amd64", ""); err == nil || !strings.HasPrefix(text, "linux/amd64: ") {
		t.Errorf("changed since: %v: %q", err, text)
	}
}

// A target that is not in out/, or is there of another commit, is an error before anything is made.
func TestBinaries(t *testing.T) {
	s := newTest(t, static(t))
	s.Source.Commit = "fedcba9"
	_, err := s.binaries()
	wantError(t, err, "linux/amd64: ", "abc1234", "fedcba9", "mage static")
	s.Targets = defaults.Targets.Built
	s.Source.Commit = "abc1234"
	_, err = s.binaries()
	wantError(t, err, "linux/386: not in ", "mage static")
}

func TestAllowed(t *testing.T) {
	s := newTest(t, static(t))
	binaries, err := s.binaries()
	must(t, err)
	standIn := slices.Clone(binaries)
	standIn[1].StandIns = []string{"libpcap 1.10.5"}
	tests := []struct {
		name     string
		publish  bool
		state    string // of the checkout
		binaries []Binary
		want     []string
	}{
		{"snapshot", false, "4 commits after v1.2.3", standIn, nil},
		{"snapshot published", true, "4 commits after v1.2.3", binaries, []string{version, "4 commits after v1.2.3", "tag"}},
		{"release", false, "", binaries, nil},
		{"release published", true, "", binaries, nil},
		{"release with a library that stands in", false, "", standIn, []string{"linux/arm/v7: ", "libpcap 1.10.5"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := s.Options
			o.Publish, o.Source.State = tt.publish, tt.state
			wantError(t, o.allowed(tt.binaries), tt.want...)
		})
	}
}

func TestRunLeavesDistAlone(t *testing.T) {
	s := newTest(t, dynamic(t))
	must(t, os.Mkdir(s.Dist, 0o755))
	must(t, os.WriteFile(filepath.Join(s.Dist, checksumsName), []byte("of the last release"), 0o644))
	s.Mirror, s.Lock = testMirror(t)
	err := Run(context.Background(), s.Options)
	wantError(t, err, "linux/amd64: ", "interp: ")
	text, err := os.ReadFile(filepath.Join(s.Dist, checksumsName))
	if err != nil || string(text) != "of the last release" {
		t.Errorf("dist/ changed: %v %q", err, text)
	}
	if _, err := os.Stat(s.dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the stage is still there: %v", err)
	}
}

func TestCheck(t *testing.T) {
	const tarball, deb = "client_" + version + "_linux_arm_v7.tar.gz", "client_" + version + "_linux_amd64.deb"
	tests := []struct {
		name   string
		change func(files map[string]string)
		want   []string
	}{
		{"complete", func(map[string]string) {}, nil},
		{"file missing", func(f map[string]string) { delete(f, deb) }, []string{"dist/", "missing: " + deb}},
		{"file unexpected", func(f map[string]string) { f["notes.txt"] = "" }, []string{"dist/", "unexpected: notes.txt"}},
		{"not in the checksums", func(f map[string]string) { f[checksumsName] = strings.Replace(f[checksumsName], tarball, "x", 1) },
			[]string{checksumsName, "missing: " + tarball, "unexpected: x"}},
		{"twice in the checksums", func(f map[string]string) { f[checksumsName] += "0  " + deb + "\n" }, []string{"twice"}},
		{"not in GoReleaser's list", func(f map[string]string) { f[artifactsName] = strings.Replace(f[artifactsName], deb, "x", 1) },
			[]string{artifactsName, "missing: " + deb, "unexpected: x"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newTest(t, static(t))
			files := packedFilesOf(t, s)
			tt.change(files)
			must(t, os.MkdirAll(s.path("dist"), 0o755))
			for name, text := range files {
				must(t, os.WriteFile(s.path("dist", name), []byte(text), 0o644))
			}
			writeImages(t, s, s.Targets)
			wantError(t, s.check(), tt.want...)
		})
	}
	t.Run("platform missing", func(t *testing.T) {
		s := newTest(t, static(t))
		writeImages(t, s, s.Targets[:1])
		wantError(t, s.checkImages("scratch"), "images/scratch", "missing: linux/arm/v7")
	})
}

// packedFilesOf is what GoReleaser leaves, by name.
func packedFilesOf(t *testing.T, s *stage) map[string]string {
	t.Helper()
	files := map[string]string{"config.yaml": "", "metadata.json": ""}
	list := []map[string]string{{"name": "metadata.json", "type": "Metadata"}, {"name": checksumsName, "type": "Checksum"}}
	for _, name := range uploads("client", version, s.Targets) {
		files[checksumsName] += "0  " + name + "\n"
		if name != digestsName {
			files[name] = ""
			list = append(list, map[string]string{"name": name, "type": "Archive"})
		}
	}
	text, err := json.Marshal(list)
	must(t, err)
	files[artifactsName] = string(text)
	return files
}

func TestConfig(t *testing.T) {
	s := newTest(t, static(t))
	const own = "nfpms:\n  - section: net\nsigns:\n  - artifacts: checksum\nrelease:\n  draft: true\n"
	must(t, os.WriteFile(filepath.Join(s.Root, ".goreleaser.yaml"), []byte(own), 0o644))
	s.Project.Main = "./cmd/client"
	got, err := s.config()
	must(t, err)
	for _, line := range []string{"project_name: client", "dist: .dist.partial/dist", "main: ./cmd/client", "binary: client", "- linux_amd64", "- linux_arm_7",
		// The project's own, and beside it what it does not name.
		"section: net", "priority: optional", "- artifacts: checksum", "draft: true", "extra_files"} {
		if !strings.Contains(string(got), line) {
			t.Errorf("the configuration has no %q:\n%s", line, got)
		}
	}
	// What GoReleaser's templates read is set, and nothing else.
	var used, set []string
	for _, words := range strings.SplitAfter(string(got), ".Env.")[1:] {
		used = append(used, words[:strings.IndexAny(words, " }/")])
	}
	for _, v := range s.environment() {
		name, _, _ := strings.Cut(v, "=")
		set = append(set, name)
	}
	for _, name := range used {
		if !slices.Contains(set, name) {
			t.Errorf("%s is read and not set", name)
		}
	}
}

func TestReplace(t *testing.T) {
	dir := t.TempDir()
	place, with, old := filepath.Join(dir, "place"), filepath.Join(dir, "with"), filepath.Join(dir, "old")
	must(t, os.MkdirAll(filepath.Join(with, "first"), 0o755))
	must(t, replace(place, with, old)) // nothing is there
	must(t, os.MkdirAll(filepath.Join(with, "second"), 0o755))
	must(t, replace(place, with, old))
	if err := replace(place, with, filepath.Join(dir, "older")); err == nil { // with is gone
		t.Error("no error")
	}
	for _, name := range []string{filepath.Join(place, "second"), filepath.Join(old, "first")} {
		if _, err := os.Stat(name); err != nil {
			t.Error(err)
		}
	}
}

func TestStageKeepsTheCheckoutClean(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("skipped: git is not installed")
	}
	s := newTest(t, static(t))
	must(t, os.Remove(filepath.Join(s.Root, licenceName)))
	for _, args := range [][]string{{"init", "-q"}, {"status", "--porcelain", "--untracked-files=all"}} {
		cmd := exec.Command("git", args...)
		cmd.Dir = s.Root
		text, err := cmd.CombinedOutput()
		if err != nil || len(text) > 0 {
			t.Errorf("git %s: %v: %s", args[0], err, text)
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// wantError checks that an error has all the words, and that there is none if there are none.
func wantError(t *testing.T, err error, words ...string) {
	t.Helper()
	if err == nil {
		if len(words) > 0 {
			t.Errorf("no error, want %q", words)
		}
		return
	}
	if len(words) == 0 {
		t.Errorf("error: %v", err)
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("error without %q: %v", w, err)
		}
	}
	var coded *fault.Error
	if errors.As(fault.Exit(err), &coded) && coded.Code != fault.Failed && coded.Code != fault.Usage {
		t.Errorf("exit code %d", coded.Code)
	}
}

func sha256Of(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	must(t, err)
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

var commitTime = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
