package template

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Status is what a project has of library and template.
type Status struct {
	Record  Record
	Library string // the version that go.mod requires; empty in a whole copy
	Replace string // what go.mod puts in its place, or empty
	Newest  string // version that can be had; empty where Why says why that is not known, or with Replace
	Why     error  // why Newest is not known
	// Changed are the template's files that the project has changed, but for build/ and cmd/,
	// which are its own anyway; Gone are those that it has thrown away.
	Changed, Gone []string
}

// Status looks at the project; the newest version is asked for.
func (u Update) Status(ctx context.Context) (Status, error) {
	s := Status{}
	var err error
	if s.Record, err = ReadRecord(u.Dir); err != nil {
		return s, err
	}
	if s.Record.Whole {
		return s, nil
	}
	mod, err := u.modFile()
	if err != nil {
		return s, err
	}
	s.Library = required(mod)
	for _, r := range mod.Replace {
		if r.Old.Path == Library {
			s.Replace = strings.TrimSpace(r.New.Path + " " + r.New.Version)
		}
	}
	if s.Replace == "" {
		s.Newest, s.Why = Newest(ctx, u.Dir)
	}
	if ctx.Err() != nil {
		return s, ctx.Err()
	}
	return s, u.compare(ctx, &s)
}

// compare lists what differs from the template that the project was made of.
func (u Update) compare(ctx context.Context, s *Status) error {
	work, err := os.MkdirTemp("", "template-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	pristine := filepath.Join(work, "pristine")
	if err := u.render(ctx, pristine, s.Record); err != nil {
		return err
	}
	err = filepath.WalkDir(pristine, func(file string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(pristine, file)
		if err != nil {
			return err
		}
		name := filepath.ToSlash(rel)
		if name == "go.mod" || strings.HasPrefix(name, "cmd/") || strings.HasPrefix(name, "build/") {
			return nil
		}
		want, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		have, err := os.ReadFile(filepath.Join(u.Dir, rel))
		switch {
		case os.IsNotExist(err):
			s.Gone = append(s.Gone, name)
		case err != nil:
			return err
		case !bytes.Equal(have, want):
			s.Changed = append(s.Changed, name)
		}
		return nil
	})
	slices.Sort(s.Changed)
	slices.Sort(s.Gone)
	return err
}
