// Package template makes a project of one's own, and takes newer templates into it.
//
// In: a name, a module path, the C library that the program links. Out: a folder that
// `mage static` builds: a go.mod that requires this library, a magefile of a few lines,
// build/ and cmd/ for their owner to edit, and what CI and a release need; or, whole, a
// renamed copy of this repository. A file in it, RecordName, remembers what it was made of.
//
// An update is a three-way merge: the template as it was then, as it is now, and the
// project as its owner has made it.
package template

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/mod/module"
)

// Library is the module of this package, which a new project requires.
const Library = "github.com/tcapflow/tcapflow"

// What a new project's go.mod begins with, as this repository's own does.
const (
	goVersion   = "1.26.0"
	toolchain   = "go1.26.8"
	mageVersion = "v1.17.2"
)

// Project is what a new project is made of.
type Project struct {
	Name   string `json:"name"`   // of the program
	Module string `json:"module"` // path of the Go module
	CLib   string `json:"clib"`   // the C library that the program links, or "none"
	Whole  bool   `json:"whole,omitempty"`
}

// clibs are the C libraries that there is a first program for, each with its name in
// package catalogue.
var clibs = map[string]string{
	"none": "", "libpcap": "Libpcap", "sqlite": "SQLite", "zlib": "Zlib", "openssl": "OpenSSL",
	"zstd": "Zstd",
}

// CLibs lists what may be named as the C library.
func CLibs() []string {
	names := slices.Sorted(maps.Keys(clibs))
	return append([]string{"none"}, slices.DeleteFunc(names, func(n string) bool { return n == "none" })...)
}

// Error is an error whose reader can do something.
type Error struct {
	Err   error
	Next  string // what to do
	Log   string // the end of what a command said
	Usage bool   // it is wrong use
	Fetch bool   // something could not be fetched
}

func (e *Error) Error() string {
	text := e.Err.Error()
	if e.Next != "" {
		text += "\n  next: " + e.Next
	}
	if e.Log != "" {
		text += "\n" + strings.TrimRight(e.Log, "\n")
	}
	return text
}

func (e *Error) Unwrap() error { return e.Err }

func wrongUse(next, format string, args ...any) error {
	return &Error{Err: fmt.Errorf(format, args...), Next: next, Usage: true}
}

// projectName is what programs, packages of Debian (Debian policy §5.6.7: at least two
// characters) and variables can be called.
var projectName = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`)

// reserved are names that would collide with a folder or a word of the project's own.
var reserved = []string{"test", "build", "main", "internal", "vendor", "magefiles"}

// fill gives a project the values that follow from others, and checks all.
func (p Project) fill() (Project, error) {
	if p.Module == "" {
		return p, wrongUse("name it: -module=example.org/you/yourtool", "a project needs a module path")
	}
	if err := module.CheckImportPath(p.Module); err != nil {
		return p, wrongUse("give it as example.org/you/yourtool", "%w", err)
	}
	if p.Name == "" {
		prefix, _, _ := module.SplitPathVersion(p.Module)
		p.Name = path.Base(prefix)
	}
	if !projectName.MatchString(p.Name) || len(p.Name) < 2 || slices.Contains(reserved, p.Name) {
		return p, wrongUse("name it with -name: lower-case letters, digits and hyphens, such as your-tool",
			"the program cannot be called %q", p.Name)
	}
	if p.CLib == "" {
		p.CLib = "none"
	}
	if p.Whole && p.CLib != "none" {
		return p, wrongUse("name it in Libraries of build/project.go",
			"a whole copy has the libraries of this repository, not -clib=%s", p.CLib)
	}
	if _, ok := clibs[p.CLib]; !ok {
		return p, wrongUse("take none and add a spec.Library of your own to build/project.go",
			"unknown -clib %q; known: %s", p.CLib, strings.Join(CLibs(), ", "))
	}
	return p, nil
}

// checkFolder wants a folder that is not there, or empty.
func checkFolder(dir string) error {
	switch {
	case dir == "":
		return wrongUse("name one that is not there yet", "a project needs a folder")
	case strings.HasPrefix(dir, "-"):
		return wrongUse("the folder comes first: template:new DIR -module=…",
			"the folder cannot be called %q", dir)
	}
	entries, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err == nil && len(entries) > 0 {
		err = wrongUse("name one that is not there yet", "%s is not empty", dir)
	}
	return err
}
