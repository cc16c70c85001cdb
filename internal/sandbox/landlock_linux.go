package sandbox

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// marker is the variable by which the program knows that it was started anew in its limits.
const marker = "_TCAPFLOW_ENTERED"

var entered = func() bool {
	_, ok := os.LookupEnv(marker)
	os.Unsetenv(marker)
	return ok
}()

// Entered tells whether Enter started this program.
func Entered() bool { return entered }

// Enter starts the program anew, with the same arguments, in limits. It returns only if that
// cannot be: with ErrUnsupported where the kernel has no Landlock.
//
// Landlock limits a thread and what that starts. A Go program has several threads before its
// first line runs, and C's are out of Go's reach (syscall.AllThreadsSyscall refuses in a
// program with cgo); so one thread enters the limits and executes the program in them. What
// a file's capabilities permit stays permitted: no-new-privileges cuts them down to what the
// caller had, capabilities(7).
func Enter(l Limits) error {
	abi, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	if errno != 0 {
		return fmt.Errorf("landlock: %w", ErrUnsupported)
	}
	failed := make(chan error)
	go func() {
		// Never unlocked: where it fails, the thread ends with this goroutine, and its
		// limits with it.
		runtime.LockOSThread()
		failed <- l.enter(int(abi))
	}()
	return <-failed
}

func (l Limits) enter(abi int) error {
	self, err := unix.Open("/proc/self/exe", unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("/proc/self/exe: %w", err)
	}
	ruleset, err := l.ruleset(abi, self)
	if err != nil {
		return err
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("no-new-privileges: %w", err)
	}
	if _, _, errno := unix.RawSyscall(unix.SYS_LANDLOCK_RESTRICT_SELF, uintptr(ruleset), 0, 0); errno != 0 {
		return fmt.Errorf("landlock_restrict_self: %w", errno)
	}
	err = syscall.Exec("/proc/self/exe", os.Args, append(os.Environ(), marker+"=1"))
	return fmt.Errorf("starting anew: %w", err)
}

// Rights of files, by the version of Landlock that they came with, landlock(7).
const (
	readRights  = unix.LANDLOCK_ACCESS_FS_READ_FILE | unix.LANDLOCK_ACCESS_FS_READ_DIR
	writeRights = readRights | unix.LANDLOCK_ACCESS_FS_WRITE_FILE | unix.LANDLOCK_ACCESS_FS_TRUNCATE |
		unix.LANDLOCK_ACCESS_FS_MAKE_REG | unix.LANDLOCK_ACCESS_FS_REMOVE_FILE
	execRights = unix.LANDLOCK_ACCESS_FS_EXECUTE | unix.LANDLOCK_ACCESS_FS_READ_FILE
	// A rule for a file, in place of a folder, may have these alone.
	fileRights = unix.LANDLOCK_ACCESS_FS_EXECUTE | unix.LANDLOCK_ACCESS_FS_WRITE_FILE |
		unix.LANDLOCK_ACCESS_FS_READ_FILE | unix.LANDLOCK_ACCESS_FS_TRUNCATE | unix.LANDLOCK_ACCESS_FS_IOCTL_DEV
)

// attributes are all that a version of Landlock can limit.
func (l Limits) attributes(abi int) unix.LandlockRulesetAttr {
	a := unix.LandlockRulesetAttr{Handled_access_fs: unix.LANDLOCK_ACCESS_FS_MAKE_SYM<<1 - 1}
	if abi >= 2 {
		a.Handled_access_fs |= unix.LANDLOCK_ACCESS_FS_REFER
	}
	if abi >= 3 {
		a.Handled_access_fs |= unix.LANDLOCK_ACCESS_FS_TRUNCATE
	}
	if abi >= 4 {
		a.Handled_access_net = unix.LANDLOCK_ACCESS_NET_BIND_TCP | unix.LANDLOCK_ACCESS_NET_CONNECT_TCP
	}
	if abi >= 5 {
		a.Handled_access_fs |= unix.LANDLOCK_ACCESS_FS_IOCTL_DEV
	}
	if abi >= 6 {
		a.Scoped = unix.LANDLOCK_SCOPE_SIGNAL
		if !l.AbstractSockets {
			a.Scoped |= unix.LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET
		}
	}
	return a
}

// ruleset makes the ruleset; self is the program's file.
func (l Limits) ruleset(abi, self int) (fd int, err error) {
	a := l.attributes(abi)
	// A kernel refuses what it does not know if it is not zero, and takes the rest.
	r, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, uintptr(unsafe.Pointer(&a)), unsafe.Sizeof(a), 0)
	if errno != 0 {
		return -1, fmt.Errorf("landlock_create_ruleset: %w", errno)
	}
	fd = int(r)
	err = addFile(fd, self, execRights)
	for _, name := range libraries() {
		err = errors.Join(err, addPath(fd, name, execRights))
	}
	for _, name := range l.Read {
		err = errors.Join(err, addPath(fd, name, readRights))
	}
	for _, name := range l.Write {
		err = errors.Join(err, addPath(fd, name, writeRights&a.Handled_access_fs))
	}
	if abi < 4 {
		return fd, err
	}
	for _, port := range l.Bind {
		err = errors.Join(err, addPort(fd, port, unix.LANDLOCK_ACCESS_NET_BIND_TCP))
	}
	for _, port := range l.Connect {
		err = errors.Join(err, addPort(fd, port, unix.LANDLOCK_ACCESS_NET_CONNECT_TCP))
	}
	return fd, err
}

// libraries are the files that the program executes code of, besides its own: the loader and
// the libraries of one that is not static. Their names stand at the ends of the lines of
// proc_pid_maps(5).
func libraries() (names []string) {
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		return nil
	}
	for line := range strings.Lines(string(maps)) {
		fields := strings.Fields(line)
		if len(fields) == 6 && strings.Contains(fields[1], "x") && strings.HasPrefix(fields[5], "/") {
			names = append(names, fields[5])
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// addPath allows rights below a path. One that is not there is passed over.
func addPath(ruleset int, name string, rights uint64) error {
	f, err := unix.Open(name, unix.O_PATH|unix.O_CLOEXEC, 0)
	if errors.Is(err, unix.ENOENT) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	defer unix.Close(f)
	var info unix.Stat_t
	if err := unix.Fstat(f, &info); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if info.Mode&unix.S_IFMT != unix.S_IFDIR {
		rights &= fileRights
	}
	return addFile(ruleset, f, rights)
}

func addFile(ruleset, file int, rights uint64) error {
	// The kernel's struct is packed and ends with the descriptor: the padding is not read.
	rule := unix.LandlockPathBeneathAttr{Allowed_access: rights, Parent_fd: int32(file)}
	return addRule(ruleset, unix.LANDLOCK_RULE_PATH_BENEATH, unsafe.Pointer(&rule))
}

// ruleNetPort is LANDLOCK_RULE_NET_PORT, which package unix lacks.
const ruleNetPort = 2

// addPort allows rights for a TCP port: struct landlock_net_port_attr.
func addPort(ruleset int, port uint16, rights uint64) error {
	rule := [2]uint64{rights, uint64(port)}
	return addRule(ruleset, ruleNetPort, unsafe.Pointer(&rule))
}

func addRule(ruleset int, kind uintptr, rule unsafe.Pointer) error {
	_, _, errno := unix.Syscall6(unix.SYS_LANDLOCK_ADD_RULE, uintptr(ruleset), kind, uintptr(rule), 0, 0, 0)
	if errno != 0 {
		return fmt.Errorf("landlock_add_rule: %w", errno)
	}
	return nil
}
