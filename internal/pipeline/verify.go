package pipeline

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/tcapflow/tcapflow/build"
	"github.com/tcapflow/tcapflow/internal/pipeline/artifact"
	"github.com/tcapflow/tcapflow/internal/pipeline/elfcheck"
	"github.com/tcapflow/tcapflow/internal/pipeline/fault"
	"github.com/tcapflow/tcapflow/internal/pipeline/options"
	"github.com/tcapflow/tcapflow/internal/pipeline/plan"
)

// Verify runs the gate on files, or on every artifact of out/ when none is named.
func Verify(o options.Options, files []string, stdout io.Writer) error {
	var rows []elfcheck.Row
	if len(files) == 0 {
		m, err := artifact.Load(o.Out)
		if err != nil {
			return err
		}
		if len(m.Artifacts) == 0 {
			return fault.New(fault.Usage, "run `mage static` first, or name files", "nothing is built yet")
		}
		for _, a := range m.Artifacts {
			rows = append(rows, verifyArtifact(o, a))
		}
	}
	for _, file := range files {
		f, findings, err := elfcheck.File(file, elfcheck.Want{})
		rows = append(rows, elfcheck.Row{File: file, Facts: f, Findings: findings, Err: err})
	}
	if o.JSON {
		if err := json.NewEncoder(stdout).Encode(rowsJSON(rows)); err != nil {
			return err
		}
	} else if err := elfcheck.Table(stdout, rows, o.Colour); err != nil {
		return err
	}
	return verdict(rows)
}

func verifyArtifact(o options.Options, a artifact.Artifact) elfcheck.Row {
	row := elfcheck.Row{File: "out/" + a.Path}
	targets, err := build.Select(a.Target)
	if err != nil {
		row.Err = err
		return row
	}
	goVersion, module, err := goMod(o.Root)
	if err != nil {
		row.Err = err
		return row
	}
	p := plan.For(build.TcapflowClient, targets[0], plan.Options{Debug: a.Variant == "debug", GoVersion: goVersion, Module: module, Forbidden: hostPaths(o)})
	row.Facts, row.Findings, row.Err = elfcheck.File(filepath.Join(o.Out, filepath.FromSlash(a.Path)), p.Want)
	if row.Err == nil && !a.Intact(o.Out) {
		row.Err = errors.New("its bytes are not those of the manifest")
	}
	return row
}

// verdict is an error that explains each refused file.
func verdict(rows []elfcheck.Row) error {
	var lines []string
	bad := 0
	for _, r := range rows {
		if r.Err == nil && len(r.Findings) == 0 {
			continue
		}
		bad++
		for _, f := range r.Findings {
			lines = append(lines, "  "+r.File+": "+f.String())
		}
		if r.Err != nil {
			lines = append(lines, "  "+r.File+": "+r.Err.Error())
		}
	}
	if bad == 0 {
		return nil
	}
	return &fault.Error{Code: fault.Failed, Err: fmt.Errorf("%d of %d files are not static binaries that run anywhere", bad, len(rows)), Log: strings.Join(lines, "\n")}
}

type rowJSON struct {
	File     string             `json:"file"`
	OK       bool               `json:"ok"`
	Error    string             `json:"error,omitempty"`
	Findings []elfcheck.Finding `json:"findings,omitempty"`
	ELF      elfcheck.Facts     `json:"elf"`
}

func rowsJSON(rows []elfcheck.Row) []rowJSON {
	out := []rowJSON{}
	for _, r := range rows {
		j := rowJSON{File: r.File, OK: r.Err == nil && len(r.Findings) == 0, Findings: r.Findings, ELF: r.Facts}
		if r.Err != nil {
			j.Error = r.Err.Error()
		}
		out = append(out, j)
	}
	return out
}
