package pipeline

import (
	"fmt"
	"maps"
	"slices"
)

// Targets prints what is built, and what is left out with its reason.
func (p *Pipeline) Targets() error {
	for _, t := range p.project.Targets.Built {
		fmt.Fprintf(p.stdout, "%-15s %s, Debian %s, Alpine %s\n", t.Name, t.Triple, t.Debian, t.Alpine)
	}
	fmt.Fprintln(p.stdout, "\nleft out:")
	for _, name := range slices.Sorted(maps.Keys(p.project.Targets.LeftOut)) {
		fmt.Fprintf(p.stdout, "%-15s %s\n", name, p.project.Targets.LeftOut[name])
	}
	return nil
}
