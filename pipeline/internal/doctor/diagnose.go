package doctor

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// patient is a program and the place where it is to run, while it is looked at.
type patient struct {
	Program
	There
	message string
	libs    []library
	checks  []Check
}

// Diagnose says why a program does not run in a place; message is what was printed there, or
// empty. Without a failure among the checks, nothing is known to be wrong.
func Diagnose(p Program, t There, message string) []Check {
	d := &patient{Program: p, There: t, message: message}
	if d.kind != nil {
		d.notELF()
	} else {
		d.look()
	}
	d.hear()
	return d.checks
}

// Absent says why a program cannot be read at all, by the error of Open, File or Start.
func Absent(name string, t There, err error, message string) []Check {
	d := &patient{There: t, message: message}
	next := "look at the path; in a Dockerfile, COPY --from takes a link as it is, without what it points to"
	var gone missing
	switch {
	case errors.As(err, &gone) && gone.link != "":
		d.fail("link", []symptom{noFile, notInPath}, next, string(noFile), "%s: %v", name, err)
	case errors.As(err, &gone), errors.Is(err, fs.ErrNotExist):
		d.fail("file", []symptom{noFile, notInPath}, next, string(noFile), "%s is not in %s", name, t.Name)
	default:
		d.fail("file", []symptom{noFile, notInPath}, next, `executable file not found in $PATH`, "%v", err)
	}
	d.hear()
	return d.checks
}

// look goes through all that can be wrong with an ELF file.
func (d *patient) look() {
	d.machine()
	d.mode()
	d.mount()
	d.shape()
	d.loader()
	if d.root != nil && d.dynamic() {
		d.libs = d.libraries(d.Program)
		d.missingLibraries()
		d.twoLibcs()
		d.symbols()
	}
	d.versions()
	d.whoBroughtC()
	d.lookups()
	d.certificates()
	d.zones()
	d.rights()
}

func (d *patient) add(s State, about string, leads []symptom, next, shows, format string, args ...any) {
	d.checks = append(d.checks, Check{State: s, About: about, Text: fmt.Sprintf(format, args...),
		Shows: shows, Next: next, leads: leads})
}

func (d *patient) fail(about string, leads []symptom, next, shows, format string, args ...any) {
	d.add(Fail, about, leads, next, shows, format, args...)
}

func (d *patient) warn(about string, leads []symptom, next, shows, format string, args ...any) {
	d.add(Warn, about, leads, next, shows, format, args...)
}

func (d *patient) ok(about, format string, args ...any) {
	d.add(OK, about, nil, "", "", format, args...)
}

// failed tells whether a check of that name has failed.
func (d *patient) failed(about ...string) bool {
	return slices.ContainsFunc(d.checks, func(c Check) bool {
		return c.State == Fail && slices.Contains(about, c.About)
	})
}

// hear holds the message against what was found. What explains the message is the answer,
// also where it would not count otherwise.
func (d *patient) hear() {
	if d.message == "" {
		return
	}
	at, known := symptomOf(d.message)
	if !known {
		d.warn("message", nil,
			"look whether it is the program's own: `strings FILE | grep` finds a part of it", "",
			"%q is none of the messages of kernel, dynamic linker or Go that mean that a program cannot start", d.message)
		return
	}
	m, seen := messages[at], false
	for i, c := range d.checks {
		if slices.Contains(c.leads, m.is) {
			d.checks[i].Seen, seen = true, true
			d.checks[i].State = Fail
		}
	}
	if !seen {
		d.warn("message", nil, m.next, "",
			"%s. Nothing of that shows in this file and in %s: look whether it is this "+
				"file that was started there", m.what, d.There.Name)
	}
}

// notELF is for scripts and what people take for programs.
func (d *patient) notELF() {
	d.mode()
	d.mount()
	switch {
	case d.line != "":
		d.script()
	case d.entry.size == 0:
		d.fail("kind", []symptom{execFormat, noFile}, "look at the step that writes it", string(execFormat),
			"the file is empty")
	case looksLikeText(d.head):
		d.fail("kind", []symptom{execFormat},
			"write #!/bin/sh as its first line; a byte order mark or a blank before it counts as well",
			string(execFormat),
			"it is text without \"#!\" as its first bytes: a shell runs it, the kernel does not")
	default:
		d.fail("kind", []symptom{execFormat}, "build it for Linux: GOOS=linux, or `mage static`",
			string(execFormat), "it is %v", d.kind)
	}
}

func looksLikeText(b []byte) bool {
	return len(b) > 0 && !slices.ContainsFunc(b, func(c byte) bool { return c < 8 })
}

// script looks for the interpreter of a script.
func (d *patient) script() {
	leads := []symptom{noFile}
	name, _, _ := strings.Cut(strings.TrimSpace(d.line), " ")
	switch {
	case strings.HasSuffix(d.line, "\r"):
		d.fail("script", leads,
			"save it with Unix line ends: `sed -i 's/\\r$//' FILE`, and in .gitattributes `*.sh eol=lf`",
			`no such file or directory, or "bad interpreter"`,
			"its first line ends with a carriage return, which the kernel takes for part of the name %q", name)
	case d.root == nil:
		d.ok("script", "a script, which needs %s", name)
	case !there(d.root, name):
		d.fail("script", leads,
			"write the program in place of a script, or take a base image that has "+path.Base(name),
			string(noFile), "it is run by %s, which is not in %s", name, d.There.Name)
	default:
		d.ok("script", "it is run by %s, which is there", name)
	}
}
