// Package doctor says why a program does not run where it should, and what is missing on a
// machine that builds.
//
// In: a program and the place where it is to run, a root file system with a user and an
// architecture, which may be this host or an image. Out: findings, each with its next
// step. A program that runs there gets none.
package doctor

import (
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/tcapflow/tcapflow/elfcheck"
)

// Status is how bad a finding is.
type Status string

// OK is what was looked at and is right; Warn does no harm as long as the program does
// not need it; Fail stops it.
const (
	OK   Status = "ok"
	Warn Status = "warn"
	Fail Status = "FAIL"
)

// Finding is one thing that was looked at.
type Finding struct {
	Status Status `json:"status"`
	What   string `json:"what"`           // engine, interpreter, glibc …
	Says   string `json:"says"`           // one line
	Next   string `json:"next,omitempty"` // what to do
}

// Place is where a program is to run.
type Place struct {
	Name   string            // for messages: "this host", "the image"
	Root   fs.ReadLinkFS     // its root file system
	GOARCH []string          // what its kernel runs; empty: not known
	User   string            // uid or name, with a group perhaps; empty or 0: root
	Caps   []string          // capabilities that the program has there; nil: not known
	NoExec func(string) bool // whether a path lies on a noexec mount; nil: not known
	Image  bool
}

// Program says why the file at a path of the place's root does not run there. message is
// what the user saw, and may be empty.
func Program(place Place, name, message string) (found []Finding, err error) {
	d := &diagnosis{place: place, name: path.Clean("/" + name)[1:]}
	real, err := follow(place.Root, d.name)
	if err != nil {
		d.missing(err)
		return append(d.found, ofMessage(message)...), nil
	}
	d.real = real
	if err := d.read(); err != nil {
		return nil, err
	}
	return append(d.found, ofMessage(message)...), nil
}

// diagnosis is the look at one program.
type diagnosis struct {
	place      Place
	name, real string // as asked for, and without links
	file       *elf.File
	facts      elfcheck.Facts
	found      []Finding
}

func (d *diagnosis) add(status Status, what, next, format string, args ...any) {
	d.found = append(d.found, Finding{status, what, fmt.Sprintf(format, args...), next})
}

// missing tells a file that is not there from a link that leads nowhere.
func (d *diagnosis) missing(err error) {
	info, lstatErr := d.place.Root.Lstat(d.name)
	if lstatErr == nil && info.Mode()&fs.ModeSymlink != 0 {
		to, _ := d.place.Root.ReadLink(d.name)
		d.add(Fail, "link", "copy what it points to as well, or the file itself in place of the link",
			"/%s is a link to %s, which is not there", d.name, to)
		return
	}
	d.add(Fail, "file", "look at the path, and at what COPY puts where", "/%s: %v", d.name, bare(err))
}

func bare(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// readerAt is what files of both kinds of root give.
type readerAt interface {
	fs.File
	io.ReaderAt
}

func (d *diagnosis) read() error {
	f, err := d.place.Root.Open(d.real)
	if err != nil {
		return err
	}
	defer f.Close()
	r, ok := f.(readerAt)
	if !ok {
		return fmt.Errorf("/%s cannot be read at any place", d.real)
	}
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		d.add(Fail, "file", "name the program itself", "/%s is no regular file", d.real)
		return nil
	}
	d.mode(info)
	d.facts, err = elfcheck.InspectReader(r, info.Size())
	var other elfcheck.NotProgram
	switch {
	case errors.As(err, &other):
		return d.notProgram(other, r)
	case err != nil:
		d.add(Fail, "file", "copy it again: a transfer in text mode, or one that was cut, damages it", "/%s: %v", d.real, err)
		return nil
	}
	if d.file, err = elf.NewFile(r); err != nil {
		return err
	}
	d.program()
	return nil
}

// mode looks at the x bits and the mount.
func (d *diagnosis) mode(info fs.FileInfo) {
	if info.Mode().Perm()&0o111 == 0 {
		d.add(Fail, "mode", "chmod +x it; in a Dockerfile: COPY --chmod=0755; archives made on Windows and artifacts of CI lose it",
			"/%s has mode %04o: nobody may execute it (permission denied)", d.real, info.Mode().Perm())
	}
	if d.place.NoExec != nil && d.place.NoExec(d.real) {
		d.add(Fail, "mount", "put it on another file system, or mount that one without noexec",
			"/%s lies on a file system that is mounted noexec (permission denied)", d.real)
	}
}

// notProgram looks at the interpreter of a script.
func (d *diagnosis) notProgram(what elfcheck.NotProgram, r io.ReaderAt) error {
	head := make([]byte, 256)
	n, _ := r.ReadAt(head, 0) // shorter is all right
	line, _, _ := strings.Cut(string(head[:n]), "\n")
	if interpreter, ok := strings.CutPrefix(line, "#!"); ok {
		words := strings.Fields(interpreter)
		switch {
		case strings.HasSuffix(line, "\r"):
			d.add(Fail, "script", "save it with line ends of Unix (dos2unix)",
				"/%s is a script whose first line ends in a carriage return: no such file or directory", d.real)
		case len(words) > 0 && !d.there(words[0]):
			d.add(Fail, "script", "take an image that has it, or start the program without the script",
				"/%s is a script for %s, which is not there: no such file or directory", d.real, words[0])
		}
		return nil
	}
	d.add(Fail, "file", "name the program itself", "/%s is %s, and no program (exec format error)", d.real, what)
	return nil
}

// there tells whether a path of the place leads to something.
func (d *diagnosis) there(name string) bool {
	_, err := follow(d.place.Root, path.Clean("/" + name)[1:])
	return err == nil
}

// maxLinks is the kernel's own limit, path_resolution(7).
const maxLinks = 40

// follow resolves the links of a path within a root.
func follow(root fs.ReadLinkFS, name string) (string, error) {
	rest := strings.Split(name, "/")
	at := ""
	for links := 0; len(rest) > 0; {
		next := path.Join(at, rest[0])
		rest = rest[1:]
		if next == "" || next == "." {
			continue
		}
		info, err := root.Lstat(next)
		if err != nil {
			return "", err
		}
		if info.Mode()&fs.ModeSymlink == 0 {
			at = next
			continue
		}
		if links++; links > maxLinks {
			return "", errors.New("too many levels of symbolic links")
		}
		to, err := root.ReadLink(next)
		if err != nil {
			return "", err
		}
		if path.IsAbs(to) {
			at = ""
		}
		to = path.Clean("/" + path.Join(at, to))[1:]
		rest = slices.Concat(strings.Split(to, "/"), rest)
		at = ""
	}
	return at, nil
}
