package pipeline

import (
	"encoding/json"
	"errors"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/tcapflow/tcapflow/elfcheck"
	"github.com/tcapflow/tcapflow/pipeline/internal/artifact"
	"github.com/tcapflow/tcapflow/pipeline/internal/fault"
	"github.com/tcapflow/tcapflow/pipeline/internal/plan"
)

// Verify runs the gate on files, or on every artifact of out/ when none is named. The error explains what is
// refused; its code is fault.Usage where a file that was named is not there, and else fault.Failed.
func (p *Pipeline) Verify() error {
	files := p.o.Files
	var rows []elfcheck.Row
	for _, file := range files {
		rows = append(rows, elfcheck.NewRow(file, file, elfcheck.Want{}))
	}
	if len(files) == 0 {
		var err error
		if rows, err = p.verifyArtifacts(); err != nil {
			return err
		}
	}
	if p.o.JSON {
		if err := json.NewEncoder(p.stdout).Encode(rowsJSON(rows)); err != nil {
			return err
		}
	} else if err := elfcheck.Table(p.stdout, rows, p.o.Colour); err != nil {
		return err
	}
	return verdict(rows, len(files) > 0)
}

func (p *Pipeline) verifyArtifacts() ([]elfcheck.Row, error) {
	m, err := artifact.Load(p.o.Out)
	if err != nil {
		return nil, err
	}
	if len(m.Artifacts) == 0 {
		return nil, fault.New(fault.Usage, "run `mage static` first, or name files", "nothing is built yet")
	}
	var rows []elfcheck.Row
	for _, a := range m.Artifacts {
		rows = append(rows, p.verifyArtifact(a))
	}
	return rows, nil
}

func (p *Pipeline) verifyArtifact(a artifact.Artifact) elfcheck.Row {
	name := "out/" + a.Path
	targets, err := p.project.Targets.Select(a.Target)
	if err != nil {
		return elfcheck.Row{File: name, Err: err}
	}
	goVersion, module, err := goMod(p.o.Root)
	if err != nil {
		return elfcheck.Row{File: name, Err: err}
	}
	want := plan.For(p.project, targets[0], plan.Options{
		Debug: a.Variant == "debug", GoVersion: goVersion, Module: module, Forbidden: hostPaths(p.o)}).Want
	row := elfcheck.NewRow(name, filepath.Join(p.o.Out, filepath.FromSlash(a.Path)), want)
	if row.Err == nil && !a.Intact(p.o.Out) {
		row.Err = errors.New("its bytes are not those of the manifest")
	}
	return row
}

// verdict is an error that explains each refused file; the explanation itself where it is one line.
func verdict(rows []elfcheck.Row, named bool) error {
	var lines []string
	code, bad := fault.Failed, 0
	for _, r := range rows {
		if r.OK() {
			continue
		}
		bad++
		lines = append(lines, r.Explain()...)
		if named && errors.Is(r.Err, fs.ErrNotExist) {
			code = fault.Usage
		}
	}
	switch {
	case bad == 0:
		return nil
	case len(lines) == 1:
		return fault.New(code, nextOf(code), "%s", lines[0])
	}
	err := &fault.Error{
		Code: code, Err: errors.New(elfcheck.Summary(rows)), Log: "  " + strings.Join(lines, "\n  "),
	}
	if code == fault.Usage {
		err.Next = nextOf(code)
	}
	return err
}

// nextOf is the next step after an error of one line, or where a file is not there.
func nextOf(code fault.Code) string {
	if code == fault.Usage {
		return "look at the name; `mage static` puts binaries into out/"
	}
	return "-json has every finding; README.md says what \"static\" means, and `mage static` builds such files"
}

type rowJSON struct {
	File     string               `json:"file"`
	OK       bool                 `json:"ok"`
	Static   bool                 `json:"static"`
	Hardened bool                 `json:"hardened"`
	Error    string               `json:"error,omitempty"`
	Findings []elfcheck.Finding   `json:"findings,omitempty"`
	Allowed  []elfcheck.Exception `json:"allowed,omitempty"`
	ELF      elfcheck.Facts       `json:"elf"`
}

func rowsJSON(rows []elfcheck.Row) []rowJSON {
	out := []rowJSON{}
	for _, r := range rows {
		v := r.Verdict()
		j := rowJSON{
			File: r.File, OK: r.OK(), Static: v.Static, Hardened: v.Hardened,
			Findings: r.Findings, Allowed: r.Allowed, ELF: r.Facts,
		}
		if r.Err != nil {
			j.Error = r.Err.Error()
		}
		out = append(out, j)
	}
	return out
}
