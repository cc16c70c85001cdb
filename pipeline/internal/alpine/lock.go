package alpine

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/tcapflow/tcapflow/spec"
)

// Lock names every package of every set, so that the same commit always assembles the
// same image.
type Lock struct {
	Branch  string               `json:"branch"`
	Indexes map[string]time.Time `json:"indexes"` // by path below the branch: the day each was made
	Sets    map[string][]Package `json:"sets"`    // by SetKey
}

// ErrNotLocked says that a lock does not name a set.
var ErrNotLocked = errors.New("names no packages")

// SetKey names a set for one architecture: tools/x86_64.
func SetKey(set spec.PackageSet, arch string) string { return set.Name + "/" + arch }

var sha256Form = regexp.MustCompile(`^[0-9a-f]{64}$`)

// ParseLock reads what Lock.Bytes wrote.
func ParseLock(text []byte) (Lock, error) {
	var l Lock
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&l); err != nil {
		return Lock{}, fmt.Errorf("the lock of Alpine's packages: %w", err)
	}
	for set, packages := range l.Sets {
		for _, p := range packages {
			if !packagePath.MatchString(p.Path) || !sha256Form.MatchString(p.SHA256) || p.Size <= 0 {
				return Lock{}, fmt.Errorf("the lock of Alpine's packages: %s: %q is damaged", set, p.Name)
			}
		}
	}
	return l, nil
}

// Bytes is the lock as it is committed: indented, in a fixed order.
func (l Lock) Bytes() ([]byte, error) {
	text, err := json.MarshalIndent(l, "", " ")
	return append(text, '\n'), err
}

// Empty reports whether the lock names nothing at all.
func (l Lock) Empty() bool { return len(l.Sets) == 0 }

// Packages returns the locked packages of a set.
func (l Lock) Packages(set spec.PackageSet, arch string) ([]Package, error) {
	packages, ok := l.Sets[SetKey(set, arch)]
	if !ok {
		return nil, fmt.Errorf("the lock of Alpine %s %w for %s", l.Branch, ErrNotLocked, SetKey(set, arch))
	}
	return packages, nil
}

// With returns the lock with the sets of another in place of its own; other sets stay.
func (l Lock) With(other Lock) Lock {
	out := Lock{Branch: l.Branch, Indexes: map[string]time.Time{}, Sets: map[string][]Package{}}
	for _, from := range []Lock{l, other} {
		maps.Copy(out.Sets, from.Sets)
		for path, day := range from.Indexes {
			if day.After(out.Indexes[path]) {
				out.Indexes[path] = day
			}
		}
	}
	return out
}

// Changes lists the packages that differ from an older lock, a line each, sorted.
func (l Lock) Changes(old Lock) []string {
	before, after := old.versions(), l.versions()
	var lines []string
	for what, version := range after {
		if was, ok := before[what]; !ok {
			lines = append(lines, what+" "+version+" (new)")
		} else if was != version {
			lines = append(lines, what+" "+was+" → "+version)
		}
	}
	for what, was := range before {
		if _, ok := after[what]; !ok {
			lines = append(lines, what+" "+was+" (gone)")
		}
	}
	slices.Sort(lines)
	return lines
}

// versions are those of all packages, by set and name. A package that was built anew under
// its old version counts as changed.
func (l Lock) versions() map[string]string {
	m := map[string]string{}
	for set, packages := range l.Sets {
		for _, p := range packages {
			m[set+" "+p.Name] = p.Version + " " + p.SHA256[:min(8, len(p.SHA256))]
		}
	}
	return m
}

// UpstreamVersion cuts Alpine's revision off: 1.2.6-r3 is its name for 1.2.6.
func UpstreamVersion(v string) string {
	if i := strings.LastIndex(v, "-r"); i > 0 {
		return v[:i]
	}
	return v
}
