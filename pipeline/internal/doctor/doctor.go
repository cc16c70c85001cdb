// Package doctor finds out what is wrong: with a machine that builds, or with a program that
// does not run somewhere.
//
// In: a program (an ELF file or a script), and the place where it is to run: an image's file
// system, this machine, or what is known of a distribution; perhaps the message that the user
// saw. Out: checks, each with a state and the next step. Nothing is started: all is read from
// the files. What is on the host (an engine, a mirror) is asked by whoever calls, in Host.
package doctor

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
)

// State is the verdict of a check.
type State string

// A warning is what may be right; only a failure is the answer.
const (
	OK   State = "ok"
	Warn State = "warn"
	Fail State = "fail"
)

// Check is a line of the report.
type Check struct {
	State State  `json:"state"`
	About string `json:"about"`           // what was looked at, in a word or two
	Text  string `json:"text"`            // what is so
	Shows string `json:"shows,omitempty"` // what users see because of it
	Next  string `json:"next,omitempty"`  // what to do
	Seen  bool   `json:"seen,omitempty"`  // it explains the message that the user saw
	leads []symptom
}

// Failed tells whether there is a failure among the checks.
func Failed(checks []Check) bool {
	return slices.ContainsFunc(checks, func(c Check) bool { return c.State == Fail })
}

// Write prints the checks: state, subject and text, and below those that are not ok what one
// sees of it and the next step. Colour marks states only.
func Write(w io.Writer, checks []Check, colour bool) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, c := range checks {
		state := fmt.Sprintf("%-4s", c.State)
		if colour {
			state = map[State]string{OK: "\x1b[32m", Warn: "\x1b[33m",
				Fail: "\x1b[31m"}[c.State] + state + "\x1b[0m"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\n", state, c.About, c.Text)
		pad := strings.Repeat(" ", 4)
		if colour {
			pad = "\x1b[39m" + pad + "\x1b[0m" // as wide as the state, for the table
		}
		if c.Shows != "" && c.State != OK {
			seen := ""
			if c.Seen {
				seen = "  ← this is what you saw"
			}
			fmt.Fprintf(table, "%s\t\tone sees: %s%s\n", pad, c.Shows, seen)
		}
		if c.Next != "" {
			fmt.Fprintf(table, "%s\t\tnext: %s\n", pad, c.Next)
		}
	}
	return table.Flush()
}

// Summary counts the states: "1 failure, 2 warnings, 5 ok".
func Summary(checks []Check) string {
	n := map[State]int{}
	for _, c := range checks {
		n[c.State]++
	}
	return fmt.Sprintf("%s, %s, %d ok", count(n[Fail], "failure"), count(n[Warn], "warning"), n[OK])
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
