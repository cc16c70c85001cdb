// Package cache keeps the cache folder on the host: it knows what may lie there, marks the
// folder as ours, and removes what runs left.
//
// In: a folder that a user may have named. Out: a marked folder. One that holds other
// things is refused, and nothing but our own children is ever removed from one.
package cache

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/tcapflow/tcapflow/pipeline/internal/files"
)

// Folders of what is kept, by content.
const (
	downloads  = "downloads"
	libraries  = "libraries"
	emulators  = "qemu"
	selfchecks = "selfcheck"
)

// kept are all of them.
var kept = []string{downloads, libraries, emulators, selfchecks}

// locks begins the names of files with package sets that were resolved again.
const locks = "lock-"

// work begins the names of work folders, of one run each.
var work = []string{"builder-", "distro-", "unpacked-"}

// MarkName is the file that marks a folder as ours. Its first line is that of the Cache
// Directory Tagging Specification (https://bford.info/cachedir/), by which programs that
// make backups know a cache; other programs' caches have it too, so the second line counts.
const MarkName = "CACHEDIR.TAG"

const mark = "Signature: 8a477f597d28d172789f06886806bc55\n" +
	"# musl-static: downloads and compiled C libraries\n"

// Folder is the path of a cache folder.
type Folder string

// lostAndFound is in the top folder of a file system that was made for the cache alone.
const lostAndFound = "lost+found"

// ErrNotOurs says that a folder holds other things than a cache of ours.
var ErrNotOurs = errors.New("is not empty, and not a cache folder of ours")

// Open makes and marks the folder. One without a mark is taken over if nothing lies in it
// but what could be ours: those of earlier versions have no mark.
func Open(path string) (Folder, error) {
	f := Folder(path)
	if err := os.MkdirAll(path, 0o755); err != nil {
		return f, err
	}
	ours, err := f.marked()
	if err != nil || ours {
		return f, err
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return f, err
	}
	for _, e := range entries {
		if !isOurs(e) && e.Name() != lostAndFound {
			return f, fmt.Errorf("%s %w: it has %s", path, ErrNotOurs, e.Name())
		}
	}
	return f, files.Write(f.in(MarkName), []byte(mark))
}

// Existing is a folder that is there and marked; ok is false where it is not there.
func Existing(path string) (f Folder, ok bool, err error) {
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return "", false, nil
	}
	f, err = Open(path)
	return f, err == nil, err
}

func (f Folder) marked() (bool, error) {
	text, err := os.ReadFile(f.in(MarkName))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return string(text) == mark, err
}

func (f Folder) in(name string) string { return filepath.Join(string(f), name) }

// Downloads is the folder of files from the network, by their digest.
func (f Folder) Downloads() string { return f.in(downloads) }

// Libraries is the folder of compiled C libraries, by key.
func (f Folder) Libraries() string { return f.in(libraries) }

// SelfChecks is the folder of what builders were found to be fit for.
func (f Folder) SelfChecks() string { return f.in(selfchecks) }

// Lock is the file of a lock's renewed sets.
func (f Folder) Lock(key string) string { return f.in(locks + key + ".json") }

// isOurs tells whether an entry of the folder can be one of ours.
func isOurs(e fs.DirEntry) bool {
	if slices.Contains(kept, e.Name()) { // or a link, to another disk perhaps
		return !e.Type().IsRegular()
	}
	return isLock(e) || isWork(e) || !e.IsDir() && isPart(e.Name())
}

func isLock(e fs.DirEntry) bool {
	return !e.IsDir() && strings.HasPrefix(e.Name(), locks) && strings.HasSuffix(e.Name(), ".json")
}

func isWork(e fs.DirEntry) bool {
	return e.IsDir() && slices.ContainsFunc(work, func(p string) bool { return strings.HasPrefix(e.Name(), p) })
}

func isPart(name string) bool {
	part, _ := filepath.Match(files.PartPattern, name)
	return part
}

const (
	workFor = 24 * time.Hour      // an assembly takes a minute, a test of all distributions minutes
	lockFor = 30 * 24 * time.Hour // a lock that nobody has read for so long is of no commit in use
)

// Sweep removes what runs that were killed left: unpacked layers, half a gigabyte a time,
// files that are not whole, and sets of locks that nobody has any more. What is younger
// may be of somebody who is still at work.
func (f Folder) Sweep(now time.Time) error {
	entries, err := os.ReadDir(string(f))
	if err != nil {
		return err
	}
	for _, e := range entries {
		age := workFor
		if isLock(e) {
			age = lockFor
		} else if !isWork(e) {
			continue
		}
		if err := f.remove(e, now.Add(-age)); err != nil {
			return err
		}
	}
	return f.sweepParts(now.Add(-workFor))
}

// remove removes an entry that was last changed before a time.
func (f Folder) remove(e fs.DirEntry, before time.Time) error {
	info, err := e.Info()
	if errors.Is(err, fs.ErrNotExist) || err == nil && !info.ModTime().Before(before) {
		return nil
	}
	if err != nil {
		return err
	}
	return os.RemoveAll(f.in(e.Name()))
}

// sweepParts removes old files that are not whole, wherever kept ones lie.
func (f Folder) sweepParts(before time.Time) error {
	for _, at := range []string{".", downloads, downloads + "/sha256", libraries, selfchecks, emulators + "/*"} {
		stale, err := files.Glob(string(f), at+"/"+files.PartPattern)
		if err != nil {
			return err
		}
		for _, name := range stale {
			info, err := os.Lstat(name)
			if err == nil && info.ModTime().Before(before) {
				err = os.Remove(name)
			}
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	return nil
}

// Remove removes all that is ours, and the folder if nothing else lies in it. left are the
// names of what is not ours.
func (f Folder) Remove() (left []string, err error) {
	entries, err := os.ReadDir(string(f))
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		switch {
		case e.Name() == MarkName: // goes last: an interrupted clean can be done again
		case isOurs(e):
			err = errors.Join(err, os.RemoveAll(f.in(e.Name())))
		default:
			left = append(left, e.Name())
		}
	}
	if err != nil || left != nil {
		return left, err
	}
	if err := os.Remove(f.in(MarkName)); err != nil {
		return nil, err
	}
	_ = os.Remove(string(f)) // a mount point stays
	return nil, nil
}

// Entries are our own children, for who measures them.
func (f Folder) Entries() (paths []string, err error) {
	entries, err := os.ReadDir(string(f))
	for _, e := range entries {
		if isOurs(e) {
			paths = append(paths, f.in(e.Name()))
		}
	}
	return paths, err
}
