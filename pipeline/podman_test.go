//go:build linux

package pipeline_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestPodman builds, verifies, runs and cleans with a podman service of its own. It is
// `mage test:podman`. As root it installs podman where there is none and apt-get is;
// TCAPFLOW_TEST_PODMAN_USER names a user with a range in /etc/subuid, for a rootless one.
func TestPodman(t *testing.T) {
	if os.Getenv("TCAPFLOW_TEST_PODMAN") != "1" {
		t.Skip("podman is tested with TCAPFLOW_TEST_PODMAN=1, or `mage test:podman`")
	}
	installPodman(t)
	built := map[string][32]byte{}
	t.Run("rootful", func(t *testing.T) {
		if os.Getuid() != 0 {
			t.Skip("not root")
		}
		built["rootful"] = withPodman(t, nil)
	})
	t.Run("rootless", func(t *testing.T) {
		name := os.Getenv("TCAPFLOW_TEST_PODMAN_USER")
		if os.Getuid() != 0 {
			built["rootless"] = withPodman(t, nil)
			return
		}
		if name == "" {
			t.Skip("name a user with a range in /etc/subuid in TCAPFLOW_TEST_PODMAN_USER")
		}
		u, err := user.Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		built["rootless"] = withPodman(t, u)
	})
	if len(built) == 2 && built["rootful"] != built["rootless"] {
		t.Errorf("rootful and rootless builds differ: %x", built)
	}
}

func installPodman(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("podman"); err == nil {
		return
	}
	if _, err := exec.LookPath("apt-get"); err != nil || os.Getuid() != 0 {
		t.Skip("no podman on PATH, and to install it needs root and apt-get")
	}
	if out, err := exec.Command("sh", "-c", "apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends podman uidmap").CombinedOutput(); err != nil {
		t.Fatalf("install podman: %v\n%s", err, out)
	}
}

// withPodman does with one service what a user does, and returns the binary's SHA-256.
func withPodman(t *testing.T, as *user.User) (sum [32]byte) {
	program, err := compiled()
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "podman-") // a socket's path has at most 107 bytes, unix(7)
	if err != nil {
		t.Fatal(err)
	}
	p := &podman{T: t, dir: dir, as: as, mage: program, checkout: filepath.Join(dir, "checkout")}
	t.Cleanup(p.end)
	p.serve()
	p.run(".", "git", "clone", "--quiet", "..", p.checkout)
	p.run(p.checkout, program, "static", "-targets=linux/amd64", "-base=debian")
	p.run(p.checkout, program, "verify")
	binary, err := os.ReadFile(filepath.Join(p.checkout, "out/linux_amd64/tcapflow-client"))
	if err != nil {
		t.Fatal(err)
	}
	p.change()
	p.run(p.checkout, program, "static", "-targets=linux/amd64", "-base=debian")
	p.distros()
	p.clean()
	return sha256.Sum256(binary)
}

type podman struct {
	*testing.T
	dir, checkout, mage string
	as                  *user.User // nil: who runs the test
	service             *exec.Cmd
}

func (p *podman) socket() string { return filepath.Join(p.dir, "podman.sock") }
func (p *podman) log() string    { return filepath.Join(p.dir, "service.log") }

// said is what the service wrote.
func (p *podman) said() string {
	text, _ := os.ReadFile(p.log())
	return string(text)
}

// serve starts the service, with storage and settings of its own.
func (p *podman) serve() {
	p.Helper()
	config := "[engine]\ncgroup_manager = \"cgroupfs\"\nevents_logger = \"file\"\n" + p.runtime()
	p.must(os.WriteFile(filepath.Join(p.dir, "containers.conf"), []byte(config), 0o644))
	p.service = exec.Command("podman", "--root", p.dir+"/root", "--runroot", p.dir+"/run", "--tmpdir", p.dir+"/tmp",
		"system", "service", "--time=0", "unix://"+p.socket())
	p.service.Env = append(os.Environ(), "CONTAINERS_CONF="+p.dir+"/containers.conf")
	p.service.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if p.as != nil {
		uid, err := strconv.ParseUint(p.as.Uid, 10, 32)
		p.must(err)
		gid, err := strconv.ParseUint(p.as.Gid, 10, 32)
		p.must(err)
		p.must(os.Chown(p.dir, int(uid), int(gid)))
		p.service.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		p.service.Env = append(p.service.Env, "HOME="+p.dir, "XDG_RUNTIME_DIR="+p.dir, "USER="+p.as.Username)
		p.service.Dir = p.dir
	}
	log, err := os.Create(p.log()) // no pipe: what the service leaves behind would keep it open
	p.must(err)
	defer log.Close()
	p.service.Stdout, p.service.Stderr = log, log
	p.must(p.service.Start())
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		if _, err := os.Stat(p.socket()); err == nil {
			return
		} else if time.Now().After(end) {
			p.Fatalf("the service does not start:\n%s", p.said())
		}
	}
}

// withoutLimits is an OCI runtime for a machine whose root may not raise limits: podman
// asks for higher ones than it has.
const withoutLimits = `#!/bin/sh
for arg; do
	case "$last" in --bundle) file=$arg/config.json ;; --process) file=$arg ;; esac
	last=$arg
done
test -z "$file" || sed -i 's/"rlimits":\[[^]]*\],//; s/,"rlimits":\[[^]]*\]//' "$file"
exec runc "$@"
`

// runtime is what of the settings concerns the OCI runtime. CAP_SYS_RESOURCE is bit 24 of
// CapEff, proc_pid_status(5).
func (p *podman) runtime() string {
	status, err := os.ReadFile("/proc/self/status")
	p.must(err)
	_, caps, _ := strings.Cut(string(status), "CapEff:\t")
	caps, _, _ = strings.Cut(caps, "\n")
	bits, err := strconv.ParseUint(caps, 16, 64)
	p.must(err)
	if os.Getuid() != 0 || bits&(1<<24) != 0 {
		return ""
	}
	p.Log("no CAP_SYS_RESOURCE: containers run without podman's limits")
	program := filepath.Join(p.dir, "runc-without-limits")
	p.must(os.WriteFile(program, []byte(withoutLimits), 0o755))
	return fmt.Sprintf("runtime = \"nolimits\"\n[engine.runtimes]\nnolimits = [%q]\n", program)
}

// run runs a command against the service and returns its standard output.
func (p *podman) run(dir, program string, args ...string) string {
	p.Helper()
	start := time.Now()
	var stdout, stderr bytes.Buffer
	cmd := exec.Command(program, args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "DOCKER_HOST=unix://"+p.socket())
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		p.Fatalf("%s %q: %v\n%s%s", filepath.Base(program), args, err, stdout.String(), stderr.String())
	}
	p.Logf("%s %s: %.1fs\n%s", filepath.Base(program), strings.Join(args, " "), time.Since(start).Seconds(), stdout.String())
	return stdout.String()
}

// change makes what is to be built another thing.
func (p *podman) change() {
	f, err := os.OpenFile(filepath.Join(p.checkout, "cmd/tcapflow-client/main.go"), os.O_APPEND|os.O_WRONLY, 0)
	p.must(err)
	_, err = f.WriteString("\n// changed\n")
	p.must(err)
	p.must(f.Close())
}

// distros runs what the checkout of this test has packed.
func (p *podman) distros() {
	if _, err := os.Stat("../dist/artifacts.json"); err != nil {
		p.Log("SKIP test:distros: nothing is packed; run `mage release` first")
		return
	}
	p.must(os.CopyFS(filepath.Join(p.checkout, "dist"), os.DirFS("../dist")))
	for _, cell := range []string{"scratch/amd64", "debian12/amd64/deb"} {
		if out := p.run(p.checkout, p.mage, "test:distros", "-only="+cell); !strings.Contains(out, "4 passed, 0 failed") {
			p.Errorf("%s:\n%s", cell, out)
		}
	}
}

// clean sees what is there, and frees it.
func (p *podman) clean() {
	p.Helper()
	shown := p.run(p.checkout, p.mage, "clean", "-show")
	for _, what := range []string{"image localhost/tcapflow-builder:", "volume tcapflow-cache-linux_amd64-", "TCAPFLOW_ENGINE_CACHE"} {
		if !strings.Contains(shown, what) {
			p.Errorf("clean -show says nothing of %q:\n%s", what, shown)
		}
	}
	p.run(p.checkout, p.mage, "clean")
	if shown = p.run(p.checkout, p.mage, "clean", "-show"); strings.Contains(shown, "image ") || strings.Contains(shown, "volume ") {
		p.Errorf("clean left\n%s", shown)
	}
}

// end stops the service and removes its storage.
func (p *podman) end() {
	if p.Failed() {
		p.Logf("the service said:\n%s", p.said())
	}
	if p.service != nil && p.service.Process != nil {
		p.service.Process.Signal(syscall.SIGTERM)
		p.service.Wait()
	}
	p.killRest()
	for _, mount := range []string{"/root/overlay", "/root"} {
		syscall.Unmount(p.dir+mount, syscall.MNT_DETACH)
	}
	os.RemoveAll(p.dir)
}

// killRest ends what the service has left: a rootless one runs in a child of its own with
// a process that holds its namespaces, and conmon stays for 5 minutes after each command.
// The name of this test's folder is in the arguments or the environment of each.
func (p *podman) killRest() {
	processes, err := filepath.Glob("/proc/[0-9]*")
	p.must(err)
	for _, process := range processes {
		args, _ := os.ReadFile(process + "/cmdline")
		env, _ := os.ReadFile(process + "/environ")
		pid, err := strconv.Atoi(filepath.Base(process))
		if err == nil && (bytes.Contains(args, []byte(p.dir)) || bytes.Contains(env, []byte(p.dir))) {
			syscall.Kill(pid, syscall.SIGKILL)
		}
	}
}

func (p *podman) must(err error) {
	p.Helper()
	if err != nil {
		p.Fatal(err)
	}
}
