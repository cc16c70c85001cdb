//go:build linux

package sandbox

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// roles are what a child process of the tests does, by the value of role.
var roles = map[string]func(){"landlock": inLandlock, "seccomp": inSeccomp, "user": asNobody}

const role = "SANDBOX_TEST_ROLE"

func TestMain(m *testing.M) {
	if do, ok := roles[os.Getenv(role)]; ok {
		do()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// child runs a role and returns its lines. Where the kernel lacks something the child says
// so, and the test is skipped.
func child(t *testing.T, name string, variables ...string) []string {
	t.Helper()
	c := exec.Command(os.Args[0])
	c.Env = append(append(os.Environ(), variables...), role+"="+name)
	out, err := c.CombinedOutput()
	if reason, ok := strings.CutPrefix(string(out), "unsupported: "); ok {
		t.Skip(strings.TrimSpace(reason))
	}
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return strings.Split(strings.TrimSpace(string(out)), "\n")
}

// attempt prints what came of an action: "ok", or the name of the error.
func attempt(name string, err error) {
	var errno syscall.Errno
	text := "ok"
	if errors.As(err, &errno) {
		text = unix.ErrnoName(errno)
	} else if err != nil {
		text = err.Error()
	}
	fmt.Printf("%s: %s\n", name, text)
}

// unless ends the child where something is not supported.
func unless(err error) {
	if errors.Is(err, ErrUnsupported) {
		fmt.Printf("unsupported: %v\n", err)
		os.Exit(0)
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

// onThreads does something on several threads that were there before, and returns the first
// error that is not like the first one's.
func onThreads(prepare func() error, do func() error) error {
	const threads = 8
	var locked, ended sync.WaitGroup
	begin := make(chan struct{})
	results := make([]error, threads)
	for i := range threads {
		locked.Add(1)
		ended.Go(func() {
			runtime.LockOSThread()
			locked.Done()
			<-begin
			results[i] = do()
		})
	}
	locked.Wait()
	if err := prepare(); err != nil {
		return err
	}
	close(begin)
	ended.Wait()
	for _, err := range results {
		if !errors.Is(err, results[0]) {
			return fmt.Errorf("one thread says %v, another %v", results[0], err)
		}
	}
	return results[0]
}

func write(name string) error { return os.WriteFile(name, []byte("x"), 0o600) }

func listen(port string) error {
	var c net.ListenConfig
	c.SetMultipathTCP(false) // Landlock knows only TCP
	l, err := c.Listen(context.Background(), "tcp", "127.0.0.1:"+port)
	if err == nil {
		l.Close()
	}
	return err
}

func inLandlock() {
	dir := os.Getenv("DIR")
	if !Entered() {
		unless(Enter(Limits{Read: []string{"/proc", "/etc", dir + "/readable", dir + "/not there"},
			Write: []string{dir + "/writable"}, Bind: []uint16{0}}))
	}
	attempt("write", write(dir+"/writable/new"))
	attempt("rename", os.Rename(dir+"/writable/new", dir+"/writable/newer"))
	attempt("write again", write(dir+"/writable/newer"))
	attempt("remove", os.Remove(dir+"/writable/newer"))
	_, err := os.ReadFile(dir + "/readable/file")
	attempt("read", err)
	attempt("write what is readable", write(dir+"/readable/file"))
	_, err = os.ReadFile(dir + "/other/file")
	attempt("read other", err)
	attempt("write other", write(dir+"/other/new"))
	attempt("on threads", onThreads(func() error { return nil }, func() error {
		_, err := os.ReadFile(dir + "/other/file")
		return errors.Unwrap(err)
	}))
	attempt("run another", syscall.Exec("/bin/sh", []string{"sh", "-c", "echo ran"}, nil))
	attempt("listen on any port", listen("0"))
	attempt("listen on one", listen(os.Getenv("PORT")))
	attempt("signal", syscall.Kill(os.Getppid(), syscall.SIGWINCH))
	fmt.Println("arguments:", len(os.Args), os.Getenv(marker) == "")
}

// TestEnter has a child do what is allowed and what is not.
func TestEnter(t *testing.T) {
	abi, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	if errno != 0 {
		t.Skipf("the kernel has no Landlock: %v", errno)
	}
	signal.Ignore(syscall.SIGWINCH)
	dir := t.TempDir()
	for _, name := range []string{"readable", "writable", "other"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := write(filepath.Join(dir, name, "file")); err != nil {
			t.Fatal(err)
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
	l.Close()
	want := []string{"write: ok", "rename: ok", "write again: ok", "remove: ok", "read: ok",
		"write what is readable: EACCES", "read other: EACCES", "write other: EACCES", "on threads: EACCES",
		"run another: EACCES", "listen on any port: ok", "listen on one: EACCES", "signal: EPERM", "arguments: 1 true"}
	if abi < 4 {
		want[11] = "listen on one: ok"
	}
	if abi < 6 {
		want[12] = "signal: ok"
	}
	compare(t, child(t, "landlock", "DIR="+dir, "PORT="+port), want)
}

func compare(t *testing.T, got, want []string) {
	t.Helper()
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}

func open(family, kind int) error {
	return openFor(family, kind, 0)
}

func openFor(family, kind, protocol int) error {
	fd, err := unix.Socket(family, kind, protocol)
	if err == nil {
		unix.Close(fd)
	}
	return err
}

func inSeccomp() {
	attempt("execve on threads", onThreads(func() error { unless(Close()); return nil }, func() error {
		return syscall.Exec("/proc/self/exe", os.Args, nil)
	}))
	attempt("unshare", unix.Unshare(unix.CLONE_NEWUSER))
	attempt("mount", unix.Mount("none", "/", "tmpfs", 0, ""))
	attempt("ptrace", unix.PtraceAttach(os.Getppid()))
	attempt("packet socket", open(unix.AF_PACKET, unix.SOCK_RAW))
	attempt("raw socket", open(unix.AF_INET, unix.SOCK_RAW|unix.SOCK_CLOEXEC))
	attempt("datagram socket", open(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC))
	attempt("multipath TCP", openFor(unix.AF_INET, unix.SOCK_STREAM, unix.IPPROTO_MPTCP))
	attempt("unix socket", open(unix.AF_UNIX, unix.SOCK_DGRAM))
	attempt("listen", listen("0"))
	_, err := net.Interfaces() // by netlink
	attempt("interfaces", err)
	_, err = os.ReadFile("/proc/self/status")
	attempt("read", err)
}

// TestClose has a child forbid system calls, and make them on threads that were there
// before.
func TestClose(t *testing.T) {
	want := []string{"execve on threads: EPERM", "unshare: EPERM", "mount: EPERM", "ptrace: EPERM",
		"packet socket: EPERM", "raw socket: EPERM", "datagram socket: ok",
		"multipath TCP: EPERM", "unix socket: ok", "listen: ok",
		"interfaces: ok", "read: ok"}
	if _, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_GET_ACTION_AVAIL, 0, 0); errno == unix.ENOSYS {
		t.Skip("the kernel has no seccomp")
	}
	if runtime.GOARCH == "386" || runtime.GOARCH == "s390x" {
		t.Skip("sockets are made by socketcall(2) here, whose arguments no filter sees")
	}
	compare(t, child(t, "seccomp"), want)
}

func asNobody() {
	before := onThreads(func() error { return DropTo(Nobody) }, func() error { return nil })
	attempt("drop", before)
	_, err := os.ReadFile(os.Getenv("FILE"))
	attempt("read what is root's", err)
	attempt("packet socket", open(unix.AF_PACKET, unix.SOCK_RAW))
	statuses, err := filepath.Glob("/proc/self/task/*/status")
	attempt("threads", err)
	for _, name := range statuses {
		status, err := os.ReadFile(name)
		if err == nil && (!strings.Contains(string(status), "Uid:\t65534\t65534\t65534\t65534") ||
			!strings.Contains(string(status), "CapPrm:\t0000000000000000") ||
			!strings.Contains(string(status), "Gid:\t65534\t65534\t65534\t65534")) {
			fmt.Printf("%s: %s\n", name, status)
		}
	}
}

// TestDropTo has a child of root become nobody, with all of its threads.
func TestDropTo(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("not root")
	}
	if err := exec.Command("/proc/self/exe", "-test.run=^$").Run(); err != nil {
		t.Skipf("cannot run itself: %v", err)
	}
	file := filepath.Join(t.TempDir(), "secret")
	if err := write(file); err != nil {
		t.Fatal(err)
	}
	compare(t, child(t, "user", "FILE="+file),
		[]string{"drop: ok", "read what is root's: EACCES", "packet socket: EPERM", "threads: ok"})
}

func TestLookup(t *testing.T) {
	for name, want := range map[string]string{"7": "7 7", "7:8": "7 8", "root": "0 0"} {
		uid, gid, err := lookup(name)
		if got := fmt.Sprint(uid, gid); err != nil || got != want {
			t.Errorf("%s: %s, %v", name, got, err)
		}
	}
	for _, name := range []string{"", "no such user", "7:x", "-1:0", "4294967296"} {
		if _, _, err := lookup(name); err == nil {
			t.Errorf("%q is a user", name)
		}
	}
}
