package elfcheck

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Verdict is what the findings on a file come to.
type Verdict struct {
	Static   bool // it runs with no other file of the machine
	Hardened bool // an attacker gets none of the usual help from it
	Planned  bool // it is what the plan says, and tells nothing of the machine that built it
}

var (
	hardening = []string{"pie", "wx", "relro", "bind-now", "stack-exec", "stack-size"}
	planning  = []string{"class", "machine", "byte-order", "buildinfo", "host-path"}
)

// Judge sorts findings by their rules. A rule that is in neither list is about being static.
func Judge(findings []Finding) Verdict {
	v := Verdict{true, true, true}
	for _, f := range findings {
		*v.about(f.Rule) = false
	}
	return v
}

func (v *Verdict) about(rule string) *bool {
	switch {
	case slices.Contains(hardening, rule):
		return &v.Hardened
	case slices.Contains(planning, rule):
		return &v.Planned
	}
	return &v.Static
}

// String is the verdict in words; those of a file that passes are "ok".
func (v Verdict) String() string {
	switch {
	case v == Verdict{true, true, true}:
		return "ok"
	case !v.Static:
		return "not static"
	case !v.Hardened && !v.Planned:
		return "static, but neither hardened nor as planned"
	case !v.Hardened:
		return "static, but not hardened"
	}
	return "static and hardened, but not as planned"
}

// OK tells whether the file passed.
func (r Row) OK() bool { return r.Err == nil && len(r.Findings) == 0 }

// Verdict is that on the file; one that cannot be read is nothing.
func (r Row) Verdict() Verdict {
	if r.Err != nil {
		return Verdict{}
	}
	return Judge(r.Findings)
}

// Explain says why a file is refused: on a line, or, after one that gives the verdict, on one for each
// finding. A file that is not static gets one line: whether it is hardened does not matter then. Nothing is
// said of a file that passes.
func (r Row) Explain() []string {
	name := printable(r.File)
	v := r.Verdict()
	switch {
	case r.Err != nil:
		return []string{name + ": " + printable(r.Err.Error())}
	case r.OK():
		return nil
	case !v.Static:
		return []string{name + ": not static: " + r.firstStatic()}
	}
	lines := []string{name + ": " + v.String()}
	for _, f := range r.Findings {
		lines = append(lines, "  "+f.String())
	}
	return lines
}

// rules are those that were broken, each once; of a file that is not static, those that make it so.
func (r Row) rules() []string {
	var rules []string
	for _, f := range r.Findings {
		about := Judge([]Finding{f})
		if (r.Verdict().Static || !about.Static) && !slices.Contains(rules, f.Rule) {
			rules = append(rules, f.Rule)
		}
	}
	return rules
}

// firstStatic is the first finding on being static, and the names of the others.
func (r Row) firstStatic() string {
	var first string
	var others []string
	for _, f := range r.Findings {
		switch v := Judge([]Finding{f}); {
		case v.Static:
		case first == "":
			first = f.Detail
		case f.Rule != "needed" || r.Facts.Interp == "": // loaderText has it
			others = append(others, f.Rule)
		}
	}
	if len(others) > 0 {
		first += fmt.Sprintf(" (and: %s)", strings.Join(others, ", "))
	}
	return first
}

// Summary counts what was refused, by verdict: "1 of 3 files is not static; 1 is static, but not hardened".
func Summary(rows []Row) string {
	var order []string
	count := map[string]int{}
	for _, r := range rows {
		if r.OK() {
			continue
		}
		word := r.Verdict().String()
		if count[word]++; count[word] == 1 {
			order = append(order, word)
		}
	}
	var parts []string
	for i, word := range order {
		of := ""
		if i == 0 {
			of = fmt.Sprintf(" of %d file%s", len(rows), plural(len(rows), "", "s"))
		}
		parts = append(parts, fmt.Sprintf("%d%s %s %s", count[word], of, plural(count[word], "is", "are"), word))
	}
	return strings.Join(parts, "; ")
}

func plural(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// notProgramText is what a file is instead of a program, or "".
func (r Row) notProgramText() string {
	var kind NotProgram
	if errors.As(r.Err, &kind) {
		return kind.Error()
	}
	return ""
}
