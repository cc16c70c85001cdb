package template

import (
	"bytes"
	"embed"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"text/template"
)

// files are templates of a project's files. Their actions stand in [[ ]], because CI's and
// GoReleaser's own files have {{ }}. All end in .tmpl: a folder with a go.mod would be a
// module of its own, and not be embedded.
//
// What is below base is of every project, below linked of those with a C library, and
// below clib/LIBRARY of those with that one. NAME stands for the program's name.
//
//go:embed all:files
var files embed.FS

const suffix = ".tmpl"

// values are what the templates read.
type values struct {
	Project
	CLib      string // empty for none
	Catalogue string // its name in package catalogue
	Summary   string
	Library   string
	Version   string
	Go        string // go.mod's go line
	GoMinor   string // 1.26
	Toolchain string
	Mage      string
}

func (p Project) values(version string) values {
	minor := goVersion[:strings.LastIndexByte(goVersion, '.')]
	v := values{Project: p, CLib: p.CLib, Catalogue: clibs[p.CLib], Library: Library, Version: version,
		Summary: "A program that is one file on any Linux",
		Go:      goVersion, GoMinor: minor, Toolchain: toolchain, Mage: mageVersion}
	if p.CLib == "none" {
		v.CLib = ""
	}
	return v
}

// Render returns the files of a project by their names, as this version of the template
// has them. What the go command makes, go.sum, is not among them.
func (p Project) Render(version string) (map[string][]byte, error) {
	p, err := p.fill()
	if err != nil {
		return nil, err
	}
	v := p.values(version)
	parts := []string{"files/base"}
	if v.CLib != "" {
		parts = append(parts, "files/linked", "files/clib/"+v.CLib)
	}
	out := map[string][]byte{}
	for _, part := range parts {
		if err := v.render(part, out); err != nil {
			return nil, err
		}
	}
	out[RecordName], err = Record{Version: version, Project: p}.bytes()
	return out, err
}

// render adds the files of one part.
func (v values) render(part string, out map[string][]byte) error {
	return fs.WalkDir(files, part, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := files.ReadFile(name)
		if err != nil {
			return err
		}
		t := template.New(path.Base(name)).Delims("[[", "]]").Option("missingkey=error")
		if t, err = t.Parse(string(text)); err != nil {
			return err
		}
		var rendered bytes.Buffer
		if err := t.Execute(&rendered, v); err != nil {
			return err
		}
		out[v.fileName(strings.TrimPrefix(name, part+"/"))] = rendered.Bytes()
		return nil
	})
}

func (v values) fileName(name string) string {
	words := strings.Split(strings.TrimSuffix(name, suffix), "/")
	for i, word := range words {
		if word == "NAME" {
			words[i] = v.Name
		}
	}
	return path.Join(words...)
}

// write puts files into a folder, which is made.
func write(dir string, files map[string][]byte) error {
	for name, text := range files {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(file, text, 0o644); err != nil {
			return err
		}
	}
	return nil
}
