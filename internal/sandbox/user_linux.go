package sandbox

import (
	"fmt"
	"os"
	"os/user"
	"strconv"
	"strings"
	"syscall"
)

// DropTo becomes another user, a name or UID[:GID], with no other groups: of all threads
// (nptl(7)), for good. Only root can.
func DropTo(name string) error {
	uid, gid, err := lookup(name)
	if err != nil {
		return err
	}
	if err := syscall.Setgroups([]int{}); err != nil {
		return fmt.Errorf("setgroups: %w", err)
	}
	if err := syscall.Setgid(gid); err != nil {
		return fmt.Errorf("setgid: %w", err)
	}
	if err := syscall.Setuid(uid); err != nil {
		return fmt.Errorf("setuid: %w", err)
	}
	if uid != 0 && (os.Getuid() != uid || syscall.Setuid(0) == nil) {
		return fmt.Errorf("%s: root could be had again", name)
	}
	return nil
}

// lookup finds the numbers of a user.
func lookup(name string) (uid, gid int, err error) {
	first, second, both := strings.Cut(name, ":")
	if uid, err = number(first); err == nil {
		if !both {
			return uid, uid, nil
		}
		gid, err = number(second)
		return uid, gid, err
	}
	u, err := user.Lookup(name)
	if err != nil {
		return 0, 0, err
	}
	if uid, err = number(u.Uid); err != nil {
		return 0, 0, err
	}
	gid, err = number(u.Gid)
	return uid, gid, err
}

func number(text string) (int, error) {
	n, err := strconv.ParseUint(text, 10, 31)
	if err != nil {
		return 0, fmt.Errorf("%q: want a user's name, or UID:GID", text)
	}
	return int(n), nil
}
