package elfcheck

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
)

// Row is one line of the table: what [Examine] returned for a file.
type Row struct {
	File     string
	Facts    Facts
	Findings []Finding
	Allowed  []Exception
	Err      error
}

// NewRow examines the file at path, which the row calls name.
func NewRow(name, path string, w Want) Row {
	r, err := Examine(path, w)
	return Row{File: name, Facts: r.Facts, Findings: r.Findings, Allowed: r.Allowed, Err: err}
}

// verdictText is the verdict with the rules that were broken, or what the file is instead of a program.
func (r Row) verdictText() string {
	if kind := r.notProgramText(); kind != "" {
		return printable(kind)
	}
	if r.Err != nil {
		return "unreadable: " + printable(r.Err.Error())
	}
	if r.OK() {
		return r.Verdict().String()
	}
	return r.Verdict().String() + ": " + strings.Join(r.rules(), ", ")
}

// Table writes the rows as aligned columns, and below them the exceptions that were made use of. Colour
// marks the verdict only, and never carries meaning that the words do not.
func Table(w io.Writer, rows []Row, colour bool) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "FILE\tMACHINE\tSTATIC\tPIE\tRELRO\tNOW\tSTACK\tGO\tVERDICT")
	for _, r := range rows {
		fmt.Fprintf(t, "%s\t%s\t%s\n", printable(r.File), strings.Join(r.cells(), "\t"), painted(r, colour))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, r := range rows {
		for _, a := range r.Allowed {
			if _, err := fmt.Fprintf(w, "%s: %s\n", printable(r.File), a); err != nil {
				return err
			}
		}
	}
	return nil
}

// cells are the columns between file and verdict.
func (r Row) cells() []string {
	f := r.Facts
	if r.Err != nil {
		return []string{"-", "-", "-", "-", "-", "-", "-"}
	}
	goVersion := "-"
	if f.Go != nil {
		goVersion = printable(f.Go.Version)
	}
	return []string{
		strings.ToLower(strings.TrimPrefix(f.Machine, "EM_")), yesNo(r.Verdict().Static), yesNo(f.PIE),
		yesNo(f.Relro), yesNo(f.BindNow), stack(f), goVersion,
	}
}

func stack(f Facts) string {
	switch {
	case !f.HasStackHeader:
		return "unset"
	case f.ExecStack:
		return bytesText(f.StackSize) + " executable"
	}
	return bytesText(f.StackSize)
}

func painted(r Row, colour bool) string {
	const red, green, reset = "\x1b[31m", "\x1b[32m", "\x1b[0m"
	switch {
	case !colour:
		return r.verdictText()
	case r.OK():
		return green + r.verdictText() + reset
	}
	return red + r.verdictText() + reset
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// printable quotes what a terminal or the table's layout would take for a command.
func printable(s string) string {
	if strings.ContainsFunc(s, func(r rune) bool { return !strconv.IsPrint(r) }) {
		return strconv.Quote(s)
	}
	return s
}

// bytesText is a size with its largest whole binary unit.
func bytesText(n uint64) string {
	switch {
	case n >= 1<<20 && n%(1<<20) == 0:
		return fmt.Sprintf("%d MiB", n>>20)
	case n >= 1<<10 && n%(1<<10) == 0:
		return fmt.Sprintf("%d KiB", n>>10)
	}
	return fmt.Sprintf("%d bytes", n)
}
