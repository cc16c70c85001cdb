package pipeline

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"text/tabwriter"

	"github.com/tcapflow/tcapflow/pipeline/internal/fault"
	"github.com/tcapflow/tcapflow/pipeline/internal/options"
	"github.com/tcapflow/tcapflow/spec"
)

// Manual is what counts for a project beside its targets: options, variables, exit codes.
type Manual struct {
	Options   []options.Option   `json:"options"`
	Variables []options.Variable `json:"variables"`
	ExitCodes []struct {
		Code    int    `json:"code"`
		Meaning string `json:"meaning"`
	} `json:"exit_codes"`
}

// NewManual reads the tables that options and variables are read by.
func NewManual(project spec.Project, a Args) Manual {
	m := Manual{Options: options.Flags(project, a), Variables: options.Variables(project)}
	m.exit(0, "done")
	m.exit(fault.Failed, "the build or a check failed")
	m.exit(fault.Usage, "wrong use")
	m.exit(fault.Engine, "the container engine is missing or refused")
	m.exit(fault.Fetch, "an input could not be fetched")
	m.exit(130, "interrupted")
	return m
}

func (m *Manual) exit(code fault.Code, meaning string) {
	m.ExitCodes = append(m.ExitCodes, struct {
		Code    int    `json:"code"`
		Meaning string `json:"meaning"`
	}{int(code), meaning})
}

// Vars lists options and environment variables: what each means, its default, what it is
// now and who says so.
func (p *Pipeline) Vars(ctx context.Context) error {
	m := NewManual(p.project, p.o.Args)
	for i, v := range m.Variables {
		if v.Set == "" && v.Others && strings.HasPrefix(v.Name, "GO") {
			m.Variables[i].Set, m.Variables[i].From = goEnv(ctx, v.Name), "go env"
		}
		if v.Name == "DEBIAN_MIRROR" && v.Set == "" {
			m.Variables[i].Set, m.Variables[i].From = strings.Join(p.o.Mirrors, " "),
				"apt's settings, and Debian's own"
		}
	}
	if p.o.JSON {
		enc := json.NewEncoder(p.stdout)
		enc.SetIndent("", " ")
		return enc.Encode(m)
	}
	return m.write(p.stdout)
}

// write shows what each is for, and below that what it is set to, where it is.
func (m Manual) write(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	line := func(name, meaning, otherwise, set, from string) {
		if otherwise != "" {
			meaning += " (" + otherwise + ")"
		}
		fmt.Fprintf(table, "  %s\t%s\n", name, meaning)
		if set != "" {
			fmt.Fprintf(table, "  \t= %s, by %s\n", set, from)
		}
	}
	fmt.Fprintln(table, "Variables (what counts where one is not set)")
	for _, v := range m.Variables {
		line(v.Name, v.Meaning, v.Default, v.Set, v.From)
	}
	fmt.Fprintln(table,
		"\nOptions (what counts where one is not given); `mage help -target=NAME` says which a target has")
	for _, o := range m.Options {
		line("-"+o.Name, o.Meaning, o.Default, o.Set, o.From)
	}
	return table.Flush()
}

// goEnv is what the go command goes by, which may stand in a file of `go env -w`; empty
// where it does not answer.
func goEnv(ctx context.Context, name string) string {
	text, err := exec.CommandContext(ctx, "go", "env", name).Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}
