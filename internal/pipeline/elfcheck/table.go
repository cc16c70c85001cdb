package elfcheck

import (
	"debug/elf"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
)

// Row is one line of the table: what [File] returned for a file.
type Row struct {
	File     string
	Facts    Facts
	Findings []Finding
	Err      error
}

// verdict is "ok", "refused: " with the rules, or "unreadable: " with the reason.
func (r Row) verdict() string {
	if r.Err != nil {
		return "unreadable: " + printable(r.Err.Error())
	}
	if len(r.Findings) == 0 {
		return "ok"
	}
	var rules []string
	for _, f := range r.Findings {
		if len(rules) == 0 || rules[len(rules)-1] != f.Rule {
			rules = append(rules, f.Rule)
		}
	}
	return "refused: " + strings.Join(rules, ", ")
}

// Table writes the rows as aligned columns. Colour marks the verdict only, and never carries meaning
// that the words do not.
func Table(w io.Writer, rows []Row, colour bool) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "FILE\tMACHINE\tSTATIC-PIE\tRELRO\tNOW\tSTACK\tGO\tVERDICT")
	for _, r := range rows {
		fmt.Fprintf(t, "%s\t%s\t%s\n", printable(r.File), strings.Join(r.cells(), "\t"), painted(r, colour))
	}
	return t.Flush()
}

// cells are the columns between file and verdict.
func (r Row) cells() []string {
	f := r.Facts
	if r.Err != nil {
		return []string{"-", "-", "-", "-", "-", "-"}
	}
	goVersion := "-"
	if f.Go != nil {
		goVersion = printable(f.Go.Version)
	}
	return []string{
		strings.ToLower(strings.TrimPrefix(f.Machine, "EM_")), linkage(f), yesNo(f.Relro), yesNo(f.BindNow), stack(f), goVersion,
	}
}

func linkage(f Facts) string {
	switch {
	case f.StaticPIE():
		return "yes"
	case f.Interp != "" || len(f.Needed) > 0:
		return "no, dynamic"
	case f.Type == elf.ET_EXEC.String():
		return "no, fixed address"
	}
	return "no"
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
		return r.verdict()
	case r.Err == nil && len(r.Findings) == 0:
		return green + r.verdict() + reset
	}
	return red + r.verdict() + reset
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
