package pipeline

import (
	"cmp"
	"encoding/json"
	"fmt"
	"text/tabwriter"

	"github.com/tcapflow/tcapflow/pipeline/internal/options"
	"github.com/tcapflow/tcapflow/spec"
)

// Vars lists the environment variables that count: what each means, its default, and what
// it is set to now.
func (p *Pipeline) Vars() error {
	list := options.Variables(p.project)
	if p.o.JSON {
		enc := json.NewEncoder(p.stdout)
		enc.SetIndent("", " ")
		return enc.Encode(list)
	}
	table := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "VARIABLE\tNOW\tDEFAULT\tMEANING")
	for _, v := range list {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", v.Name, cmp.Or(v.Set, "-"), cmp.Or(v.Default, "-"), v.Meaning)
	}
	return table.Flush()
}

// Variables are the environment variables that count for a project.
func Variables(project spec.Project) []options.Variable { return options.Variables(project) }
