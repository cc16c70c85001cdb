package release

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tcapflow/tcapflow/build/defaults"

	"github.com/tcapflow/tcapflow/build"
)

// TestPack runs GoReleaser in this checkout, on binaries that cannot be run, and looks
// into what it packs; dist/ is not touched.
func TestPack(t *testing.T) {
	needTools(t)
	s := newTest(t, static(t))
	root, err := filepath.Abs("../../..")
	must(t, err)
	o := s.Options
	o.Root, o.Targets, o.Env, o.Module = root, defaults.Targets.Built, os.Environ(), "github.com/tcapflow/tcapflow"
	o.Project.Main = build.Project.Main
	o.Mirror, o.Lock = testMirror(t)
	o.Tool = StartTool(t.Context(), root, os.Environ(), false)
	defer o.Tool.Stop()
	commit(t, o.Out, o.Targets, static(t))
	s, err = newStage(o)
	must(t, err)
	defer s.remove()
	binaries, err := s.binaries()
	must(t, err)
	must(t, s.pack(context.Background(), binaries))
	for i, target := range o.Targets {
		name := s.path("dist", "client_"+version+"_"+target.Dir())
		t.Run(target.Name+"/tar.gz", func(t *testing.T) { checkArchive(t, name+".tar.gz", binaries[i]) })
		t.Run(target.Name+"/deb", func(t *testing.T) { checkDeb(t, name+".deb", target.Debian) })
	}
}

func needTools(t *testing.T) {
	t.Helper()
	if os.Getenv("TCAPFLOW_TEST_TOOLS") != "1" {
		t.Skip("skipped: compiles GoReleaser, which takes minutes: set TCAPFLOW_TEST_TOOLS=1")
	}
}

func checkArchive(t *testing.T, name string, b Binary) {
	t.Helper()
	f, err := os.Open(name)
	must(t, err)
	defer f.Close()
	packed, err := gzip.NewReader(f)
	must(t, err)
	found := map[string]string{}
	for entries := tar.NewReader(packed); ; {
		h, err := entries.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		must(t, err)
		sum := sha256.New()
		_, err = io.Copy(sum, entries)
		must(t, err)
		found[h.Name] = fmt.Sprintf("%o %s:%s %d:%d", h.Mode, h.Uname, h.Gname, h.Uid, h.Gid)
		if !h.ModTime.Equal(commitTime) {
			t.Errorf("%s is of %v, want %v", h.Name, h.ModTime, commitTime)
		}
		if got := hex.EncodeToString(sum.Sum(nil)); h.Name == "client" && got != b.SHA256 {
			t.Errorf("the binary has SHA-256 %s, want %s", got, b.SHA256)
		}
	}
	if found["client"] != "755 root:root 0:0" || found["LICENSE"] != "644 root:root 0:0" {
		t.Errorf("holds %v", found)
	}
}

// debVersion is the version as dpkg sorts it: "~" comes before everything, deb-version(7).
// The tests of package source ask dpkg about the order of such versions.
var debVersion = strings.Replace(version, "-", "~", 1)

// checkDeb asks dpkg-deb(1), which is whom users ask.
func checkDeb(t *testing.T, name, arch string) {
	t.Helper()
	if _, err := exec.LookPath("dpkg-deb"); err != nil {
		t.Skip("skipped: dpkg-deb is not installed")
	}
	ask := func(args ...string) string {
		cmd := exec.Command("dpkg-deb", args...)
		cmd.Env = append(os.Environ(), "TZ=UTC", "LC_ALL=C")
		text, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("dpkg-deb %s: %v\n%s", args[0], err, text)
		}
		return string(text)
	}
	control := ask("-f", name)
	for _, line := range []string{"Package: client\n", "Version: " + debVersion + "\n", "Architecture: " + arch + "\n", "Section: net\n", "Priority: optional\n"} {
		if !strings.Contains(control, line) {
			t.Errorf("no %q in\n%s", line, control)
		}
	}
	if strings.Contains(control, "Depends:") {
		t.Errorf("depends on something:\n%s", control)
	}
	for _, script := range []string{"preinst", "postinst"} { // TestUpgradeKeepsCapabilities runs them
		want, err := os.ReadFile(filepath.Join("deb", script))
		must(t, err)
		if got := ask("-I", name, script); got != string(want) {
			t.Errorf("%s is not ours:\n%s", script, got)
		}
	}
	contents := ask("-c", name)
	for _, line := range []string{"-rwxr-xr-x root/root", "2026-01-02 03:04 ./usr/bin/client\n", "2026-01-02 03:04 ./usr/share/doc/client/copyright\n"} {
		if !strings.Contains(contents, line) {
			t.Errorf("no %q in\n%s", line, contents)
		}
	}
}
