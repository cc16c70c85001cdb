// Package files writes files that are whole or not there.
//
// In: a name and bytes. Out: the file, written beside its place and renamed into it, so
// that neither a run that is killed nor another reader ever sees half of it.
package files

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
)

// PartPattern matches the names of files that are not whole yet. What a killed run left
// under such a name is nobody's.
const PartPattern = ".part-*"

// Mode is that of committed files: a folder may be shared, and who may not read in it is
// up to the folder. os.CreateTemp gives 0600.
const Mode = 0o644

// Part is a file that is being written.
type Part struct {
	*os.File
	name string
	done bool
}

// Create begins a file, and makes its folder. The caller commits it; Discard, which does
// nothing after that, is for a defer.
func Create(name string) (*Part, error) {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return nil, err
	}
	f, err := os.CreateTemp(filepath.Dir(name), PartPattern)
	if err != nil {
		return nil, err
	}
	return &Part{File: f, name: name}, nil
}

// Commit gives the file its name.
func (p *Part) Commit() error {
	err := errors.Join(p.Chmod(Mode), p.Close())
	if err == nil {
		err = os.Rename(p.Name(), p.name)
	}
	if err == nil {
		p.done = true
	}
	return err
}

// Discard removes a file that was not committed.
func (p *Part) Discard() {
	if !p.done {
		p.Close()
		os.Remove(p.Name())
	}
}

// Write writes a file at once.
func Write(name string, text []byte) error {
	p, err := Create(name)
	if err != nil {
		return err
	}
	defer p.Discard()
	if _, err := p.Write(text); err != nil {
		return err
	}
	return p.Commit()
}

// Glob finds what fits a pattern, with slashes, below a folder, whose name is no pattern.
func Glob(folder, pattern string) ([]string, error) {
	escaped := strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(folder)
	return filepath.Glob(filepath.Join(escaped, filepath.FromSlash(pattern)))
}
