//go:build linux

package release

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// debRoot is a root into which the host's dpkg installs without chroot(2): maintainer
// scripts are run in it as DPKG_ROOT says, dpkg(1).
type debRoot struct {
	*testing.T
	dir  string
	path string // of what dpkg and the scripts call; "": as here
}

func newDebRoot(t *testing.T) *debRoot {
	t.Helper()
	for _, program := range []string{"dpkg", "dpkg-deb", "getcap", "setcap"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skip("skipped: needs dpkg and libcap2-bin: ", err)
		}
	}
	r := &debRoot{T: t, dir: t.TempDir()}
	must(t, os.MkdirAll(filepath.Join(r.dir, "var/lib/dpkg/updates"), 0o755))
	must(t, os.MkdirAll(filepath.Join(r.dir, "var/lib/dpkg/info"), 0o755))
	must(t, os.WriteFile(filepath.Join(r.dir, "var/lib/dpkg/status"), nil, 0o644))
	probe := filepath.Join(r.dir, "probe")
	must(t, os.WriteFile(probe, nil, 0o755))
	if text, err := exec.Command("setcap", "cap_net_raw=p", probe).CombinedOutput(); err != nil {
		t.Skipf("skipped: no file capabilities can be set in %s: %s", r.dir, text)
	}
	return r
}

// program is where the package puts it.
func (r *debRoot) program() string { return filepath.Join(r.dir, "usr/bin/client") }

// install installs a package of a version, which has the maintainer scripts of a release,
// and returns what dpkg prints.
func (r *debRoot) install(version string) string {
	r.Helper()
	tree := r.TempDir()
	must(r.T, os.MkdirAll(filepath.Join(tree, "DEBIAN"), 0o755))
	must(r.T, os.MkdirAll(filepath.Join(tree, "usr/bin"), 0o755))
	control := "Package: client\nVersion: " + version + "\nArchitecture: all\nMaintainer: us\nDescription: x\n"
	must(r.T, os.WriteFile(filepath.Join(tree, "DEBIAN/control"), []byte(control), 0o644))
	must(r.T, os.WriteFile(filepath.Join(tree, "usr/bin/client"), []byte(version), 0o755))
	for _, script := range []string{"preinst", "postinst"} {
		must(r.T, copyFile(filepath.Join("deb", script), filepath.Join(tree, "DEBIAN", script)))
	}
	r.run("dpkg-deb", "-Znone", "--build", tree, tree+".deb")
	return r.run("dpkg", "--root="+r.dir, "--force-script-chrootless,bad-path,unsafe-io", "-i", tree+".deb")
}

func (r *debRoot) run(args ...string) string {
	r.Helper()
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	if r.path != "" {
		cmd.Env = append(cmd.Env, "PATH="+r.path)
	}
	text, err := cmd.CombinedOutput()
	if err != nil {
		r.Fatalf("%v: %v\n%s", cmd, err, text)
	}
	return string(text)
}

// capabilities are those of the installed program, as getcap prints them.
func (r *debRoot) capabilities() string {
	r.Helper()
	return strings.TrimSpace(strings.TrimPrefix(r.run("getcap", r.program()), r.program()))
}

// wantNoState checks that the scripts left nothing behind.
func (r *debRoot) wantNoState() {
	r.Helper()
	if _, err := os.Stat(filepath.Join(r.dir, "var/lib/client")); !os.IsNotExist(err) {
		r.Errorf("the scripts left their folder behind: %v", err)
	}
}

const (
	olderDeb = "0.0.0~20261124093000-ffffffffffff"
	newerDeb = "0.0.0~20261125093000-000000000000"
)

// An upgrade, like a downgrade, leaves the program with the capabilities that it had: none
// at first, then those that the administrator sets.
func TestUpgradeKeepsCapabilities(t *testing.T) {
	r := newDebRoot(t)
	r.install(olderDeb)
	for _, tt := range []struct{ capabilities, version string }{
		{"", newerDeb},
		{"cap_net_raw=ep", olderDeb},
		{"cap_net_raw=p cap_net_admin+i", newerDeb},
	} {
		if tt.capabilities != "" {
			r.run("setcap", tt.capabilities, r.program())
		}
		want := r.capabilities()
		if (want == "") != (tt.capabilities == "") {
			t.Fatalf("%q before the upgrade, want %q", want, tt.capabilities)
		}
		r.install(tt.version)
		if text, err := os.ReadFile(r.program()); err != nil || string(text) != tt.version {
			t.Fatalf("installed is %q, %v", text, err)
		}
		if got := r.capabilities(); got != want {
			t.Errorf("%s has capabilities %q, want %q", tt.version, got, want)
		}
		r.wantNoState()
	}
}

// An upgrade that cannot set them says so, and how to, and does not fail.
func TestUpgradeWithoutSetcap(t *testing.T) {
	r := newDebRoot(t)
	r.install(olderDeb)
	r.run("setcap", "cap_net_raw=ep", r.program())
	r.path = pathWithout(t, "setcap")
	text := r.install(newerDeb)
	if want := "to set them again: setcap cap_net_raw=ep " + r.program(); !strings.Contains(text, want) {
		t.Errorf("no %q in\n%s", want, text)
	}
	r.wantNoState()
}

// pathWithout has every program of PATH but one.
func pathWithout(t *testing.T, program string) string {
	t.Helper()
	dir := t.TempDir()
	for _, from := range filepath.SplitList(os.Getenv("PATH")) {
		entries, err := os.ReadDir(from)
		if err != nil {
			continue
		}
		for _, e := range entries {
			if e.Name() != program {
				os.Symlink(filepath.Join(from, e.Name()), filepath.Join(dir, e.Name())) // the first one counts
			}
		}
	}
	return dir
}

// What an upgrade remembered that was broken off is not for a later installation.
func TestInstallForgetsCapabilities(t *testing.T) {
	r := newDebRoot(t)
	state := filepath.Join(r.dir, "var/lib/client")
	must(t, os.MkdirAll(state, 0o755))
	must(t, os.WriteFile(filepath.Join(state, "capabilities"), []byte("cap_sys_admin=ep\n"), 0o644))
	r.install(newerDeb)
	if got := r.capabilities(); got != "" {
		t.Errorf("a new installation has %q", got)
	}
}
